"""Where the cameras of every figure stand."""

import torch

from backend.distillation.views import azimuth_degrees
from backend.evaluation.looking import AZIMUTHS, ring, sphere


def test_the_ring_begins_in_front_and_goes_around_evenly() -> None:
    assert torch.allclose(azimuth_degrees(ring()) % 360, AZIMUTHS, atol=1e-3)
    heights = ring().positions[:, 2]
    assert torch.allclose(heights, heights[:1].expand(8), atol=1e-5) and heights[0] > 0


def test_the_sphere_is_seen_from_everywhere() -> None:
    directions = torch.nn.functional.normalize(sphere().positions, dim=-1)
    assert directions.mean(0).norm() < 0.05
    anywhere = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    nearest = (torch.nn.functional.normalize(anywhere, dim=-1) @ directions.T).amax(1)
    assert nearest.min().acos().rad2deg() < 35


def test_the_unit_ball_is_in_every_frame() -> None:
    surface = torch.randn(500, 3, generator=torch.Generator().manual_seed(1))
    surface = torch.nn.functional.normalize(surface, dim=-1)
    for cameras in (ring(), sphere()):
        pixels, depth = cameras.project(surface)
        assert (pixels > -0.01).all() and (pixels < 64.01).all() and (depth > 0).all()
