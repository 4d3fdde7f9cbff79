"""Trilinear look-up in a dense grid over the cube [-1, 1]^3, forward and backward.

On CPU in float32 two numba kernels do it (several times as fast as ``grid_sample``, see
benchmarks/volume.py); everything else goes through :func:`interpolate_reference`.
"""

from typing import Any

import torch
from numba import njit, prange
from torch import Tensor
from torch.nn.functional import grid_sample

# Gradients are summed in this many parts, whatever the number of threads, and the parts are added
# in order: the same bits come out on every run.
PARTS = 4


def interpolate(grid: Tensor, points: Tensor) -> Tensor:
    """Values (n, channels) of ``grid`` (x, y, z, channels) at ``points`` (n, 3) in [-1, 1].

    The corner nodes lie on the corners of the cube; points outside take the nearest value inside.
    """
    fast = grid.device.type == "cpu" and grid.dtype == points.dtype == torch.float32
    if not fast or points.requires_grad:
        return interpolate_reference(grid, points)
    result: Tensor = _Interpolate.apply(grid.contiguous(), points.contiguous())
    return result


def interpolate_reference(grid: Tensor, points: Tensor) -> Tensor:
    """The same through torch, on any device and with a gradient to ``points``."""
    # grid_sample names its axes from the last: it wants the coordinates as (z, y, x).
    volume = grid.permute(3, 0, 1, 2)[None]
    places = points.flip(-1)[None, :, None, None]
    values = grid_sample(volume, places, align_corners=True, padding_mode="border")
    return values[0, :, :, 0, 0].T


class _Interpolate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, grid: Tensor, points: Tensor) -> Tensor:
        ctx.save_for_backward(points)
        ctx.grid_shape = grid.shape
        values = grid.new_empty(len(points), grid.shape[-1])
        _gather(grid.detach().numpy(), points.numpy(), values.numpy())
        return values

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (points,) = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        parts = gradient.new_empty(PARTS, *ctx.grid_shape)
        _scatter(gradient.numpy(), points.numpy(), parts.numpy())
        return parts.sum(0), None


@njit(cache=True, inline="always")
def locate(coordinate, nodes):  # type: ignore[no-untyped-def]
    """The node below a coordinate and the fraction of the way to the next one."""
    place = (coordinate + 1) * (0.5 * (nodes - 1))
    place = min(max(place, 0.0), nodes - 1.0)
    node = min(int(place), nodes - 2)
    return node, place - node


@njit(cache=True, parallel=True, error_model="numpy")
def _gather(grid, points, values):  # type: ignore[no-untyped-def]
    nx, ny, nz, channels = grid.shape
    for i in prange(len(points)):
        x, u = locate(points[i, 0], nx)
        y, v = locate(points[i, 1], ny)
        z, w = locate(points[i, 2], nz)
        for c in range(channels):
            near_low = grid[x, y, z, c] * (1 - w) + grid[x, y, z + 1, c] * w
            near_high = grid[x, y + 1, z, c] * (1 - w) + grid[x, y + 1, z + 1, c] * w
            far_low = grid[x + 1, y, z, c] * (1 - w) + grid[x + 1, y, z + 1, c] * w
            far_high = grid[x + 1, y + 1, z, c] * (1 - w) + grid[x + 1, y + 1, z + 1, c] * w
            near = near_low * (1 - v) + near_high * v
            values[i, c] = near * (1 - u) + (far_low * (1 - v) + far_high * v) * u


@njit(cache=True, parallel=True, error_model="numpy")
def _scatter(gradient, points, parts):  # type: ignore[no-untyped-def]
    count, nx, ny, nz, channels = parts.shape
    n = len(points)
    for part in prange(count):
        parts[part] = 0
        for i in range(part * n // count, (part + 1) * n // count):
            if not gradient[i].any():
                continue  # hidden samples: most of them in a trained volume
            x, u = locate(points[i, 0], nx)
            y, v = locate(points[i, 1], ny)
            z, w = locate(points[i, 2], nz)
            for dx in range(2):
                for dy in range(2):
                    for dz in range(2):
                        weight = (u if dx else 1 - u) * (v if dy else 1 - v) * (w if dz else 1 - w)
                        for c in range(channels):
                            parts[part, x + dx, y + dy, z + dz, c] += weight * gradient[i, c]
