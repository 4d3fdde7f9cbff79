"""The surface of a density: sampled on a grid, its threshold found, marched into triangles."""

from collections.abc import Callable

import mcubes
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from protocol.errors import DistilleryError

Query = Callable[[Tensor], Tensor]
Grid = NDArray[np.float32]

POINTS_AT_ONCE = 1 << 19
# Less than this share of the light stopped along every axis: there is nothing to see.
LEAST_ALPHA = 0.1


@torch.no_grad()
def sample_density(density: Query, resolution: int, device: torch.device | str = "cpu") -> Grid:
    """Density per world unit at ``resolution``^3 nodes over [-1, 1]^3, (x, y, z).

    ``density`` maps points (n, 3) to (n,). Outside the unit ball, where no renderer looks, it is 0.
    """
    axis = torch.linspace(-1, 1, resolution, device=device)
    points = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    values = torch.cat([density(chunk) for chunk in points.split(POINTS_AT_ONCE)]).float()
    values = torch.where(points.square().sum(-1) < 1, values, 0.0)
    return values.reshape((resolution,) * 3).cpu().numpy()


def automatic_threshold(density: Grid) -> float:
    """A density that lies on the visible surface, whatever the scale of the densities.

    Light is sent along the three axes in both directions; where a ray has lost half of what it
    loses in all, it is in the surface, and half of the median density there is the threshold: for
    a body of constant density half of that density, for a soft one the place that looks solid.
    Raises DistilleryError ``mesh_nothing`` where hardly any light is stopped anywhere.
    """
    found = [_density_where_dark(np.moveaxis(density, axis, -1)) for axis in range(3)]
    found += [_density_where_dark(np.moveaxis(density, axis, -1)[..., ::-1]) for axis in range(3)]
    values = np.concatenate(found)
    if len(values) == 0:
        raise DistilleryError(
            "mesh_nothing",
            "The result is empty: nothing in it is dense enough to make a surface of.",
            "Try another seed, more steps, or a prompt that names one solid object.",
        )
    return float(np.median(values)) / 2


def _density_where_dark(density: Grid) -> Grid:
    """Density where rays along the last axis have lost half of what they lose; opaque rays only."""
    step = 2 / (density.shape[-1] - 1)
    lost = 1 - np.exp(-np.cumsum(density, -1) * step)
    total = lost[..., -1]
    opaque = total > max(LEAST_ALPHA, 0.5 * total.max())
    place = (lost[opaque] >= total[opaque][:, None] / 2).argmax(-1)
    result: Grid = np.take_along_axis(density[opaque], place[:, None], -1)[:, 0]
    return result


def level_field(density: Grid, threshold: float) -> Grid:
    """A field that is zero on the surface and positive inside: log(density / threshold), cut off.

    Densities grow exponentially through a surface; their logarithm is what is linear between two
    nodes, and marching over it leaves no stairs. The border is outside, so surfaces are closed.
    """
    level = np.log(np.maximum(density, 1e-12) / threshold).clip(-2, 2)
    # A vertex exactly on a node would collapse triangles.
    level = np.where(np.abs(level) < 1e-3, 1e-3, level)
    for axis in range(3):
        np.moveaxis(level, axis, 0)[[0, -1]] = -2
    return level.astype(np.float32)


def march(level: Grid) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Triangles of the zero surface: positions (n, 3) in [-1, 1], faces (m, 3) outward."""
    positions, faces = mcubes.marching_cubes(level, 0.0)
    scale = 2 / (np.array(level.shape) - 1)
    return (positions * scale - 1).astype(np.float32), faces.astype(np.int32)
