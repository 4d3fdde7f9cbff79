"""Splitting long edges, so that a coarse mesh can carry fine detail."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocol.assets import FloatArray

Index = NDArray[np.int64]

# For each way that edges (0-1, 1-2, 2-0) may be split: triangles over the corners 0, 1, 2 and the
# middles 3, 4, 5 of these edges.
PATTERNS = {
    (0, 0, 0): ((0, 1, 2),),
    (1, 0, 0): ((0, 3, 2), (3, 1, 2)),
    (0, 1, 0): ((0, 1, 4), (0, 4, 2)),
    (0, 0, 1): ((0, 1, 5), (5, 1, 2)),
    (1, 1, 0): ((1, 4, 3), (0, 3, 4), (0, 4, 2)),
    (0, 1, 1): ((2, 5, 4), (1, 4, 5), (0, 1, 5)),
    (1, 0, 1): ((0, 3, 5), (2, 5, 3), (3, 1, 2)),
    (1, 1, 1): ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)),
}


class Subdivision(NamedTuple):
    """A finer mesh of the same surface: ``positions`` (n', 3), of which the first n are the
    original's, ``faces`` (m', 3), and where each vertex stands on the original: ``parents`` (n',),
    one of its faces, and ``shares`` (n', 3), barycentric; ``face_parents`` (m',) of the faces."""

    positions: FloatArray
    faces: Index
    parents: Index
    shares: FloatArray
    face_parents: Index


def subdivide(
    positions: FloatArray, faces: NDArray[np.integer], longest: float, most: int = 40_000
) -> Subdivision:
    """Halve all edges longer than ``longest`` until none is left, or there are ``most`` faces.

    Neighbors split a common edge alike: no gaps open. Vertices that no face uses stand on face 0.
    """
    faces = faces.astype(np.int64)
    parents, shares = np.arange(len(faces)), np.tile(np.eye(3), (len(faces), 1, 1))
    points = positions.astype(np.float64)
    while len(faces) < most:
        edges = np.sort(np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2), 1)
        unique, which = np.unique(edges, axis=0, return_inverse=True)
        long = np.linalg.norm(points[unique[:, 0]] - points[unique[:, 1]], axis=1) > longest
        if not long.any():
            break
        middles = np.where(long, len(points) + np.cumsum(long) - 1, -1)[which].reshape(-1, 3)
        points = np.concatenate([points, points[unique[long]].mean(1)])
        faces, parents, shares = _split(faces, middles, parents, shares)
    return _on_vertices(points, faces, parents, shares, positions)


def _split(
    faces: Index, middles: Index, parents: Index, shares: NDArray[np.float64]
) -> tuple[Index, Index, NDArray[np.float64]]:
    corners = np.concatenate([faces, middles], 1)
    places = np.concatenate([shares, 0.5 * (shares + np.roll(shares, -1, 1))], 1)
    pieces = []
    for split, triangles in PATTERNS.items():
        rows = np.flatnonzero(((middles >= 0) == split).all(1))
        for triangle in triangles:
            pieces.append((corners[rows][:, triangle], parents[rows], places[rows][:, triangle]))
    joined = tuple(np.concatenate(part) for part in zip(*pieces, strict=True))
    return joined[0], joined[1], joined[2]


def _on_vertices(
    points: NDArray[np.float64], faces: Index, parents: Index, shares: NDArray[np.float64],
    original: FloatArray,
) -> Subdivision:
    """From corners of faces to vertices: any corner's place will do."""
    parent, place = np.zeros(len(points), np.int64), np.tile(np.eye(3)[0], (len(points), 1))
    parent[faces.ravel()], place[faces.ravel()] = np.repeat(parents, 3), shares.reshape(-1, 3)
    fine = points.astype(np.float32)
    fine[: len(original)] = original
    return Subdivision(fine, faces, parent, place.astype(np.float32), parents)
