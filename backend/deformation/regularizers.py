"""Losses that look at how points move, not at pictures.

``still`` (n, 3) are the points at rest, ``moved`` (frames, n, 3) where they have gone.
"""

import math

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

_LEAST_VARIANCE = 1e-6
"""Of the points of a flat thing along its normal."""


class PointLosses:
    """All three of points at rest, by name; the last two between near ones."""

    def __init__(self, still: Tensor, neighbors: int) -> None:
        self.still, self.edges = still, neighbor_edges(still, neighbors)

    def __call__(self, moved: Tensor) -> dict[str, Tensor]:
        """Unweighted, of where the points have gone."""
        return {
            "divergence": divergence(self.still, moved),
            "rigidity": rigidity(self.still, moved, self.edges),
            "stretch": stretch(self.still, moved, self.edges),
        }


def divergence(still: Tensor, moved: Tensor) -> Tensor:
    """The Jensen-Shannon divergence of the clouds of points from the cloud at rest, each taken for
    a Gaussian along each axis, with the geometric mean in the middle: axes summed, mean over
    frames (Align Your Gaussians, section 3.3). It keeps an object from drifting off, growing and
    falling apart, and lets its parts move."""
    before, after = _variances(still), _variances(moved)
    both, shift = before + after, moved.mean(-2) - still.mean(-2)
    wider = both.log() / 2 - before.log() / 4 - after.log() / 4 - math.log(2) / 2
    return (wider + shift**2 / both / 4).sum(-1).mean()


def _variances(points: Tensor) -> Tensor:
    return points.var(-2, correction=0).clamp_min(_LEAST_VARIANCE)


def neighbor_edges(points: Tensor, count: int) -> Tensor:
    """Each point with its ``count`` nearest others, (edges, 2), each edge once."""
    places = points.detach().cpu().numpy()
    near = cKDTree(places).query(places, min(count + 1, len(places)))[1][:, 1:]
    pairs = np.stack([np.repeat(np.arange(len(places)), near.shape[1]), near.reshape(-1)], 1)
    return torch.from_numpy(np.unique(np.sort(pairs, 1), axis=0)).to(points.device)


def rigidity(still: Tensor, moved: Tensor, edges: Tensor) -> Tensor:
    """Mean |offset_i - offset_j|**2 over edges and frames, in squares of the edges' length:
    neighbors move alike (Align Your Gaussians, section 3.3)."""
    return (_ends(moved - still, edges) ** 2).sum(-1).mean() / _square_length(still, edges)


def stretch(still: Tensor, moved: Tensor, edges: Tensor) -> Tensor:
    """Mean (|edge| - its length at rest)**2 over edges and frames, in the same unit: as
    :func:`rigidity`, but parts may turn."""
    lengths = _ends(still[None], edges).norm(dim=-1)
    now = (_ends(moved, edges).square().sum(-1) + 1e-12).sqrt()
    return ((now - lengths) ** 2).mean() / _square_length(still, edges)


def _ends(values: Tensor, edges: Tensor) -> Tensor:
    """Differences (frames, edges, 3) along edges."""
    # index_select, whose gradient is summed in order, unlike that of indexing by a tensor.
    return values.index_select(-2, edges[:, 0]) - values.index_select(-2, edges[:, 1])


def _square_length(still: Tensor, edges: Tensor) -> Tensor:
    return _ends(still[None], edges).square().sum(-1).mean().clamp_min(1e-12)
