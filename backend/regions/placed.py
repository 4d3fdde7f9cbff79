"""A region laid on the mesh that it speaks of: weights for vertices, faces, texels and points."""

from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from backend.regions.inside import inside_box, inside_mesh
from protocol.assets import FloatArray, Mesh, Region
from protocol.errors import InputError

PROBES = 50_000


@dataclass(frozen=True)
class PlacedRegion:
    """Weights in [0, 1] of anything that stands on or near ``mesh``; 0 is outside.

    Made by :func:`place_region`, which checks that the region fits the mesh. A box or closed mesh
    holds the points inside it; weights of vertices blend over a face; a chosen face holds its
    surface, and a vertex only where all its faces are chosen, so that no other face ever moves.
    """

    mesh: Mesh
    region: Region

    def at_vertices(self) -> FloatArray:
        """(n,)."""
        if self.region.faces is not None:
            return _of_all_faces(self.mesh, self.region.faces)
        if self.region.vertices is not None:
            return self.region.vertices.astype(np.float32)
        return self._inside(self.mesh.positions)

    def at_faces(self) -> FloatArray:
        """(m,): the least weight of its vertices, or whether it is chosen."""
        if self.region.faces is not None:
            return self.region.faces.astype(np.float32)
        weights: FloatArray = self.at_vertices()[self.mesh.faces].min(1)
        return weights

    def at_surface(self, faces: NDArray[np.integer], barycentrics: FloatArray) -> FloatArray:
        """(k,), at the places ``barycentrics`` (k, 3) of ``faces`` (k,)."""
        if self.region.faces is not None:
            return self.region.faces[faces].astype(np.float32)
        corners = self.mesh.faces[faces]
        if self.region.vertices is not None:
            weights: FloatArray = (self.region.vertices[corners] * barycentrics).sum(1)
            return weights.astype(np.float32)
        return self._inside((self.mesh.positions[corners] * barycentrics[..., None]).sum(1))

    def most_on_faces(self) -> FloatArray:
        """(m,): the most weight of a place of each face, by a lattice of about ``PROBES`` places
        on the whole mesh."""
        count = len(self.mesh.faces)
        faces = np.arange(count)
        most = np.zeros(count, np.float32)
        for share in _lattice(PROBES // count):
            most = np.maximum(most, self.at_surface(faces, np.tile(share, (count, 1))))
        return most

    def at_points(self, points: FloatArray) -> FloatArray:
        """(k,), for ``points`` (k, 3) near the surface (Gaussians, samples of a field): inside or
        not, or as the nearest vertex, or the nearest of ``PROBES`` places even over all faces."""
        if self.region.vertices is None and self.region.faces is None:
            return self._inside(points)
        if self.region.vertices is not None:
            anchors, weights = self.mesh.positions, self.at_vertices()
        else:
            shape = trimesh.Trimesh(self.mesh.positions, self.mesh.faces, process=False)
            anchors, faces = trimesh.sample.sample_surface(shape, PROBES, seed=0)[:2]
            weights = self.at_faces()[faces]
        found: FloatArray = weights[cKDTree(anchors).query(points)[1]]
        return found

    def _inside(self, points: FloatArray) -> FloatArray:
        if self.region.box is not None:
            return inside_box(self.region.box, points).astype(np.float32)
        assert self.region.mesh is not None
        return inside_mesh(self.region.mesh, points).astype(np.float32)


def place_region(region: Region, mesh: Mesh) -> PlacedRegion:
    """``region`` on ``mesh``, or :class:`InputError`: ``region_of_another_mesh`` where its lengths
    are not the mesh's, ``region_outside`` where nothing of the mesh is in it. A word has to be
    located first (:mod:`backend.editing.locating`)."""
    region.check()
    if region.word:
        raise ValueError("a word is no place yet: locate it first")
    _check_lengths(region, mesh)
    placed = PlacedRegion(mesh, region)
    if not placed.most_on_faces().any():
        raise InputError(
            "region_outside", "Nothing of the object lies in the region.",
            "Move or scale the region so that it holds the part that shall change.",
        )
    return placed


def _check_lengths(region: Region, mesh: Mesh) -> None:
    given = ((region.vertices, len(mesh.positions)), (region.faces, len(mesh.faces)))
    for weights, count in given:
        if weights is not None and weights.shape != (count,):
            raise InputError(
                "region_of_another_mesh",
                f"The region has {len(weights)} weights, but the object has {count} places.",
                "Choose the vertex group or faces of this very object, with modifiers applied.",
            )


def _lattice(count: int) -> FloatArray:
    """Barycentrics (k, 3) of an even lattice of about ``count`` places, at least the corners."""
    order = max(int(np.sqrt(2 * count)) - 2, 1)
    steps = [(i, j, order - i - j) for i in range(order + 1) for j in range(order + 1 - i)]
    return np.array(steps, np.float32) / np.float32(order)


def _of_all_faces(mesh: Mesh, chosen: NDArray[np.bool_]) -> FloatArray:
    held = np.zeros(len(mesh.positions), bool)
    held[mesh.faces[chosen]] = True
    held[mesh.faces[~chosen]] = False
    return held.astype(np.float32)
