"""What does a volume cost on the CPU, beside the same through torch's own `grid_sample`?

A million look-ups in a grid of 48^3 with four channels, forward and backward; one optimization step
(four views of 64 x 64 with 64 samples a ray, loss, backward); and the meshes made of the result.
"""

from collections.abc import Callable
from unittest.mock import patch

import torch
from torch import Tensor

from backend.rendering.cameras import orbit_cameras
from backend.rendering.shading import Shading
from backend.rendering.trilinear import interpolate, interpolate_reference
from backend.representations.fields import grid
from backend.representations.volume import Volume, grid_volume

from .timing import Timing, best_seconds

SAMPLES = 1 << 20
RESOLUTION = 48


def measure() -> list[Timing]:
    return [*_look_ups(), *_steps(), *_meshes()]


def _look_ups() -> list[Timing]:
    values = torch.randn(RESOLUTION, RESOLUTION, RESOLUTION, 4, requires_grad=True)
    points, gradient = _points_of_rays(), torch.randn(SAMPLES, 4)

    def both_ways(look_up: Callable[[Tensor, Tensor], Tensor]) -> None:
        torch.autograd.grad(look_up(values, points), values, gradient)

    return [
        Timing("grid_sample, 1 M samples", best_seconds(lambda: both_ways(interpolate_reference))),
        Timing("numba kernels, 1 M samples", best_seconds(lambda: both_ways(interpolate))),
    ]


def _points_of_rays() -> Tensor:
    """Points in the order a renderer asks for them: ray by ray, front to back."""
    rays = orbit_cameras([0.0, 90, 180, 270], 15.0, 3.0, 30.0, 64).rays()
    distance = torch.linspace(2, 4, 64)[:, None]
    points = rays.origins[..., None, :] + distance * rays.directions[..., None, :]
    return points.reshape(-1, 3).contiguous()


def _steps() -> list[Timing]:
    volume = grid_volume(RESOLUTION)
    occupied = grid_volume(RESOLUTION)
    occupied.update_occupancy()
    share = f"{float(occupied.occupancy.cells.float().mean()):.0%} of the cells occupied"
    with patch.object(grid, "interpolate", interpolate_reference):
        reference = best_seconds(lambda: _step(volume), 3)
    return [
        Timing("a step through grid_sample", reference),
        Timing("a step", best_seconds(lambda: _step(volume))),
        Timing("a shaded step", best_seconds(lambda: _step(volume, shaded=True))),
        Timing("a step with occupancy", best_seconds(lambda: _step(occupied)), share),
    ]


def _step(volume: Volume, shaded: bool = False) -> None:
    cameras = orbit_cameras([0.0, 90, 180, 270], 15.0, 3.0, 40.0, 64)
    shading = Shading(cameras.positions) if shaded else None
    gray = torch.full((3,), 0.5)
    color = volume.render(cameras, shading=shading, background=gray).color
    assert color is not None
    color.square().mean().backward()


def _meshes() -> list[Timing]:
    volume = grid_volume(RESOLUTION)
    fine = f"96^3, {len(volume.to_mesh().faces)} faces, 1024^2 texels"
    return [
        Timing("textured mesh", best_seconds(volume.to_mesh, 3), fine),
        Timing("preview mesh", best_seconds(volume.preview_mesh), "32^3"),
    ]
