"""Measures of motions, in closed form."""

import numpy as np
import pytest
import trimesh

from backend.evaluation import motion
from backend.evaluation.judge import JudgeNetwork
from backend.evaluation.motion import amount, closing_gap, first_frame_error, followed, identity
from protocol.assets import Attribute, FloatArray, Mesh


def still() -> Mesh:
    shape = trimesh.creation.box((1, 1, 1))
    mesh = Mesh(shape.vertices.astype(np.float32), shape.faces.astype(np.int32))
    colors = np.tile(np.float32([0.8, 0.1, 0.1, 1]), (len(mesh.positions), 1))
    mesh.attributes["color"] = Attribute("point", colors)
    return mesh


def moved(way: tuple[float, float, float], frames: int = 5) -> FloatArray:
    times = np.linspace(0, 1, frames, dtype=np.float32)[:, None, None]
    return still().positions + times * np.array(way, np.float32)


def test_the_first_frame_counts_to_the_last_bit() -> None:
    positions = moved((0.2, 0, 0))
    assert first_frame_error(positions, still().positions) == 0
    assert first_frame_error(positions + np.float32(0.1), still().positions) == pytest.approx(
        0.1 * 3**0.5, rel=1e-4
    )
    signed = still().positions.copy()
    signed[0, 0] = 0.0
    other = signed.copy()
    other[0, 0] = -0.0
    assert first_frame_error(other[None], signed) > 0


def test_a_loop_has_no_gap() -> None:
    there = moved((0.3, 0.4, 0))
    assert closing_gap(there) == pytest.approx(0.5, rel=1e-5)
    assert closing_gap(np.concatenate([there, there[::-1]])) == 0


def test_the_amount_is_in_longest_sides() -> None:
    positions = np.stack([still().positions, still().positions + np.float32(0.5)])
    # Half of the frames stand still, the others are half of the side away along each axis.
    assert amount(positions) == pytest.approx((0.75 / 2) ** 0.5, rel=1e-5)
    assert amount(2 * positions) == pytest.approx(amount(positions), rel=1e-5)


@pytest.mark.parametrize(
    ("way", "cosine"),
    [((1, 0, 0), 1), ((0.1, 0, 0), 1), ((-1, 0, 0), -1), ((0, 1, 0), 0), ((1, 1, 0), 0.5**0.5)],
)
def test_following_is_a_cosine(way: tuple, cosine: float) -> None:
    assert followed(moved(way), moved((0.5, 0, 0))) == pytest.approx(cosine, abs=1e-5)


def test_who_stays_follows_nothing_and_other_vertices_cannot_be_compared() -> None:
    assert followed(moved((0, 0, 0)), moved((1, 0, 0))) == 0
    with pytest.raises(ValueError, match="comparable"):
        followed(moved((1, 0, 0), 4), moved((1, 0, 0), 5))


def test_the_judge_is_asked_for_each_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    def say(drawn: object, truth: object, judge: JudgeNetwork) -> float:
        looked.append((drawn, truth))
        return float((drawn - truth).abs().max() < 0.05)

    monkeypatch.setattr(motion, "same_thing", say)
    positions = np.concatenate([moved((0, 0, 0), 3), moved((0, 0, 0.9), 2)[1:]])
    assert identity(still(), positions, JudgeNetwork()) == pytest.approx(0.75)
    assert len(looked) == 4 * 8 and looked[0][0].shape == (1, 64, 64, 3)
