"""Measures of abilities on cases whose right answer is known."""

import numpy as np
import pytest
import torch

from backend.evaluation.abilities import chamfer, matched, psnr
from backend.evaluation.draws import noise_like
from backend.evaluation.pocket_prior import lacking


def view(color: float, size: int = 16) -> torch.Tensor:
    """A square of one color, at the middle, over gray."""
    latents = torch.zeros(4, 64, 64)
    latents[3] = -1
    middle = slice(32 - size // 2, 32 + size // 2)
    latents[:3, middle, middle], latents[3, middle, middle] = color, 1
    return latents


def test_psnr_is_that_inside_the_union_of_both_masks() -> None:
    assert psnr(view(0.5), view(0.5)) == pytest.approx(100)
    assert psnr(view(0.4), view(0.6)) == pytest.approx(-20 * np.log10(0.1), abs=1e-3)
    # Missing the object altogether: gray against 0.75.
    assert psnr(view(0.5, 0), view(0.5)) == pytest.approx(-20 * np.log10(0.25), abs=1e-3)


def test_features_that_are_places_match_all_and_random_ones_few() -> None:
    rng = np.random.default_rng(0)
    grid = torch.stack(torch.meshgrid(*[torch.linspace(-1, 1, 16)] * 2, indexing="ij"), -1)
    rest = torch.tensor([0.0, 1.0]).expand(16, 16, 2)
    places = torch.cat([grid, rest], -1).expand(2, -1, -1, -1)
    good = torch.cat([grid, (2 - grid.square().sum(-1, keepdim=True)).sqrt()], -1)
    right = matched(good.expand(2, -1, -1, -1), places, rng)
    blind = matched(torch.randn(2, 16, 16, 8), places, rng)
    assert len(right) == 16 and np.mean(right) == 1 and np.mean(blind) < 0.4


def test_chamfer_of_a_shift_is_its_length_over_the_longest_side() -> None:
    cloud = torch.tensor([[0.0, 0, 0], [2.0, 0, 0]])
    assert chamfer(cloud + torch.tensor([0.0, 0.1, 0]), cloud) == pytest.approx(0.05)


def test_what_weights_lack_has_a_reason_and_no_figure() -> None:
    assert lacking("video")["mean"] is None and "video" in lacking("video")["reason"]


def test_every_set_starts_from_the_same_noise() -> None:
    noise = noise_like(torch.empty(3, 2, 4, 8, 8))
    assert torch.equal(noise[0], noise[2]) and not torch.equal(noise[0, 0], noise[0, 1])
