"""Clips: frames of one motion with their times, strengths and cameras."""

import numpy as np

from backend.pocket.data.clips import draw_cameras, draw_frames, draw_phases


def test_frames_move_as_strongly_as_they_say() -> None:
    rng = np.random.default_rng(0)
    changes: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(30):
        sample = draw_frames(rng, False)
        assert sample.frame is not None and sample.motion is not None
        assert len(set(sample.motion.tolist())) == 1 and (0 <= sample.frame).all()
        if len(set(sample.shots)) == 1:
            moved = float(np.abs(sample.images - sample.images[:1]).max())
            changes[bool(sample.motion[0] > 0)].append(moved)
    assert max(changes[False], default=0.0) == 0
    assert np.mean(np.array(changes[True]) > 0) > 0.7  # an apple turns unseen


def test_phases_and_cameras() -> None:
    rng = np.random.default_rng(1)
    drawn = [draw_phases(rng, 8) for _ in range(40)]
    assert 0.4 < np.mean([phases == [i / 8 for i in range(8)] for phases in drawn]) < 0.95
    # Four at the quarters would miss what swings twice.
    assert all(0 < draw_phases(rng, 4)[0] < 1 for _ in range(10))
    cameras = [draw_cameras(rng, 4) for _ in range(40)]
    fixed = np.mean([len(set(shots)) == 1 for shots in cameras])
    assert 0.3 < fixed < 0.8
    assert all(-20 <= shot.elevation <= 90 for shots in cameras for shot in shots)
