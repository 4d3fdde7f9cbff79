"""Values that stand on vertices, seen in a thin shell around them (DreamEditor, section 4.1).

A point in the shell takes the values of its nearest vertices, weighted by inverse distance, and its
signed height over them along their normals. Which vertices are near is looked up in a table of
cells, made once for a shape; how near they are is measured at every point.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numba import njit, prange
from scipy.spatial import cKDTree
from torch import Tensor

from backend.rendering.volume import BallRays

NEIGHBORS = 8
PARTS = 4
"""Gradients are summed in so many parts, whatever the number of threads, and added in order."""

SOFTEN = 1e-6
"""Keeps the weight of a vertex finite where a point stands on it."""


@dataclass(frozen=True)
class Shell:
    """All points at most ``thickness`` from one of some vertices.

    ``cells``: (side, side, side) int32 over the cube [-1, 1]^3, a row of ``near`` or -1 outside the
    shell; ``near``: (rows, 8) int32, the vertices nearest to each cell's center.
    """

    cells: Tensor
    near: Tensor
    thickness: float

    @classmethod
    def around(cls, positions: Tensor, thickness: float) -> "Shell":
        """The shell of vertices (n, 3); cells are half as wide as it is thick."""
        side = int(np.ceil(4 / thickness))
        width = 2 / side
        tree = cKDTree(positions.detach().numpy())
        axis = -1 + width * (np.arange(side) + 0.5)
        centers = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
        reach = thickness + width * np.sqrt(3) / 2
        distance, nearest = tree.query(centers, NEIGHBORS, distance_upper_bound=4 * reach)
        inside = distance[:, 0] <= reach
        # Few vertices: those that are missing are the nearest again.
        found = np.where(np.isfinite(distance), nearest, nearest[:, :1])[inside]
        cells = np.full(len(centers), -1, np.int32)
        cells[inside] = np.arange(inside.sum())
        return cls(
            torch.from_numpy(cells.reshape(side, side, side)),
            torch.from_numpy(found.astype(np.int32)), thickness,
        )


class ShellSamples(NamedTuple):
    """Places along rays: ``distances`` (rays, count + 1), ascending; ``rows`` (rays, count + 1)
    int32 of the shell's table, -1 where a place lies outside the shell."""

    distances: Tensor
    rows: Tensor

    def of(self, rays: Tensor) -> "ShellSamples":
        """Those of the chosen rays."""
        return ShellSamples(self.distances[rays], self.rows[rays])


def walk_shell(shell: Shell, rays: BallRays, step: float, count: int) -> ShellSamples:
    """The first ``count`` + 1 places of each ray in the shell, ``step`` apart within it."""
    distances = torch.zeros(len(rays.enter), count + 1)
    rows = torch.full((len(rays.enter), count + 1), -1, dtype=torch.int32)
    _walk(
        rays.origins.numpy(), rays.directions.numpy(), rays.enter.numpy(), rays.leave.numpy(),
        shell.cells.numpy(), step, distances.numpy(), rows.numpy(),
    )
    return ShellSamples(distances, rows)


def find_rows(shell: Shell, points: Tensor) -> Tensor:
    """Rows (k,) int32 of the shell's table for ``points`` (k, 3), -1 outside."""
    side = len(shell.cells)
    index = ((points + 1) * (side / 2)).long().clamp(0, side - 1)
    return shell.cells[index[:, 0], index[:, 1], index[:, 2]]


def blend_vertices(
    shell: Shell, rows: Tensor, points: Tensor, positions: Tensor, normals: Tensor, values: Tensor
) -> tuple[Tensor, Tensor]:
    """Of ``points`` (k, 3) in the shell, standing in ``rows`` (k,) of its table: blended ``values``
    (k, c) of the vertices (n, c), and heights (k,) over them, positive outside.

    Differentiable in the values and, by the heights, in ``positions`` (n, 3); the weights and the
    unit ``normals`` (n, 3) are held still.
    """
    blended, height = _Blend.apply(values, positions, normals, points, rows, shell.near)
    return blended, height


class _Blend(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, values: Tensor, positions: Tensor, normals: Tensor, points: Tensor,
        rows: Tensor, near: Tensor,
    ) -> tuple[Tensor, Tensor]:
        given = (values, positions, normals, points, rows, near)
        ctx.save_for_backward(*given)
        parts = [part.detach().contiguous().numpy() for part in given]
        blended = values.new_empty(len(points), values.shape[1])
        height = values.new_empty(len(points))
        _gather(*parts, blended.numpy(), height.numpy())
        return blended, height

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        values, positions, *rest = (part.detach().contiguous() for part in ctx.saved_tensors)
        incoming = [gradient.contiguous().numpy() for gradient in gradients]
        of_values = values.new_zeros(PARTS, *values.shape)
        of_positions = positions.new_zeros(PARTS, *positions.shape)
        _scatter(
            *incoming, positions.numpy(), *(part.numpy() for part in rest),
            of_values.numpy(), of_positions.numpy(),
        )
        return of_values.sum(0), of_positions.sum(0), None, None, None, None


@njit(cache=True, parallel=True, error_model="numpy")
def _walk(origins, directions, enter, leave, cells, step, distances, rows):  # type: ignore[no-untyped-def]
    side = len(cells)
    for ray in prange(len(enter)):
        found, along = 0, enter[ray] + 0.5 * step
        while found < distances.shape[1]:
            distances[ray, found] = along
            if along > leave[ray]:
                # The rest stays at the end of the ray, outside the shell.
                distances[ray, found:] = leave[ray]
                break
            place = origins[ray] + along * directions[ray]
            i = min(max(int((place[0] + 1) * (side / 2)), 0), side - 1)
            j = min(max(int((place[1] + 1) * (side / 2)), 0), side - 1)
            k = min(max(int((place[2] + 1) * (side / 2)), 0), side - 1)
            row = cells[i, j, k]
            if row >= 0:
                rows[ray, found] = row
                found += 1
            along += step


@njit(cache=True, inline="always")
def _weigh(point, positions, vertices, weights):  # type: ignore[no-untyped-def]
    """Inverse distances, summing to one."""
    total = 0.0
    for n in range(len(vertices)):
        square = 0.0
        for axis in range(3):
            square += (point[axis] - positions[vertices[n], axis]) ** 2
        weights[n] = 1 / (np.sqrt(square) + SOFTEN)
        total += weights[n]
    for n in range(len(vertices)):
        weights[n] /= total


@njit(cache=True, parallel=True, error_model="numpy")
def _gather(values, positions, normals, points, rows, near, blended, height):  # type: ignore[no-untyped-def]
    for part in prange(PARTS):
        weights = np.empty(near.shape[1])
        for i in range(part * len(points) // PARTS, (part + 1) * len(points) // PARTS):
            vertices = near[rows[i]]
            _weigh(points[i], positions, vertices, weights)
            blended[i] = 0
            over = 0.0
            for n in range(len(vertices)):
                vertex = vertices[n]
                for c in range(values.shape[1]):
                    blended[i, c] += weights[n] * values[vertex, c]
                for axis in range(3):
                    offset = points[i, axis] - positions[vertex, axis]
                    over += weights[n] * offset * normals[vertex, axis]
            height[i] = over


@njit(cache=True, parallel=True, error_model="numpy")
def _scatter(  # type: ignore[no-untyped-def]
    of_blended, of_height, positions, normals, points, rows, near, of_values, of_positions
):
    for part in prange(PARTS):
        weights = np.empty(near.shape[1])
        for i in range(part * len(points) // PARTS, (part + 1) * len(points) // PARTS):
            if of_height[i] == 0 and not of_blended[i].any():
                continue
            vertices = near[rows[i]]
            _weigh(points[i], positions, vertices, weights)
            for n in range(len(vertices)):
                vertex = vertices[n]
                for c in range(of_blended.shape[1]):
                    of_values[part, vertex, c] += weights[n] * of_blended[i, c]
                for axis in range(3):
                    change = weights[n] * of_height[i] * normals[vertex, axis]
                    of_positions[part, vertex, axis] -= change
