"""Removing what nobody wants in a surface: floaters, hidden cavities, degenerate triangles."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Grid = NDArray[np.float32]
Positions = NDArray[np.float32]
Faces = NDArray[np.int32]
Corners = NDArray[np.int64]


def clean_level(level: Grid, smallest: float = 0.02) -> Grid:
    """A level field (positive inside) without floaters and cavities.

    A component with less than ``smallest`` of the largest one's volume goes; a hollow that cannot
    be seen from outside is filled.
    """
    labels, count = ndimage.label(level > 0)
    if count == 0:
        return level
    sizes = np.bincount(labels.ravel())[1:]
    floater = np.concatenate([[False], sizes < smallest * sizes.max()])[labels]
    level = np.where(floater, -np.abs(level), level)
    hollow = ndimage.binary_fill_holes(level > 0) & (level <= 0)
    return np.where(hollow, np.abs(level), level)


def make_manifold(positions: Positions, faces: Faces) -> tuple[Positions, Faces]:
    """The same closed surface with every edge between exactly two faces.

    Triangles that name a vertex twice go, as do pairs of triangles that lie back to back. Where
    more than two faces meet at an edge (sheets that touch), vertices are doubled to part them, or
    the edge is split where that is not enough. Wants a surface that is closed in the sense that
    every directed edge runs as often each way, which edge collapses preserve.
    """
    positions, faces = _part_sheets(positions, _drop_flat(faces))
    while len(crowded := _crowded_pairs(faces)):
        positions, faces = _split_edges(positions, faces, crowded)
    return positions, faces


def _part_sheets(positions: Positions, faces: Faces) -> tuple[Positions, Faces]:
    """Give faces that only touch at a vertex, or at an edge of others, vertices of their own."""
    here, there = _paired_edges(faces)
    after_here, after_there = _next_corner(here), _next_corner(there)
    rows = np.concatenate([here, after_here])
    columns = np.concatenate([after_there, there])
    joined = coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), shape=(faces.size,) * 2)
    _, vertex = connected_components(joined, directed=False)
    _, first = np.unique(vertex, return_index=True)
    return positions[faces.ravel()[first]], vertex.reshape(faces.shape).astype(np.int32)


def _paired_edges(faces: Faces) -> tuple[Corners, Corners]:
    """Directed edges, named by the corner (0 … 3m) they start from, and an opposite one of each."""
    starts = faces.ravel().astype(np.int64)
    ends = np.roll(faces, -1, 1).ravel().astype(np.int64)
    key = _edge_keys(faces)
    # Sorted by their ends, the edges up and the edges down stand in the same order: partners.
    up, down = np.flatnonzero(starts < ends), np.flatnonzero(starts > ends)
    return up[np.argsort(key[up], kind="stable")], down[np.argsort(key[down], kind="stable")]


def _edge_keys(faces: Faces) -> Corners:
    starts = faces.ravel().astype(np.int64)
    ends = np.roll(faces, -1, 1).ravel().astype(np.int64)
    return np.minimum(starts, ends) << 32 | np.maximum(starts, ends)


def _next_corner(corner: Corners) -> Corners:
    return corner - corner % 3 + (corner + 1) % 3


def _crowded_pairs(faces: Faces) -> Corners:
    """Pairs (k, 2) of opposite edges that share their ends with other pairs, no face in two."""
    here, there = _paired_edges(faces)
    key = _edge_keys(faces)[here]
    pairs = np.stack([here, there], 1)[1:][key[1:] == key[:-1]]
    taken: set[int] = set()
    chosen = []
    for pair in pairs.tolist():
        touched = {pair[0] // 3, pair[1] // 3}
        if not touched & taken:
            taken |= touched
            chosen.append(pair)
    return np.array(chosen, np.int64).reshape(-1, 2)


def _split_edges(positions: Positions, faces: Faces, pairs: Corners) -> tuple[Positions, Faces]:
    """Put a new vertex in the middle of each pair of opposite edges."""
    corner = pairs.ravel()
    middle = np.repeat(np.arange(len(pairs)) + len(positions), 2)
    start, end = faces.ravel()[corner], faces.ravel()[_next_corner(corner)]
    apex = faces.ravel()[_next_corner(_next_corner(corner))]
    added = (positions[start[::2]] + positions[end[::2]]) / 2
    faces = faces.copy()
    faces[corner // 3] = np.stack([start, middle, apex], 1)
    halves = np.stack([middle, end, apex], 1).astype(np.int32)
    return np.concatenate([positions, added]), np.concatenate([faces, halves])


def orient_outward(positions: Positions, faces: Faces) -> Faces:
    """Faces turned so that the enclosed volume is positive."""
    a, b, c = (positions[faces[:, corner]].astype(np.float64) for corner in range(3))
    volume = np.einsum("ij,ij->", a, np.cross(b, c))
    return faces if volume >= 0 else np.ascontiguousarray(faces[:, ::-1])


def _drop_flat(faces: Faces) -> Faces:
    """Faces without those that name a vertex twice and without pairs that lie back to back."""
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (c != a)]
    _, group = np.unique(np.sort(faces, 1), axis=0, return_inverse=True)
    # +1 for one winding, -1 for the other: sums to 0 in a pair that cancels.
    turn = np.argsort(faces, 1)
    parity = (turn[:, 1] - turn[:, 0]) % 3
    sign = np.where(parity == 1, 1, -1)
    balance = np.bincount(group.ravel(), weights=sign)
    return faces[balance[group.ravel()] != 0]
