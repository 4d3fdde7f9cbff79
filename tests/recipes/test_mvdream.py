"""MVDream's signature: joint views at right angles, one noise level, no view words, annealing."""

from typing import Any

import pytest
import torch
import trimesh

from backend.distillation.views import azimuth_degrees, elevation_degrees
from backend.priors.oracle import DrawnWorld, OraclePrior
from backend.priors.worlds import animal, cube

from .conftest import Drive, Question, Spy

SIDE = 24
CUBE_VOLUME = 1.0  # of the kit's cube
TINY = {
    "fit_steps": 40, "view_steps": 6, "steps": 6, "grid_resolution": 24, "samples": 24,
    "faces": 2000, "texture_size": 64,
}


def small_oracle() -> OraclePrior:
    worlds = [DrawnWorld(world, SIDE) for world in (cube(), animal())]
    return OraclePrior(worlds, deviation=0.05, resolution=SIDE)


@pytest.fixture(scope="module")
def spied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Spy, Any, list]:
    """One whole run, and everything that it asked the prior."""
    spy, drive = Spy(small_oracle()), Drive(tmp_path_factory.mktemp("mvdream"))
    asset, said = drive(spy, "mvdream", "a cube", **TINY)
    return spy, asset, said


def steps_of(spy: Spy) -> list[Question]:
    """What was asked about one set of views: not the curve's probe, which has four."""
    return [question for question in spy.questions if len(question.t) == 1]


def test_four_views_stand_at_right_angles_and_share_everything_else(spied: tuple) -> None:
    spy, _, _ = spied
    for question in steps_of(spy)[-TINY["steps"] :]:
        cameras = question.condition.cameras[[0, 1, 2, 3]]
        turns = azimuth_degrees(cameras).diff() % 360
        assert torch.allclose(turns, torch.full((3,), 90.0), atol=1e-3)
        assert elevation_degrees(cameras).std() < 1e-3
        assert cameras.fov_degrees.std() == 0
        assert (question.t == question.t[0, 0]).all()


def test_noise_levels_fall_in_the_annealed_range(drive: Drive) -> None:
    spy = Spy(small_oracle())
    drive(spy, "mvdream", "a cube", **{**TINY, "start": "blob", "steps": 12})
    levels = [float(question.t.max()) for question in steps_of(spy)]
    assert levels[0] == pytest.approx(0.98, abs=1e-6)
    assert all(0.02 <= level <= 0.5 for level in levels[-4:])


def test_what_stands_there_already_is_shown_through_strong_noise(spied: tuple) -> None:
    levels = [float(question.t.max()) for question in steps_of(spied[0])][-TINY["steps"] :]
    assert all(0.5 <= level <= 0.98 for level in levels)


def test_views_can_be_judged_alone_to_compare(drive: Drive) -> None:
    spy = Spy(small_oracle())
    drive(spy, "mvdream", "a cube", **{**TINY, "start": "blob", "steps": 2, "joint": False})
    # The curve's probe is 16 views.
    assert {tuple(question.t.shape) for question in spy.questions} == {(4, 1), (16, 1)}


def test_no_words_tell_the_view(spied: tuple) -> None:
    assert spied[0].prompts == ["a cube", ""]


def test_the_prior_is_never_differentiated(spied: tuple) -> None:
    assert not any(question.grad_enabled for question in spied[0].questions)


def test_the_object_asked_for_comes_out_closed_and_in_its_colors(spied: tuple) -> None:
    _, asset, said = spied
    mesh = trimesh.Trimesh(asset.mesh.positions, asset.mesh.faces)
    assert mesh.is_watertight and mesh.volume == pytest.approx(CUBE_VOLUME, rel=0.35)
    assert [progress.fraction for progress in said] == sorted(p.fraction for p in said)
    assert asset.provenance.prompt == "a cube" and asset.provenance.seed == 0
    assert len(asset.report["curve"]) > 1
