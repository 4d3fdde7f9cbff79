"""The points network and its data."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.pocket.data.clouds import Clouds, draw_clouds, surface_points
from backend.pocket.points import PointsConfig, PointsNetwork
from backend.pocket.train import Settings
from backend.pocket.train_points import PointsRun, splat
from backend.pocket.weights import WeightsError, load_points
from backend.pocket.world import build

TINY = PointsConfig(width=32, latents=8, blocks=1, heads=2)
SETTINGS = Settings(rate=3e-3, warm_up=1, mixture=Clouds(count=2))


def test_points_lie_on_what_is_seen() -> None:
    """An apple's are on its skin; none is inside it."""
    cloud = surface_points(build("apple", "red", 0), np.random.default_rng(0))
    assert cloud.shape == (1024, 6)
    radius = np.linalg.norm(cloud[:, :3], axis=1)
    assert 0.3 < np.quantile(radius, 0.05) and radius.max() < 1
    assert cloud[:, 3].mean() > 0.3 > cloud[:, 5].mean()  # red


def test_clouds_are_a_function_of_seed_and_step() -> None:
    a, b, other = (draw_clouds(1, step, 2) for step in (4, 4, 5))
    np.testing.assert_array_equal(a.clouds, b.clouds)
    assert a.captions == b.captions and not np.array_equal(a.clouds, other.clouds)


def test_the_order_of_points_means_nothing_and_words_do() -> None:
    torch.manual_seed(0)
    network = PointsNetwork(TINY).eval()
    noisy, t = torch.randn(1, 50, 6), torch.tensor([0.5])
    text, mask = torch.randn(1, 3, 384), torch.ones(1, 3, dtype=torch.bool)
    order = torch.randperm(50)
    whole = network(noisy, t, text=text, text_mask=mask)
    mixed = network(noisy[:, order], t, text=text, text_mask=mask)
    torch.testing.assert_close(whole[:, order], mixed, atol=1e-4, rtol=1e-4)
    silent = network(noisy, t, text=text, text_mask=torch.zeros_like(mask))
    assert not torch.allclose(whole, silent, atol=1e-4)


def test_it_is_small() -> None:
    assert sum(value.numel() for value in PointsNetwork().parameters()) <= 2.2e6


def test_it_learns_and_what_it_learned_is_kept(tmp_path: Path) -> None:
    run = PointsRun(SETTINGS, TINY)
    batch = SETTINGS.mixture.draw(0, 0)
    losses = [run.advance(batch) for _ in range(30)]
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])
    run.export(tmp_path)
    kept = load_points(tmp_path)
    for name, value in run.average.state_dict().items():
        torch.testing.assert_close(kept.state_dict()[name], value, atol=1e-3, rtol=1e-2)
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(WeightsError, match="damaged"):
        load_points(tmp_path)


def test_a_cloud_is_pictured_with_its_colors() -> None:
    picture = splat(torch.tensor([[0.0, 0, 0, 1, 0, 0]]), 1)
    assert (picture == [255, 0, 0]).all(-1).sum() == 4
