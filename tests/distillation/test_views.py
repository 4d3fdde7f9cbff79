"""Where random views stand, and what they see."""

import math

import pytest
import torch

from backend.distillation.views import (
    Orbit,
    azimuth_degrees,
    elevation_degrees,
    jittered,
    sample_rigs,
    sample_views,
)
from backend.rendering.cameras import Cameras, orbit_cameras

ORBIT = Orbit(elevation_degrees=(-10, 80), fov_degrees=(20, 60), fill=(0.7, 1.0))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spans(cameras: Cameras) -> torch.Tensor:
    """How much of the frame's height the unit ball's silhouette takes."""
    silhouette = (1 / cameras.positions.norm(dim=-1)).asin().tan()
    return silhouette / (cameras.fov_degrees.deg2rad() / 2).tan()


def test_angles_are_read_back() -> None:
    cameras = orbit_cameras([0.0, 90.0, -90.0, 170.0], [10.0, -20.0, 60.0, 0.0], 3.0, 45.0, 8)
    assert azimuth_degrees(cameras).tolist() == pytest.approx([0, 90, -90, 170], abs=1e-3)
    assert elevation_degrees(cameras).tolist() == pytest.approx([10, -20, 60, 0], abs=1e-3)


def test_views_stay_in_their_ranges_and_fill_them() -> None:
    cameras = sample_views(ORBIT, 4000, 16, generator())
    for values, (low, high) in (
        (elevation_degrees(cameras), ORBIT.elevation_degrees),
        (azimuth_degrees(cameras), ORBIT.azimuth_degrees),
        (cameras.fov_degrees, ORBIT.fov_degrees),
        (spans(cameras), ORBIT.fill),
    ):
        margin = 0.01 * (high - low)
        assert low - margin / 10 <= float(values.min()) < low + margin
        assert high - margin < float(values.max()) <= high + margin / 10


def test_half_of_the_elevations_are_uniform_on_the_sphere() -> None:
    """The share above 45 degrees: half (35 / 90) + half of the area of that cap."""
    high = elevation_degrees(sample_views(ORBIT, 20000, 16, generator())) > 45
    low, middle, top = (math.sin(math.radians(angle)) for angle in (-10, 45, 80))
    expected = 0.5 * 35 / 90 + 0.5 * (top - middle) / (top - low)
    assert float(high.float().mean()) == pytest.approx(expected, abs=0.015)


def test_rigs_stand_evenly_and_share_the_rest() -> None:
    cameras = sample_rigs(ORBIT, 50, 16, generator())
    turns = azimuth_degrees(cameras).view(50, 4).diff(dim=1) % 360
    assert torch.allclose(turns, torch.full((50, 3), 90.0), atol=1e-3)
    for values in (elevation_degrees(cameras), cameras.fov_degrees, spans(cameras)):
        rows = values.view(50, 4)
        assert torch.allclose(rows, rows[:, :1].expand(50, 4), atol=1e-3)
        assert float(rows[:, 0].std()) > 0


def test_three_views_stand_120_degrees_apart() -> None:
    turns = azimuth_degrees(sample_rigs(ORBIT, 1, 16, generator(), views=3)).diff() % 360
    assert torch.allclose(turns, torch.full((2,), 120.0), atol=1e-3)


def test_the_same_seed_gives_the_same_views() -> None:
    first, second = (sample_views(ORBIT, 3, 16, generator(7)).c2w for _ in range(2))
    assert torch.equal(first, second)


def test_jitter_shifts_and_does_not_turn() -> None:
    cameras = sample_views(ORBIT, 500, 16, generator())
    shifted = jittered(cameras, 0.1, generator(1))
    assert torch.equal(shifted.c2w[:, :3, :3], cameras.c2w[:, :3, :3])
    assert float((shifted.positions - cameras.positions).std()) == pytest.approx(0.1, rel=0.1)
