"""The space that a region takes: where something may stand that is not there yet."""

import numpy as np

from protocol.assets import FloatArray, Mesh, Region

GROWN = 1.5
"""How much larger than the places it holds is the box around a selection."""

_CORNERS = np.array(
    [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32
)
_SIDES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
_FACES = np.array(
    [face for a, b, c, d in _SIDES for face in ((a, b, c), (a, c, d))], np.int32
)


def space_of(region: Region, mesh: Mesh) -> Mesh:
    """A closed mesh: the region's own box or mesh, or, of vertices or faces of ``mesh``, the box
    around them, larger by half. A word has to be located first."""
    if region.mesh is not None:
        return region.mesh
    if region.box is not None:
        return box_mesh(region.box)
    chosen = _chosen(region, mesh)
    low, high = chosen.min(0), chosen.max(0)
    half = np.maximum(high - low, 0.1 * (high - low).max() + 1e-3) / 2
    box = np.diag([*(GROWN * half), 1.0]).astype(np.float32)
    box[:3, 3] = (low + high) / 2
    return box_mesh(box)


def box_mesh(box: FloatArray) -> Mesh:
    """The image of the cube [-1, 1]^3 under ``box`` (4, 4), as triangles that face outward where
    it does not mirror."""
    corners = _CORNERS @ box[:3, :3].T + box[:3, 3]
    return Mesh(corners.astype(np.float32), _FACES.copy())


def _chosen(region: Region, mesh: Mesh) -> FloatArray:
    if region.faces is not None:
        return mesh.positions[np.unique(mesh.faces[region.faces])]
    if region.vertices is None:
        raise ValueError("a word is no place yet: locate it first")
    return mesh.positions[region.vertices > 0]
