"""Tidying a choice of faces: small parts away, holes filled, its border found."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from backend.rendering.antialias import face_neighbors

Choice = NDArray[np.bool_]
Faces = NDArray[np.integer]


def drop_small_parts(faces: Faces, chosen: Choice, share: float = 0.1) -> Choice:
    """``chosen`` (m,) without connected parts of less than ``share`` of its faces (DreamEditor,
    section 4.2)."""
    if not chosen.any():
        return chosen
    links = _links(faces)[chosen][:, chosen]
    _, part = connected_components(links, directed=False)
    large = np.bincount(part) >= share * chosen.sum()
    kept = chosen.copy()
    kept[chosen] = large[part]
    return kept


def fill_holes(faces: Faces, chosen: Choice, rings: int = 10) -> Choice:
    """``chosen`` and the gaps in it that are closed when it grows by ``rings`` faces and shrinks
    again."""
    links = _links(faces)
    grown = chosen
    for _ in range(rings):
        grown = grown | (links @ grown > 0)
    for _ in range(rings):
        grown = grown & ~(links @ ~grown > 0)
    return grown | chosen


def border_vertices(faces: Faces, inside: Choice) -> Choice:
    """Vertices ``inside`` (n,) that share a face with one outside."""
    mixed = inside[faces].any(1) & ~inside[faces].all(1)
    border = np.zeros_like(inside)
    border[faces[mixed]] = True
    return border & inside


def _links(faces: Faces) -> csr_matrix:
    """Which faces share an edge, (m, m)."""
    neighbors = face_neighbors(faces).numpy()
    here, edge = np.nonzero(neighbors >= 0)
    there = neighbors[here, edge]
    count = len(faces)
    return coo_matrix((np.ones(len(here), np.int64), (here, there)), (count, count)).tocsr()
