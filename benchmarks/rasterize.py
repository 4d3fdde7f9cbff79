"""What does drawing a mesh of 10 k faces cost on the CPU, forward and backward?

Interpolated colors with antialiased outlines, and gradients to colors and positions.
"""

import math

import torch
from torch import Tensor

from backend.rendering.antialias import antialias, face_neighbors
from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.rasterize import interpolate, rasterize

from .timing import Timing, best_seconds

ROWS, COLUMNS = 50, 100


def measure() -> list[Timing]:
    positions, faces = _torus()
    colors = torch.rand(len(positions), 3)
    neighbors = face_neighbors(faces.numpy())
    four = orbit_cameras([0.0, 90, 180, 270], 30.0, 3.0, 40.0, 64)
    one = orbit_cameras([20.0], 30.0, 3.0, 40.0, 256)

    def draw(cameras: Cameras) -> Tensor:
        fragments = rasterize(positions, faces, cameras)
        return antialias(interpolate(colors, faces, fragments), fragments, neighbors)

    def both_ways(cameras: Cameras) -> None:
        start = (positions.requires_grad_(), colors.requires_grad_())
        torch.autograd.grad(draw(cameras).square().sum(), start)

    size = f"{len(faces)} faces"
    return [
        Timing("four views of 64 x 64, forward", best_seconds(lambda: draw(four)), size),
        Timing("four views of 64 x 64, both ways", best_seconds(lambda: both_ways(four)), size),
        Timing("one view of 256 x 256, forward", best_seconds(lambda: draw(one)), size),
        Timing("one view of 256 x 256, both ways", best_seconds(lambda: both_ways(one)), size),
    ]


def _torus() -> tuple[Tensor, Tensor]:
    u, v = torch.meshgrid(torch.arange(COLUMNS), torch.arange(ROWS), indexing="ij")
    around, along = u * (2 * math.pi / COLUMNS), v * (2 * math.pi / ROWS)
    ring = 0.65 + 0.3 * along.cos()
    positions = torch.stack([ring * around.cos(), ring * around.sin(), 0.3 * along.sin()], -1)
    right, up = (u + 1) % COLUMNS, (v + 1) % ROWS
    a, b, c, d = u * ROWS + v, right * ROWS + v, right * ROWS + up, u * ROWS + up
    faces = torch.stack([torch.stack([a, b, c], -1), torch.stack([a, c, d], -1)])
    return positions.reshape(-1, 3), faces.reshape(-1, 3)
