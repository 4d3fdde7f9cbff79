"""Fitting views that agree, and views of which one does not."""

from pathlib import Path

import pytest
import torch

from backend.distillation.loop import State
from backend.multiview.reconstruction import RATES, Targets, ViewFit, charbonnier
from backend.multiview.views import ViewSet
from backend.priors.oracle import DrawnWorld, OraclePrior
from backend.priors.worlds import cube, torus
from backend.rendering.cameras import framing_radius, orbit_cameras
from backend.representations.volume import Volume, grid_volume
from backend.studio import Studio

SIDE = 24


def seen(azimuths: list[float]) -> ViewSet:
    fov = torch.tensor(40.0)
    cameras = orbit_cameras(azimuths, 20.0, framing_radius(fov), fov, SIDE)
    latents = DrawnWorld(cube(), SIDE).latents(cameras)
    return ViewSet(cameras, latents, torch.ones(len(azimuths), dtype=torch.bool))


def make(folder: Path, views: ViewSet, steps: int) -> tuple[ViewFit, Volume]:
    prior = OraclePrior([DrawnWorld(cube(), SIDE)], resolution=SIDE)
    studio = Studio(folder, folder, 0, lambda capability: prior, {})
    fit = ViewFit(Targets.decode(prior, views), studio)
    volume = grid_volume(24, samples=24)
    list(fit.run(volume, State.create(volume, RATES), steps))
    return fit, volume


def test_targets_undo_the_priors_background() -> None:
    views = seen([0.0])
    prior = OraclePrior([DrawnWorld(cube(), SIDE)], resolution=SIDE)
    targets = Targets.decode(prior, views)
    gray = torch.full((3,), 0.5)
    every = torch.arange(1)
    assert torch.allclose(targets.over(gray, every), prior.decode(views.latents)[0], atol=1e-6)
    assert torch.allclose(targets.over(torch.zeros(3), every)[0, 0, 0], torch.zeros(3), atol=1e-6)


def test_a_view_that_was_not_shown_comes_out_right(tmp_path: Path) -> None:
    _, volume = make(tmp_path, seen([0.0, 60.0, 120.0, 180.0, 240.0, 300.0]), 60)
    truth, unseen = Targets.decode(OraclePrior([], resolution=SIDE), seen([30.0])), torch.arange(1)
    gray = torch.full((3,), 0.5)
    color = volume.render(truth.cameras, background=gray).color
    error = ((color - truth.over(gray, unseen)) ** 2).mean()
    assert -10 * torch.log10(error) > 20


def test_the_view_that_disagrees_is_the_one_left_out(tmp_path: Path) -> None:
    views = seen([0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0])
    views.latents[3] = DrawnWorld(torus(), SIDE).latents(views.cameras[[3]])[0]
    fit, volume = make(tmp_path, views, 50)
    fit.drop_worst(volume, 1 / 8)
    assert fit.kept.tolist() == [0, 1, 2, 4, 5, 6, 7]


def test_charbonnier_is_quadratic_near_zero_and_absolute_far_off() -> None:
    small, large = torch.tensor([1e-3]), torch.tensor([1.0])
    assert float(charbonnier(small)) == pytest.approx(1e-6 / (2 * 0.05), rel=1e-2)
    assert float(charbonnier(large)) == pytest.approx(1 - 0.05, abs=2e-3)
