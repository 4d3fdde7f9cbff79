"""A dense grid over [-1, 1]^3 as the sum of a fine one and coarser ones.

The coarse levels spread every gradient over a neighborhood, so that large shapes move at once.
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn

LEVELS = 3


def make_pyramid(channels: int, resolution: int) -> nn.ParameterList:
    """Zeros (channels, n, n, n) for n a quarter, half and all of ``resolution``."""
    sizes = [max(resolution >> shift, 4) for shift in reversed(range(LEVELS))]
    return nn.ParameterList(torch.zeros(channels, size, size, size) for size in sizes)


def sum_pyramid(levels: Sequence[Tensor]) -> Tensor:
    """All levels at the nodes of the last and finest, (channels, x, y, z)."""
    finest = levels[-1]
    total: Tensor = finest + sum(resample(level, finest.shape[-1]) for level in levels[:-1])
    return total


def resample(level: Tensor, resolution: int) -> Tensor:
    """A grid (channels, x, y, z) at ``resolution`` nodes along each axis, trilinearly: a product
    with one small matrix an axis, many times as fast on CPU as torch's own."""
    if level.shape[-1] == resolution:
        return level
    weights = _hats(level.shape[-1], resolution).to(level)
    along_z = level @ weights.T
    along_y = weights @ along_z
    return (weights @ along_y.flatten(2)).unflatten(2, (resolution, resolution))


@cache
def _hats(nodes: int, places: int) -> Tensor:
    """What each of ``nodes`` gives to each of ``places`` on the same span, (places, nodes)."""
    position = torch.linspace(0, nodes - 1, places, dtype=torch.float64)
    return (1 - (position[:, None] - torch.arange(nodes)).abs()).clamp_min(0).float()


def node_points(grid: Tensor) -> Tensor:
    """Where the nodes of a grid (channels, n, n, n) lie, (n, n, n, 3)."""
    axis = torch.linspace(-1, 1, grid.shape[-1], device=grid.device, dtype=grid.dtype)
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1)
