"""The density of Gaussians on a grid: what a mesh is made around."""

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit, prange
from numpy.typing import NDArray
from torch import Tensor

from backend.rendering.splatting.projection import rotation_matrices
from backend.rendering.trilinear import interpolate
from protocol.assets import Splats

SH0 = 0.28209479177387814
"""The spherical harmonic of degree 0: a published color is 1/2 + SH0 * its coefficient."""

NARROWEST_CELLS = 0.5
"""Gaussians are widened to this many cells, or the grid's nodes would miss them."""

REACH = 3.0
"""Standard deviations beyond which a Gaussian adds nothing."""

MOST_OPACITY = 0.99


@dataclass(frozen=True)
class SplatField:
    """Density and density times color at the nodes of a grid over [-1, 1]^3: (x, y, z, 4)."""

    grid: Tensor

    @classmethod
    def sample(cls, splats: Splats, resolution: int) -> "SplatField":
        """Sum all Gaussians.

        A Gaussian's density is such that a ray through its middle along its shortest axis loses
        the share of light that its opacity says.
        """
        cell = 2 / (resolution - 1)
        scales = np.maximum(splats.scales, NARROWEST_CELLS * cell)
        opacities = np.minimum(splats.opacities, MOST_OPACITY)
        peaks = -np.log1p(-opacities) / (np.sqrt(2 * np.pi) * scales.min(1))
        # Rows: the axes of each Gaussian, divided by its standard deviations.
        turns = rotation_matrices(torch.from_numpy(splats.quats)).transpose(1, 2).numpy()
        inverse = (turns / scales[..., None]).astype(np.float32)
        half = REACH * np.sqrt((turns**2 * scales[..., None] ** 2).sum(1))
        values = np.concatenate([np.ones_like(peaks)[:, None], splats.colors], 1) * peaks[:, None]
        grid = np.zeros((resolution,) * 3 + (4,), np.float32)
        _sum(splats.means, inverse, half.astype(np.float32), values.astype(np.float32), grid)
        return cls(torch.from_numpy(grid))

    def look_up(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Density (n,) and color (n, 3) at ``points`` (n, 3)."""
        values = interpolate(self.grid, points)
        density = values[:, 0]
        return density, values[:, 1:] / density.clamp_min(1e-9)[:, None]


@njit(cache=True, parallel=True, error_model="numpy")
def _sum(
    means: NDArray[np.float32], inverse: NDArray[np.float32], half: NDArray[np.float32],
    values: NDArray[np.float32], grid: NDArray[np.float32],
) -> None:
    """Each slab of the grid adds up all Gaussians that reach it, in order."""
    nodes = grid.shape[0]
    step = 2 / (nodes - 1)
    for i in prange(nodes):
        x = i * step - 1
        for g in range(len(means)):
            dx = x - means[g, 0]
            if abs(dx) > half[g, 0]:
                continue
            first_j = max(int(np.ceil((means[g, 1] - half[g, 1] + 1) / step)), 0)
            last_j = min(int(np.floor((means[g, 1] + half[g, 1] + 1) / step)), nodes - 1)
            first_k = max(int(np.ceil((means[g, 2] - half[g, 2] + 1) / step)), 0)
            last_k = min(int(np.floor((means[g, 2] + half[g, 2] + 1) / step)), nodes - 1)
            for j in range(first_j, last_j + 1):
                dy = j * step - 1 - means[g, 1]
                for k in range(first_k, last_k + 1):
                    dz = k * step - 1 - means[g, 2]
                    square = 0.0
                    for axis in range(3):
                        along = (
                            inverse[g, axis, 0] * dx + inverse[g, axis, 1] * dy
                            + inverse[g, axis, 2] * dz
                        )
                        square += along * along
                    if square <= REACH * REACH:
                        weight = np.exp(-0.5 * square)
                        for channel in range(4):
                            grid[i, j, k, channel] += weight * values[g, channel]
