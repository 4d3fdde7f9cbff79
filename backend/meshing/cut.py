"""Faces taken out of a mesh, and the holes that they leave closed."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.meshing.normals import vertex_normals
from protocol.assets import Attribute, FloatArray, Mesh

Faces = NDArray[np.int32]
Choice = NDArray[np.bool_]


class Cut(NamedTuple):
    """A mesh without some faces, and which of its faces (m,) bool are patches over the holes: they
    stand last."""

    mesh: Mesh
    patches: Choice


def cut(mesh: Mesh, removed: Choice) -> Cut:
    """``mesh`` without the faces ``removed`` (m,), each hole that they leave closed by a fan around
    its middle.

    Everything else keeps its bits and its order; vertices that no face uses any more go. The
    triangles of the patches take over the UVs, and so the texels, of faces that went. A hole whose
    rim is no closed line stays open.
    """
    kept = np.flatnonzero(~removed)
    rims = find_rims(mesh.positions, mesh.faces, removed)
    used = np.zeros(len(mesh.positions), bool)
    used[mesh.faces[kept]] = True
    for rim in rims:
        used[rim] = True
    index = np.cumsum(used) - 1
    middles = [mesh.positions[rim].mean(0) for rim in rims]
    fans = [
        np.stack([index[rim], index[np.roll(rim, -1)], np.full(len(rim), used.sum() + number)], 1)
        for number, rim in enumerate(rims)
    ]
    patched = np.concatenate([index[mesh.faces[kept]], *fans]).astype(np.int32)
    sources = _largest(mesh, np.flatnonzero(removed), len(patched) - len(kept))
    faces_from = np.concatenate([kept, sources])
    positions = np.concatenate([mesh.positions[used], *[m[None] for m in middles]])
    result = replace(
        mesh, positions=positions.astype(np.float32), faces=patched,
        uvs=None if mesh.uvs is None else mesh.uvs[faces_from],
        normals=_normals(mesh, positions, patched, used),
        attributes={
            name: _taken(entry, used, rims, faces_from)
            for name, entry in mesh.attributes.items()
        },
    )
    return Cut(result, np.arange(len(patched)) >= len(kept))


def find_rims(positions: FloatArray, faces: Faces, removed: Choice) -> list[NDArray[np.int64]]:
    """The closed lines between faces that stay and faces that go, as vertices in the order in which
    a patch goes around them. Vertices at one place count as one."""
    _, first, same = np.unique(positions, axis=0, return_index=True, return_inverse=True)
    welded = first[same.ravel()][faces]
    gone = {edge for face in welded[removed] for edge in _edges(face)}
    # A face that stays has the edge one way around, the patch has it the other way.
    after: dict[int, int] = {}
    for face in welded[~removed]:
        for a, b in _edges(face):
            if (b, a) in gone:
                after.setdefault(b, a)
    return _loops(after)


def _edges(face: NDArray[np.integer]) -> list[tuple[int, int]]:
    a, b, c = (int(vertex) for vertex in face)
    return [(a, b), (b, c), (c, a)]


def _loops(after: dict[int, int]) -> list[NDArray[np.int64]]:
    loops, rest = [], dict(after)
    while rest:
        begin, here = next(iter(rest.items()))
        loop = [begin]
        del rest[begin]
        while here != begin and here in rest:
            loop.append(here)
            here = rest.pop(here)
        if here == begin and len(loop) > 2:
            loops.append(np.array(loop))
    return loops


def _largest(mesh: Mesh, removed: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """``count`` of the removed faces, those with most of the texture, each once while they last."""
    if mesh.uvs is None or count == 0:
        return np.resize(removed, count)
    (u, v), (s, t) = (mesh.uvs[removed, k].T - mesh.uvs[removed, 0].T for k in (1, 2))
    area = np.abs(u * t - v * s)
    return np.resize(removed[np.argsort(-area, kind="stable")], count)


def _normals(
    mesh: Mesh, positions: FloatArray, faces: Faces, used: Choice
) -> FloatArray | None:
    """The original's, and new ones in the middles of patches."""
    if mesh.normals is None:
        return None
    fresh = vertex_normals(positions.astype(np.float32), faces)[used.sum() :]
    return np.concatenate([mesh.normals[used], fresh])


def _taken(
    entry: Attribute, used: Choice, rims: list[NDArray[np.int64]], faces_from: NDArray[np.int64]
) -> Attribute:
    """An attribute's values after the cut; a middle has the mean of its rim."""
    if entry.domain == "point":
        middles = [entry.values[rim].mean(0)[None].astype(entry.values.dtype) for rim in rims]
        return replace(entry, values=np.concatenate([entry.values[used], *middles]))
    if entry.domain == "face":
        return replace(entry, values=entry.values[faces_from])
    per_face = entry.values.reshape(-1, 3, *entry.values.shape[1:])[faces_from]
    return replace(entry, values=per_face.reshape(-1, *entry.values.shape[1:]))
