"""What is held and what is pulled: handles and anchors of a mesh, checked before anything runs."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from backend.deformation.poisson import double_areas
from protocol.assets import Handles, Mesh
from protocol.errors import InputError

MOST_FACES = 500_000
THINNEST = 1e-9
"""Twice a face's area over its longest edge squared: below it, float32 knows no normal."""

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Drag:
    """A mesh to deform: ``rest`` (n, 3) and ``targets`` (k, 3) in float64; ``pulled`` (k,) vertices
    go to the targets, ``fixed`` (a,) stay at rest."""

    rest: Tensor
    pulled: Tensor
    targets: Tensor
    fixed: Indices

    @classmethod
    def of(cls, mesh: Mesh, handles: Handles) -> "Drag":
        """Checked: raises :class:`InputError` where the mesh or its handles cannot be worked with.
        Vertices that are in no face stay where they are."""
        check_mesh(mesh)
        _check_handles(mesh, handles)
        loose = np.setdiff1d(np.arange(len(mesh.positions)), mesh.faces)
        return cls(
            torch.from_numpy(mesh.positions).double(),
            torch.from_numpy(handles.vertices).long(),
            torch.from_numpy(handles.targets).double(),
            np.union1d(handles.anchors, loose).astype(np.int64),
        )

    @property
    def box(self) -> float:
        """The longest side of the box around the mesh at rest."""
        return float((self.rest.amax(0) - self.rest.amin(0)).max())

    @property
    def pull(self) -> float:
        """The longest way of a handle."""
        return float((self.rest[self.pulled] - self.targets).norm(dim=-1).max())

    def loss(self, positions: Tensor) -> Tensor:
        """Mean of |V_h - T_h|**2 over the handles."""
        return (positions.index_select(0, self.pulled) - self.targets).square().sum(-1).mean()

    def error(self, positions: Tensor) -> float:
        """The farthest that a handle is from its target, in lengths of the box."""
        away = (positions.detach()[self.pulled] - self.targets).norm(dim=-1)
        return float(away.max()) / self.box


def check_mesh(mesh: Mesh) -> None:
    """Raise :class:`InputError` where no Poisson system can be made of it."""
    if len(mesh.faces) > MOST_FACES:
        raise InputError(
            "mesh_too_large", f"The mesh has {len(mesh.faces):,} triangles.",
            f"Decimate it to at most {MOST_FACES:,}, deform that, and transfer the shape.",
        )
    mesh.check()
    flat = count_flat(mesh)
    if flat:
        raise InputError(
            "mesh_zero_area", f"The mesh has {flat} faces without area.",
            "Run Mesh > Clean Up > Degenerate Dissolve, or Merge by Distance.",
        )
    crowded = count_crowded_edges(mesh)
    if crowded:
        raise InputError(
            "mesh_non_manifold", f"At {crowded} edges of the mesh more than two faces meet.",
            "Find them with Select > All by Trait > Non Manifold, and part or delete faces there.",
        )


def count_flat(mesh: Mesh) -> int:
    """How many faces are too thin to have a normal."""
    positions = mesh.positions.astype(np.float64)
    corners = positions[mesh.faces]
    longest = ((corners - np.roll(corners, 1, 1)) ** 2).sum(-1).max(1)
    return int((double_areas(positions, mesh.faces) <= THINNEST * longest).sum())


def count_crowded_edges(mesh: Mesh) -> int:
    """How many edges belong to more than two faces."""
    edges = np.sort(np.stack([mesh.faces, np.roll(mesh.faces, -1, 1)], -1).reshape(-1, 2), 1)
    _, counts = np.unique(edges[:, 0].astype(np.int64) << 32 | edges[:, 1], return_counts=True)
    return int((counts > 2).sum())


def _check_handles(mesh: Mesh, handles: Handles) -> None:
    handles.check()
    used = np.concatenate([handles.vertices, handles.anchors])
    if used.min() < 0 or used.max() >= len(mesh.positions):
        raise InputError(
            "handle_index", "Handles or anchors name vertices that the mesh does not have.",
            "Choose the handles again: the mesh was changed after they were chosen.",
        )
    if len(np.unique(handles.vertices)) < len(handles.vertices):
        raise InputError(
            "handle_twice", "A vertex is in two handles.", "Let each vertex follow one empty.",
        )
    both = len(np.intersect1d(handles.vertices, handles.anchors))
    if both:
        raise InputError(
            "handle_is_anchor", f"{both} vertices are both handle and anchor.",
            "Remove them from one of the two vertex groups.",
        )
    if len(np.setdiff1d(handles.vertices, mesh.faces)):
        raise InputError(
            "handle_loose", "A handle is on a vertex that belongs to no face.",
            "Run Mesh > Clean Up > Delete Loose, and choose the handles again.",
        )
    free = _count_unanchored(mesh, handles)
    if free:
        raise InputError(
            "component_unanchored", f"{free} separate parts of the mesh have no anchor.",
            "Add a vertex of each part to the anchors, or join parts with Merge by Distance.",
        )


def _count_unanchored(mesh: Mesh, handles: Handles) -> int:
    """How many connected components of faces hold no anchor."""
    faces = mesh.faces
    rows, columns = faces.ravel(), np.roll(faces, -1, 1).ravel()
    count = len(mesh.positions)
    graph = coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), shape=(count, count))
    _, part = connected_components(graph, directed=False)
    return len(np.setdiff1d(part[faces[:, 0]], part[handles.anchors]))
