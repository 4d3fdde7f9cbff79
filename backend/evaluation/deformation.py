"""Measures of a deformed mesh, and libigl's as-rigid-as-possible deformation beside which they are
read (Sorkine and Alexa 2007)."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backend.deformation.handles import Drag
from backend.evaluation.judge import JudgeNetwork, classify
from backend.evaluation.looking import look_at
from protocol.assets import FloatArray, Handles, Mesh

Cosines = NDArray[np.float64]

FOLDED_COSINE = -0.5
"""Between the normals of two faces at an edge: below it they lie nearly back to back."""
ARAP_ITERATIONS = 100


def handle_error(mesh: Mesh, handles: Handles, positions: FloatArray) -> float:
    """The farthest that a handle is from its target, longest side of the mesh = 1."""
    away = np.linalg.norm(positions[handles.vertices] - handles.targets, axis=1).max()
    return float(away / np.ptp(mesh.positions, axis=0).max())


def fold_overs(mesh: Mesh, positions: FloatArray) -> float:
    """The share of edges between two faces that ``positions`` (n, 3) fold over: whose faces turn
    more than 120 degrees from each other, and did not before."""
    edges = inner_edges(mesh.faces)
    before, after = (
        _cosines(edges, place, mesh.faces) < FOLDED_COSINE
        for place in (mesh.positions, positions)
    )
    return float((after & ~before).mean()) if len(edges) else 0.0


def inner_edges(faces: NDArray[np.int32]) -> NDArray[np.int64]:
    """Pairs of faces (k, 2) that share an edge."""
    ends = np.sort(np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2), 1)
    order = np.lexsort(ends.T)
    same = (ends[order][1:] == ends[order][:-1]).all(1)
    pairs: NDArray[np.int64] = np.stack([order[:-1], order[1:]], 1)[same] // 3
    return pairs


def _cosines(edges: NDArray[np.int64], positions: FloatArray, faces: NDArray[np.int32]) -> Cosines:
    corners = positions[faces].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    cosines: Cosines = (normals[edges[:, 0]] * normals[edges[:, 1]]).sum(1)
    return cosines


def confidence(mesh: Mesh, kind: str, judge: JudgeNetwork) -> float:
    """How sure the judge is of the kind: the mean probability over eight views."""
    verdict = classify(look_at(mesh), judge)
    return float(verdict.kind[:, judge.vocabulary.kinds.index(kind)].mean())


def as_rigid_as_possible(mesh: Mesh, handles: Handles) -> FloatArray:
    """Where libigl moves the vertices with the same handles and anchors, (n, 3). Raises ImportError
    where libigl is not installed."""
    import igl

    drag = Drag.of(mesh, handles)
    rest, pulled = drag.rest.numpy(), drag.pulled.numpy()
    solver = igl.ARAPData()
    solver.max_iter = ARAP_ITERATIONS
    pinned = np.concatenate([drag.fixed, pulled])
    places = np.concatenate([rest[drag.fixed], drag.targets.numpy()])
    igl.arap_precomputation(rest, mesh.faces.astype(np.int64), 3, pinned, solver)
    found: FloatArray = igl.arap_solve(places, solver, rest).astype(np.float32)
    return found


def moved(mesh: Mesh, positions: FloatArray) -> Mesh:
    """The mesh with its vertices elsewhere."""
    return replace(mesh, positions=positions, normals=None)
