"""Drawing views from the oracle: groups, given views, resuming."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.distillation.prompts import ConditionalText
from backend.distillation.views import azimuth_degrees, elevation_degrees
from backend.multiview.rigs import surround
from backend.multiview.views import ViewSampler, ViewSet, decode_cut_out, to_views
from backend.priors.oracle import DrawnWorld, OraclePrior
from backend.priors.worlds import animal, cube, sphere
from backend.studio import Studio
from protocol.errors import InputError

SIDE = 16
FOUR, EIGHT = [0, 1, 2, 3], [0, 1, 2, 3, 0, 1, 2, 3]


def oracle(joint: bool = True) -> OraclePrior:
    worlds = [DrawnWorld(world, SIDE) for world in (sphere(), cube(), animal())]
    return OraclePrior(worlds, joint=joint, resolution=SIDE)


def make(prior: OraclePrior, prompt: str, anchors: list[int]) -> tuple[ViewSampler, ViewSet]:
    text = ConditionalText.embed(prior, prompt)
    return ViewSampler(prior, text, 5, 1.0), ViewSet.empty(prior, surround(prior)[anchors])


def studio(folder: Path, seed: int = 1) -> Studio:
    return Studio(folder, folder, seed, lambda capability: oracle(), {})


def test_anchors_stand_at_right_angles_from_the_front_on() -> None:
    cameras = surround(oracle())
    assert torch.allclose(azimuth_degrees(cameras) % 360, torch.arange(4) * 90.0, atol=1e-3)


def test_a_prior_that_takes_given_views_draws_from_between_and_from_above_as_well() -> None:
    prior = OraclePrior([DrawnWorld(cube(), SIDE)], capabilities=frozenset({"views"}))
    cameras = surround(prior)
    assert torch.equal(cameras[FOUR].c2w, surround(oracle()).c2w)
    assert torch.allclose(
        elevation_degrees(cameras), torch.tensor([15.0] * 8 + [55.0] * 4), atol=1e-3
    )
    assert len(azimuth_degrees(cameras).round(decimals=1).unique()) == 12


def test_views_of_the_object_asked_for(tmp_path: Path) -> None:
    prior = oracle()
    sampler, views = make(prior, "a cube", FOUR)
    said = list(sampler.draw(views, studio(tmp_path)))
    truth = DrawnWorld(cube(), SIDE).latents(views.cameras)
    assert views.drawn.all() and torch.allclose(views.latents, truth, atol=1e-3)
    assert [(step.step, step.steps) for step in said] == [(n, 5) for n in range(1, 6)]


@pytest.mark.parametrize("seed", range(4))
def test_later_groups_show_the_object_of_the_first(tmp_path: Path, seed: int) -> None:
    sampler, views = make(oracle(), "", EIGHT)
    list(sampler.draw(views, studio(tmp_path, seed)))
    assert torch.allclose(views.latents[:4], views.latents[4:], atol=1e-3)


def test_given_views_are_not_changed_and_groups_resume(tmp_path: Path) -> None:
    sampler, whole = make(oracle(), "", EIGHT)
    list(sampler.draw(whole, studio(tmp_path)))
    sampler, interrupted = make(oracle(), "", EIGHT)
    drawing = sampler.draw(interrupted, studio(tmp_path))
    for _ in range(7):
        next(drawing)
    first = interrupted.latents[:4].clone()
    resumed = make(oracle(), "", EIGHT)[1]
    resumed.load_state(interrupted.state())
    list(sampler.draw(resumed, studio(tmp_path)))
    assert torch.equal(resumed.latents[:4], first)
    assert torch.equal(resumed.latents, whole.latents)


def test_a_preview_is_a_picture_of_all_views(tmp_path: Path) -> None:
    sampler, views = make(oracle(), "a sphere", FOUR)
    *_, last = sampler.draw(views, studio(tmp_path))
    assert last.preview is not None
    picture = last.preview().contact_sheet
    assert picture is not None and picture.pixels.shape == (SIDE, 4 * SIDE, 3)


def test_drawn_views_are_cut_out() -> None:
    world = DrawnWorld(cube(), SIDE)
    cameras = surround(oracle())[FOUR]
    views = to_views(OraclePrior([world], resolution=SIDE), cameras, world.latents(cameras))
    truth = cube().draw(cameras.resized(SIDE, SIDE))
    pixels = torch.tensor(np.stack([view.image.pixels for view in views])) / 255
    solid = truth.alpha[..., 0] == 1
    assert torch.allclose(pixels[..., 3:].double(), torch.from_numpy(truth.alpha), atol=0.003)
    assert np.abs(pixels[..., :3].numpy() - truth.color)[solid].max() < 0.003
    assert np.allclose(np.stack([view.c2w for view in views]), cameras.c2w.numpy())


class WithoutAlpha(OraclePrior):
    """As checkpoints that draw color alone."""

    def decode(self, latents: Tensor) -> tuple[Tensor, Tensor | None]:
        return super().decode(latents)[0], None


def test_views_of_a_prior_that_draws_no_alpha_are_cut_out() -> None:
    drawn = DrawnWorld(cube(), 64)
    cameras = surround(OraclePrior([drawn], resolution=64))
    latents = drawn.latents(cameras)
    _, truth = OraclePrior([drawn], resolution=64).decode(latents)
    _, found = decode_cut_out(WithoutAlpha([drawn], resolution=64), latents)
    assert (found - truth).abs().mean() < 0.01
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
    with pytest.raises(InputError, match="Try another seed"):
        decode_cut_out(WithoutAlpha([drawn], resolution=64), noise)
