"""Smooth outlines of rasterized meshes, and through them gradients to where the outlines lie.

As in nvdiffrast (Laine et al., Modular Primitives for High-Performance Differentiable Rendering,
2020, section 3.5): where an outline passes between the centers of two neighboring pixels, the one
that it cuts is blended with the other by the distance that it reaches in. Unlike there, the outline
is found by walking over the mesh from one pixel center toward the other, so that it is also found
where triangles are smaller than pixels.
"""

from typing import Any

import numpy as np
import torch
from numba import njit, prange
from numpy.typing import NDArray
from torch import Tensor

from backend.rendering.rasterize import NEAR, Fragments

LONGEST_WALK = 256
"""Triangles between two pixel centers."""


def antialias(images: Tensor, fragments: Fragments, neighbors: Tensor) -> Tensor:
    """``images`` (views, height, width, channels) with blended outlines.

    ``neighbors``: (m, 3) as :func:`face_neighbors` gives them. Differentiable in the images and,
    where the outlines lie, in the positions that were rasterized. Images should be zero where
    there is no triangle and be composited over a background afterward; where outlines crowd within
    a pixel a value may leave the range of its neighbors.
    """
    edges = _find_edges(fragments, neighbors)
    smooth: Tensor = _Antialias.apply(images.contiguous(), fragments.screen, edges)
    return smooth


def face_neighbors(faces: NDArray[np.integer]) -> Tensor:
    """The face on the other side of each face's edge from corner k to k + 1, (m, 3) int64.

    -1 at a border, and where an edge has more than two faces.
    """
    ends = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2).astype(np.int64)
    key = ends.min(1) << 32 | ends.max(1)
    order = np.argsort(key, kind="stable")
    _, first, count = np.unique(key[order], return_index=True, return_counts=True)
    here, there = order[first[count == 2]], order[first[count == 2] + 1]
    neighbors = np.full(faces.size, -1, np.int64)
    neighbors[here], neighbors[there] = there // 3, here // 3
    return torch.from_numpy(neighbors.reshape(-1, 3))


def _find_edges(fragments: Fragments, neighbors: Tensor) -> Tensor:
    """The two vertices of the outline between each pixel and the next one to the right and below,
    (views, height, width, 2, 2), -1 where there is none."""
    edges = torch.full((*fragments.triangles.shape, 2, 2), -1, dtype=torch.int64)
    parts = (fragments.screen, fragments.faces, neighbors, fragments.triangles, fragments.depth)
    _search(*(part.detach().numpy() for part in parts), edges.numpy())
    return edges


class _Antialias(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, screen: Tensor, edges: Tensor) -> Tensor:
        ctx.save_for_backward(images, screen, edges)
        smooth = images.clone()
        arrays = (part.detach().numpy() for part in (images, screen, edges))
        _mix(*arrays, smooth.detach().numpy())
        return smooth

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        images, screen, edges = (entry.detach() for entry in ctx.saved_tensors)
        gradient = gradients[0].contiguous()
        of_images, of_screen = gradient.clone(), torch.zeros_like(screen)
        parts = (images, screen, edges, gradient, of_images, of_screen)
        _mix_backward(*(part.numpy() for part in parts))
        return of_images, of_screen, None


@njit(cache=True, parallel=True, error_model="numpy")
def _search(screen, faces, neighbors, triangles, depth, edges):  # type: ignore[no-untyped-def]
    views, height, width = triangles.shape
    for line in prange(views * height):
        view, row = line // height, line % height
        for column in range(width):
            for axis in range(2):
                to_row, to_column = row + axis, column + 1 - axis
                if to_row >= height or to_column >= width:
                    continue
                face = triangles[view, row, column]
                other = triangles[view, to_row, to_column]
                if face == other:
                    continue
                near, far = depth[view, row, column], depth[view, to_row, to_column]
                if other < 0 or (face >= 0 and near <= far):
                    found = _walk(screen[view], faces, neighbors, face, column, row, axis, 1)
                else:
                    found = _walk(
                        screen[view], faces, neighbors, other, to_column, to_row, axis, -1
                    )
                edges[view, row, column, axis, 0] = found[0]
                edges[view, row, column, axis, 1] = found[1]


@njit(cache=True, error_model="numpy")
def _walk(screen, faces, neighbors, face, column, row, axis, sign):  # type: ignore[no-untyped-def]
    """The outline that a walk over the mesh meets on the way from one pixel's center to the next:
    its two vertices, or (-1, -1). Edges that run along the way are left to the other axis."""
    none = (np.int64(-1), np.int64(-1))
    start = (row if axis else column) + 0.5
    level = (column if axis else row) + 0.5
    before = np.int64(-1)
    for _ in range(LONGEST_WALK):
        corner, way = -1, -1.0
        for k in range(3):
            a, b = screen[faces[face, k]], screen[faces[face, (k + 1) % 3]]
            entered = neighbors[face, k] == before and before >= 0
            if entered or (a[1 - axis] > level) == (b[1 - axis] > level):
                continue
            reached = sign * (_crossing(a, b, axis, level) - start)
            if corner < 0 or reached > way:
                corner, way = k, reached
        if corner < 0 or way >= 1:
            return none
        i, j = faces[face, corner], faces[face, (corner + 1) % 3]
        beyond = neighbors[face, corner]
        if beyond < 0 or _folds(screen, faces, i, j, face, beyond):
            steep = abs(screen[i, 1 - axis] - screen[j, 1 - axis])
            flat = abs(screen[i, axis] - screen[j, axis])
            # Exactly one axis takes an edge of 45 degrees.
            along = flat > steep or (flat == steep and axis == 1)
            return none if along or way < 0 else (np.int64(i), np.int64(j))
        before, face = face, beyond
    return none


@njit(cache=True, error_model="numpy")
def _crossing(a, b, axis, level):  # type: ignore[no-untyped-def]
    """Where the line through a and b reaches ``level`` on the other axis."""
    share = (level - a[1 - axis]) / (b[1 - axis] - a[1 - axis])
    return a[axis] + share * (b[axis] - a[axis])


@njit(cache=True, error_model="numpy")
def _folds(screen, faces, i, j, face, beyond):  # type: ignore[no-untyped-def]
    """Whether two faces lie on the same side of their common edge, as they do at an outline, or
    the second is not drawn since it reaches behind the camera."""
    sides = np.zeros(2)
    for number, candidate in enumerate((face, beyond)):
        for corner in faces[candidate]:
            if screen[corner, 2] <= NEAR:
                return True
            if corner not in (i, j):
                across = screen[j, :2] - screen[i, :2]
                toward = screen[corner, :2] - screen[i, :2]
                sides[number] = across[0] * toward[1] - across[1] * toward[0]
    return sides[0] * sides[1] > 0


@njit(cache=True, parallel=True, error_model="numpy")
def _mix(images, screen, edges, smooth):  # type: ignore[no-untyped-def]
    views, height, width = edges.shape[:3]
    for view in prange(views):
        for row in range(height):
            for column in range(width):
                for axis in range(2):
                    i, j = edges[view, row, column, axis]
                    if i < 0:
                        continue
                    here, there = (row, column), (row + axis, column + 1 - axis)
                    place = _place(screen[view], i, j, row, column, axis)
                    cut = here if place < 0.5 else there
                    amount = 0.5 - place
                    for c in range(images.shape[3]):
                        step = images[view, there[0], there[1], c] - images[view, row, column, c]
                        smooth[view, cut[0], cut[1], c] += amount * step


@njit(cache=True, error_model="numpy")
def _place(screen, i, j, row, column, axis):  # type: ignore[no-untyped-def]
    """Where the edge passes between the two centers, in [0, 1]."""
    level, start = (column, row) if axis else (row, column)
    return _crossing(screen[i], screen[j], axis, level + 0.5) - (start + 0.5)


@njit(cache=True, parallel=True, error_model="numpy")
def _mix_backward(  # type: ignore[no-untyped-def]
    images, screen, edges, gradient, of_images, of_screen
):
    views, height, width = edges.shape[:3]
    for view in prange(views):
        for row in range(height):
            for column in range(width):
                for axis in range(2):
                    i, j = edges[view, row, column, axis]
                    if i < 0:
                        continue
                    to_row, to_column = row + axis, column + 1 - axis
                    place = _place(screen[view], i, j, row, column, axis)
                    amount = 0.5 - place
                    of_place = 0.0
                    for c in range(images.shape[3]):
                        if place < 0.5:
                            incoming = gradient[view, row, column, c]
                        else:
                            incoming = gradient[view, to_row, to_column, c]
                        here = images[view, row, column, c]
                        there = images[view, to_row, to_column, c]
                        of_images[view, row, column, c] -= amount * incoming
                        of_images[view, to_row, to_column, c] += amount * incoming
                        of_place += (here - there) * incoming
                    level = (column if axis else row) + 0.5
                    _move_edge(screen[view], i, j, axis, level, of_place, of_screen[view])


@njit(cache=True, error_model="numpy")
def _move_edge(screen, i, j, axis, level, of_place, of_screen):  # type: ignore[no-untyped-def]
    """The gradient of :func:`_crossing` to the edge's ends."""
    rise = screen[j, 1 - axis] - screen[i, 1 - axis]
    share = (level - screen[i, 1 - axis]) / rise
    slope = (screen[j, axis] - screen[i, axis]) / rise
    of_screen[i, axis] += of_place * (1 - share)
    of_screen[j, axis] += of_place * share
    of_screen[i, 1 - axis] -= of_place * slope * (1 - share)
    of_screen[j, 1 - axis] -= of_place * slope * share
