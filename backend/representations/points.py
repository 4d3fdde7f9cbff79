"""Colored points: where Gaussians begin."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor


class Points(NamedTuple):
    """``positions`` (n, 3) in the unit ball and ``colors`` (n, 3), sRGB in [0, 1]; float32."""

    positions: Tensor
    colors: Tensor


def neighbor_distances(positions: Tensor, count: int) -> Tensor:
    """Distances (n, count) from each point to its nearest others; 1 where there are too few."""
    tree = cKDTree(positions.cpu().numpy())
    distances = tree.query(tree.data, count + 1)[0][:, 1:]
    distances[~np.isfinite(distances)] = 1
    return torch.from_numpy(distances).to(positions)


def grow_points(seeds: Points, draws: int, reach: float, spread: float,
                generator: torch.Generator) -> Points:
    """Noisy point growing with color perturbation (GaussianDreamer, section 3.3): of ``draws``
    points uniform in the bounding box of the seeds, those within ``reach`` of a seed are added,
    each in the color of its nearest seed plus uniform noise in [0, ``spread``), clipped to 1.

    The seeds come first and are unchanged.
    """
    low, high = seeds.positions.amin(0), seeds.positions.amax(0)
    drawn = low + (high - low) * torch.rand(draws, 3, generator=generator)
    noise = spread * torch.rand(draws, 3, generator=generator)
    distances, nearest = cKDTree(seeds.positions.numpy()).query(
        drawn.numpy(), distance_upper_bound=reach
    )
    near = torch.from_numpy(distances < reach)
    colors = seeds.colors[torch.from_numpy(nearest)[near]] + noise[near]
    return Points(
        torch.cat([seeds.positions, drawn[near]]),
        torch.cat([seeds.colors, colors.clamp(0, 1)]),
    )
