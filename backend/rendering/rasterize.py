"""Rasterizing triangles on the CPU: which triangle a pixel sees, and where on it.

A plain z-buffer in numba, views in parallel; a pixel's winner depends on depth and triangle number
alone, and gradients are summed view by view, pixel by pixel: the same bits come out on every run.
Which triangle wins has no gradient; where on it a pixel lies has (barycentrics and depth, to the
vertices), and where its outline lies has through :func:`backend.rendering.antialias.antialias`.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

from backend.rendering.cameras import Cameras

NEAR = 1e-3


class Fragments(NamedTuple):
    """What each pixel sees: ``triangles`` (views, height, width) int64, -1 where none;
    ``barycentrics`` (views, height, width, 3), perspective-correct; ``depth`` along the view axis,
    0 where none. ``screen``: (views, n, 3), where each vertex falls, as (x, y) in pixels and depth;
    ``faces``: (m, 3). Differentiable in the positions, but for ``triangles``."""

    triangles: Tensor
    barycentrics: Tensor
    depth: Tensor
    screen: Tensor
    faces: Tensor

    @property
    def covered(self) -> Tensor:
        """Where there is a triangle, (views, height, width) bool."""
        return self.triangles >= 0


def rasterize(positions: Tensor, faces: Tensor, cameras: Cameras) -> Fragments:
    """The nearest triangle at each pixel center, of ``positions`` (n, 3) and ``faces`` (m, 3).

    Both sides are drawn; triangles that reach behind a camera are not. All tensors on the CPU;
    the precision is that of the cameras.
    """
    pixels, depth = cameras.project(positions.to(cameras.c2w.dtype))
    screen = torch.cat([pixels, depth[..., None]], -1)
    perspective = (
        torch.ones(len(cameras), dtype=torch.bool)
        if cameras.ortho_height is None
        else cameras.ortho_height <= 0
    )
    size = (cameras.height, cameras.width)
    triangles, barycentrics, seen_depth = _Rasterize.apply(screen, faces, perspective, size)
    return Fragments(triangles, barycentrics, seen_depth, screen, faces)


def interpolate(values: Tensor, index: Tensor, fragments: Fragments) -> Tensor:
    """``values`` (k, channels) blended at each pixel, (views, height, width, channels); zero where
    there is no triangle. ``index``: (m, 3), which of them stand at the corners of each face (the
    faces themselves for values at vertices). Differentiable in values and positions."""
    blended: Tensor = _Interpolate.apply(
        values.contiguous(), index, fragments.triangles, fragments.barycentrics.to(values.dtype)
    )
    return blended


def interpolate_corners(values: Tensor, fragments: Fragments) -> Tensor:
    """As :func:`interpolate`, for values at face corners (m, 3, channels)."""
    index = torch.arange(values.shape[0] * 3).reshape(-1, 3)
    return interpolate(values.reshape(-1, values.shape[-1]), index, fragments)


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, screen: Tensor, faces: Tensor, perspective: Tensor, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        shape, exact = (len(screen), *size), screen.detach().double()
        triangles = torch.full(shape, -1, dtype=torch.int64)
        barycentrics, depth = exact.new_zeros(*shape, 3), exact.new_zeros(shape)
        seen = (triangles, barycentrics, depth)
        _draw(exact.numpy(), faces.numpy(), perspective.numpy(), *(part.numpy() for part in seen))
        ctx.save_for_backward(exact, faces, perspective, triangles, barycentrics)
        ctx.mark_non_differentiable(triangles)
        return triangles, barycentrics.to(screen.dtype), depth.to(screen.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        incoming = [entry.double().contiguous().numpy() for entry in gradients[1:]]
        saved = [entry.numpy() for entry in ctx.saved_tensors]
        gradient = np.zeros_like(saved[0])
        _draw_backward(*saved, *incoming, gradient)
        return torch.from_numpy(gradient).to(gradients[1].dtype), None, None, None


class _Interpolate(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, values: Tensor, index: Tensor, triangles: Tensor, barycentrics: Tensor
    ) -> Tensor:
        ctx.save_for_backward(values, index, triangles, barycentrics)
        blended = values.new_zeros(*triangles.shape, values.shape[-1])
        _blend(
            values.detach().numpy(), index.numpy(), triangles.numpy(),
            barycentrics.detach().numpy(), blended.numpy(),
        )
        return blended

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None, None, Tensor | None]:
        values, index, triangles, barycentrics = (
            entry.detach() for entry in ctx.saved_tensors
        )
        gradient = gradients[0].contiguous().numpy()
        of_values = of_barycentrics = None
        if ctx.needs_input_grad[0]:
            parts = values.new_zeros(len(triangles), *values.shape)
            _spread(
                gradient, index.numpy(), triangles.numpy(), barycentrics.numpy(), parts.numpy()
            )
            of_values = parts.sum(0)
        if ctx.needs_input_grad[3]:
            of_barycentrics = torch.zeros_like(barycentrics)
            _blend_backward(
                gradient, values.numpy(), index.numpy(), triangles.numpy(), of_barycentrics.numpy()
            )
        return of_values, None, None, of_barycentrics


@njit(cache=True, parallel=True, error_model="numpy")
def _draw(screen, faces, perspective, triangles, barycentrics, nearest):  # type: ignore[no-untyped-def]
    views, height, width = triangles.shape
    for view in prange(views):
        for face in range(len(faces)):
            i, j, k = faces[face]
            (ax, ay, az), (bx, by, bz) = screen[view, i], screen[view, j]
            cx, cy, cz = screen[view, k]
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


@njit(cache=True, parallel=True, error_model="numpy")
def _draw_backward(  # type: ignore[no-untyped-def]
    screen, faces, perspective, triangles, barycentrics, of_barycentrics, of_depth, gradient
):
    views, height, width = triangles.shape
    for view in prange(views):
        weights, of_corners = np.empty(3), np.empty((3, 2))
        for row in range(height):
            for column in range(width):
                face = triangles[view, row, column]
                if face < 0:
                    continue
                corners = faces[face]
                shares = barycentrics[view, row, column]
                incoming = of_depth[view, row, column]
                for k in range(3):
                    z = screen[view, corners[k], 2]
                    weights[k] = of_barycentrics[view, row, column, k] + incoming * z
                    gradient[view, corners[k], 2] += incoming * shares[k]
                if perspective[view]:
                    _unproject(screen[view], corners, shares, weights, gradient[view])
                _move_corners(screen[view], corners, column + 0.5, row + 0.5, weights, of_corners)
                for k in range(3):
                    gradient[view, corners[k], 0] += of_corners[k, 0]
                    gradient[view, corners[k], 1] += of_corners[k, 1]


@njit(cache=True, error_model="numpy")
def _unproject(screen, corners, shares, weights, gradient):  # type: ignore[no-untyped-def]
    """Gradients of perspective-correct barycentrics, b = (p / z) / sum(p / z), to those on the
    screen, p (in place in ``weights``), and to the depths z."""
    mean, total = 0.0, 0.0
    for k in range(3):
        mean += weights[k] * shares[k]
        total += shares[k] * screen[corners[k], 2]  # the depth: 1 / sum(p / z)
    for k in range(3):
        z = screen[corners[k], 2]
        of_ratio = (weights[k] - mean) * total
        gradient[corners[k], 2] -= of_ratio * shares[k] / (total * z)
        weights[k] = of_ratio / z


@njit(cache=True, error_model="numpy")
def _move_corners(screen, corners, x, y, weights, of_corners):  # type: ignore[no-untyped-def]
    """Gradients of barycentrics on the screen, p = areas / sum(areas), to the corners' (x, y)."""
    a, b, c = screen[corners[0]], screen[corners[1]], screen[corners[2]]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    u = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
    v = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
    mean = weights[0] * u + weights[1] * v + weights[2] * (1 - u - v)
    of_corners[:] = 0
    for k in range(3):
        # Area k is spanned by the two corners that follow k, seen from the pixel.
        i, j = (k + 1) % 3, (k + 2) % 3
        of_area = (weights[k] - mean) / area
        of_corners[i, 0] += of_area * (screen[corners[j], 1] - y)
        of_corners[i, 1] -= of_area * (screen[corners[j], 0] - x)
        of_corners[j, 0] -= of_area * (screen[corners[i], 1] - y)
        of_corners[j, 1] += of_area * (screen[corners[i], 0] - x)


@njit(cache=True, parallel=True, error_model="numpy")
def _blend(values, index, triangles, barycentrics, blended):  # type: ignore[no-untyped-def]
    views, height, width = triangles.shape
    for line in prange(views * height):
        view, row = line // height, line % height
        for column in range(width):
            face = triangles[view, row, column]
            if face < 0:
                continue
            u, v, w = barycentrics[view, row, column]
            i, j, k = index[face]
            for c in range(values.shape[1]):
                value = u * values[i, c] + v * values[j, c] + w * values[k, c]
                blended[view, row, column, c] = value


@njit(cache=True, parallel=True, error_model="numpy")
def _blend_backward(gradient, values, index, triangles, of_barycentrics):  # type: ignore[no-untyped-def]
    views, height, width = triangles.shape
    for line in prange(views * height):
        view, row = line // height, line % height
        for column in range(width):
            face = triangles[view, row, column]
            if face < 0:
                continue
            for k in range(3):
                total = 0.0
                for c in range(values.shape[1]):
                    total += gradient[view, row, column, c] * values[index[face, k], c]
                of_barycentrics[view, row, column, k] = total


@njit(cache=True, parallel=True, error_model="numpy")
def _spread(gradient, index, triangles, barycentrics, parts):  # type: ignore[no-untyped-def]
    views, height, width = triangles.shape
    for view in prange(views):
        for row in range(height):
            for column in range(width):
                face = triangles[view, row, column]
                if face < 0:
                    continue
                for k in range(3):
                    share = barycentrics[view, row, column, k]
                    corner = index[face, k]
                    for c in range(parts.shape[2]):
                        parts[view, corner, c] += share * gradient[view, row, column, c]
