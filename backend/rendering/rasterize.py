"""Rasterizing triangles on the CPU: which triangle a pixel sees, and where on it.

A plain z-buffer in numba, views in parallel; a pixel's winner depends on depth and triangle number
alone, so the same bits come out on every run.
"""

from typing import NamedTuple

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from backend.rendering.cameras import Cameras

NEAR = 1e-3


class Fragments(NamedTuple):
    """What each pixel sees: ``triangles`` (views, height, width) int64, -1 where none;
    ``barycentrics`` (views, height, width, 3), perspective-correct; ``depth`` along the view axis,
    0 where none."""

    triangles: Tensor
    barycentrics: Tensor
    depth: Tensor

    @property
    def covered(self) -> Tensor:
        """Where there is a triangle, (views, height, width) bool."""
        return self.triangles >= 0


def rasterize(positions: Tensor, faces: Tensor, cameras: Cameras) -> Fragments:
    """The nearest triangle at each pixel center, of ``positions`` (n, 3) and ``faces`` (m, 3).

    Both sides are drawn; triangles that reach behind a camera are not.
    """
    pixels, depth = cameras.project(positions.float())
    corners = torch.cat([pixels, depth[..., None]], -1)[:, faces].double()
    shape = (len(cameras), cameras.height, cameras.width)
    triangles = np.full(shape, -1, np.int64)
    barycentrics, nearest = np.zeros((*shape, 3)), np.zeros(shape)
    perspective = (
        np.ones(len(cameras), bool)
        if cameras.ortho_height is None
        else (cameras.ortho_height <= 0).cpu().numpy()
    )
    _draw(corners.detach().cpu().numpy(), perspective, triangles, barycentrics, nearest)
    return Fragments(
        torch.from_numpy(triangles),
        torch.from_numpy(barycentrics).float(),
        torch.from_numpy(nearest).float(),
    )


def interpolate_corners(values: Tensor, fragments: Fragments) -> Tensor:
    """Values at face corners (m, 3, channels) blended at each pixel, (views, height, width,
    channels); zero where there is no triangle. Differentiable in ``values``."""
    corners = values[fragments.triangles.clamp_min(0)]
    blended = (fragments.barycentrics[..., None].to(corners) * corners).sum(-2)
    return blended * fragments.covered[..., None]


@njit(cache=True, parallel=True, error_model="numpy")
def _draw(corners, perspective, triangles, barycentrics, nearest):  # type: ignore[no-untyped-def]
    views, height, width = triangles.shape
    for view in prange(views):
        for face in range(corners.shape[1]):
            (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners[view, face]
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            if min(az, bz, cz) <= NEAR or area == 0:
                continue
            left = max(int(np.ceil(min(ax, bx, cx) - 0.5)), 0)
            right = min(int(np.floor(max(ax, bx, cx) - 0.5)), width - 1)
            top = max(int(np.ceil(min(ay, by, cy) - 0.5)), 0)
            bottom = min(int(np.floor(max(ay, by, cy) - 0.5)), height - 1)
            for row in range(top, bottom + 1):
                y = row + 0.5
                for column in range(left, right + 1):
                    x = column + 0.5
                    u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
                    v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
                    w = 1 - u - v
                    if u < 0 or v < 0 or w < 0:
                        continue
                    if perspective[view]:
                        u, v, w = u / az, v / bz, w / cz
                        total = u + v + w
                        u, v, w = u / total, v / total, w / total
                    depth = u * az + v * bz + w * cz
                    if triangles[view, row, column] >= 0 and depth >= nearest[view, row, column]:
                        continue
                    triangles[view, row, column] = face
                    nearest[view, row, column] = depth
                    barycentrics[view, row, column, 0] = u
                    barycentrics[view, row, column, 1] = v
                    barycentrics[view, row, column, 2] = w
