"""Frames of something that moves, as the views of a set."""

from dataclasses import replace

import numpy as np

from backend.pocket.data.batches import Sample
from backend.pocket.data.pictures import color_planes, draw_light
from backend.pocket.data.shots import Shot, draw_ring, draw_shot
from backend.pocket.network import GENERATED, GIVEN
from backend.pocket.render import render_views
from backend.pocket.world import build
from backend.pocket.world.motions import draw_motion, motion_captions, pose, with_room


def draw_frames(rng: np.random.Generator, held_out: bool) -> Sample:
    """Four frames, even or anywhen in the clip."""
    return _clip(rng, held_out, 4)


def draw_clip(rng: np.random.Generator, held_out: bool) -> Sample:
    """Eight frames."""
    return _clip(rng, held_out, 8)


def _clip(rng: np.random.Generator, held_out: bool, frames: int) -> Sample:
    """Of one motion at some strength; the first frame is given for a third of the clips."""
    said, motion = draw_motion(rng, held_out)
    strength = 0.0 if rng.random() < 0.1 else float(rng.uniform(0.3, 1))
    still = with_room(build(said, seed=int(rng.integers(2**31))), motion)
    shots, phases = draw_cameras(rng, frames), draw_phases(rng, frames)
    light, captions = draw_light(rng, shots[0]), motion_captions(said, motion)
    rgba = [
        render_views(pose(still, motion, phase, strength), [shot.view()], light)["rgba"]
        for phase, shot in zip(phases, shots, strict=True)
    ]
    role = np.full(frames, GENERATED)
    if rng.random() < 0.33:
        role[0] = GIVEN
    return Sample(
        color_planes(np.concatenate(rgba)), shots, captions[rng.integers(len(captions))],
        role=role, frame=np.array(phases, np.float32),
        motion=np.full(frames, strength, np.float32),
    )


def draw_phases(rng: np.random.Generator, frames: int) -> list[float]:
    """When the frames are: mostly evenly through the clip, from its start where they are many
    enough to show two swings, sometimes anywhen."""
    if rng.random() < 0.7:
        offset = 0.0 if frames > 4 else float(rng.uniform(0.2, 0.8))
        return [(index + offset) / frames for index in range(frames)]
    return sorted(float(phase) for phase in rng.uniform(0, 1, frames))


def draw_cameras(rng: np.random.Generator, frames: int) -> list[Shot]:
    """Where the frames are seen from: one fixed camera, one that moves around, or a ring."""
    first, style = draw_shot(rng), rng.random()
    if style < 0.55:
        return [first] * frames
    if style < 0.85:
        turns = rng.uniform(-120, 120) / frames * np.arange(frames)
        rises = first.elevation + rng.uniform(-20, 20) / frames * np.arange(frames)
        return [
            replace(first.turned(float(turn)), elevation=float(rise))
            for turn, rise in zip(turns, rises.clip(-20, 90), strict=True)
        ]
    return draw_ring(rng, frames)
