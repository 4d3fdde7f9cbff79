"""Measures of edits: is the change there, and is all else as it was, to the last bit?"""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from backend.meshing.bake import texels_near
from backend.regions.placed import PlacedRegion
from protocol.assets import Mesh

CHANGED = 0.02
"""Mean absolute difference in [0, 1] above which a pixel counts as changed by the true edit."""


def way_gone(found: Tensor, source: Tensor, target: Tensor) -> float:
    """How far pictures (views, height, width, 3) have come from ``source`` to ``target``, where
    those differ: 1 there, 0 as far from it as the source, negative farther. An edit is followed
    above one half. ValueError where they nowhere differ."""
    changed = (target - source).abs().mean(-1) > CHANGED
    if not changed.any():
        raise ValueError("source and target look the same")
    left, whole = ((other - target).abs().mean(-1)[changed].mean() for other in (found, source))
    return float(1 - left / whole)


def followed(found: Tensor, source: Tensor, target: Tensor) -> float:
    """1 where pictures (views, height, width, 3) are nearer to ``target`` than to ``source`` in the
    pixels in which these differ, else 0."""
    changed = (target - source).abs().mean(-1) > CHANGED
    near, far = ((found - other).abs().mean(-1)[changed].mean() for other in (target, source))
    return float(near < far)


def outside_faces_changed(found: Mesh, placed: PlacedRegion) -> float:
    """The share of the original's faces outside of the region that ``found`` does not have, bit for
    bit, in positions and in the texels that they look up; 0 is the guarantee."""
    outside = placed.most_on_faces() == 0
    if not outside.any():
        return 0.0
    there = set(_face_bits(found))
    return 1 - float(np.mean([bits in there for bits in _face_bits(placed.mesh, outside)]))


def outside_texels_changed(found: Mesh, placed: PlacedRegion) -> float:
    """The share of the texels that the original shows outside of the region whose bits ``found``
    has not; 0 is the guarantee. A larger texture holds the original's at its lower left, where UVs
    begin."""
    original = _texture(placed.mesh)
    size = len(original)
    mine = _texture(found)[-size:, :size]
    if mine.shape != original.shape:
        return 1.0
    assert placed.mesh.uvs is not None
    shown = texels_near(placed.mesh.uvs[placed.most_on_faces() == 0], size)
    return float((original != mine).any(-1)[shown].mean()) if shown.any() else 0.0


def _face_bits(mesh: Mesh, chosen: NDArray[np.bool_] | slice = slice(None)) -> list[bytes]:
    assert mesh.uvs is not None
    texels = mesh.uvs[chosen] * np.float32(len(_texture(mesh)))
    rows = np.concatenate([mesh.positions[mesh.faces[chosen]], texels], -1)
    return [row.tobytes() for row in rows]


def _texture(mesh: Mesh) -> NDArray[np.uint8]:
    assert mesh.material is not None
    assert mesh.material.base_color_map is not None
    return mesh.material.base_color_map.pixels[..., :3]
