"""A mesh result that keeps all of the original but what the region holds."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt

from backend.meshing.bake import rasterize_uvs, texels_near
from backend.meshing.normals import vertex_normals
from backend.regions.placed import PlacedRegion
from protocol.assets import Attribute, FloatArray, Image, Mesh


def restore_positions(placed: PlacedRegion, moved: FloatArray) -> FloatArray:
    """``moved`` (n, 3) where the region holds a vertex, the original's bits elsewhere."""
    inside = placed.at_vertices()[:, None] > 0
    kept: FloatArray = np.where(inside, moved, placed.mesh.positions).astype(np.float32)
    return kept


def texel_weights(placed: PlacedRegion, size: tuple[int, int]) -> FloatArray:
    """How far each texel (height, width) of the mesh's texture may change.

    0 for all that a place outside the region can show: the texels under it and those next to them,
    which bilinear look-up blends in, also where places inside share them. Texels between charts
    go with the nearest covered ones.
    """
    mesh = placed.mesh
    assert mesh.uvs is not None
    if size[0] != size[1]:
        raise ValueError("textures that are edited are square")
    most = placed.most_on_faces()
    # Where faces share texels the last one owns them: the one that has least in the region.
    order = np.argsort(-most, kind="stable")
    owner, barycentrics = rasterize_uvs(mesh.uvs[order], size[0])
    covered = owner >= 0
    weights = np.zeros(size, np.float32)
    faces, places = order[owner[covered]], barycentrics[covered]
    weights[covered] = _least_around(placed, faces, places, 1 / size[0])
    protected = binary_dilation(covered & (weights == 0), np.ones((3, 3), bool))
    protected |= texels_near(mesh.uvs[most == 0], size[0])
    nearest = distance_transform_edt(~covered, return_distances=False, return_indices=True)
    weights = weights[tuple(nearest)]
    weights[protected] = 0
    return weights


def _least_around(
    placed: PlacedRegion, faces: NDArray[np.integer], places: FloatArray, texel: float
) -> FloatArray:
    """The weight at ``places`` (k, 3) of ``faces`` (k,), but 0 where a box or closed mesh ends
    within a texel of it: what is outside there is seen through look-up as well."""
    weights = placed.at_surface(faces, places)
    if placed.region.vertices is not None or placed.region.faces is not None:
        return weights
    assert placed.mesh.uvs is not None
    along = _barycentrics_per_uv(placed.mesh.uvs)[faces] * texel
    for u, v in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        moved = places + u * along[:, 0] + v * along[:, 1]
        weights = np.minimum(weights, placed.at_surface(faces, moved))
    return weights


def _barycentrics_per_uv(uvs: FloatArray) -> FloatArray:
    """How barycentrics of each face change with u and with v, (m, 2, 3)."""
    edges = (uvs[:, 1:] - uvs[:, :1]).astype(np.float64)  # (m, 2, uv)
    slopes = np.linalg.pinv(edges)  # (m, uv, 2)
    per_uv: FloatArray = np.concatenate([-slopes.sum(-1, keepdims=True), slopes], -1)
    return per_uv.astype(np.float32)


def restore_mesh(
    placed: PlacedRegion, moved: FloatArray, texture: Image, attributes: dict[str, Attribute]
) -> Mesh:
    """The original with vertices ``moved`` (n, 3), colors of ``texture`` (of the original's size)
    and point ``attributes`` inside the region; faces, UVs, all other maps and everything outside
    have the original's bits. The mesh needs UVs and a base color texture."""
    mesh = placed.mesh
    assert mesh.material is not None
    original = mesh.material.base_color_map
    assert original is not None
    weights = texel_weights(placed, original.pixels.shape[:2])[..., None]
    pixels = original.pixels.copy()
    blended = original.pixels[..., :3] * (1 - weights) + texture.pixels[..., :3] * weights
    rgb = np.where(weights > 0, (blended + 0.5).astype(np.uint8), original.pixels[..., :3])
    pixels[..., :3] = rgb
    positions = restore_positions(placed, moved)
    return replace(
        mesh, positions=positions, normals=_restore_normals(placed, positions),
        material=replace(mesh.material, base_color_map=Image(pixels)),
        attributes={**mesh.attributes, **_restore_attributes(placed, attributes)},
    )


def _restore_normals(placed: PlacedRegion, positions: FloatArray) -> FloatArray | None:
    """New ones where a face moved, the original's bits elsewhere."""
    mesh = placed.mesh
    if mesh.normals is None:
        return None
    moved = (positions != mesh.positions).any(1)
    touched = np.zeros(len(positions), bool)
    touched[mesh.faces[moved[mesh.faces].any(1)]] = True
    fresh = vertex_normals(positions, mesh.faces)
    restored: FloatArray = np.where(touched[:, None], fresh, mesh.normals).astype(np.float32)
    return restored


def _restore_attributes(
    placed: PlacedRegion, attributes: dict[str, Attribute]
) -> dict[str, Attribute]:
    inside = placed.at_vertices() > 0
    restored = {}
    for name, given in attributes.items():
        values = placed.mesh.attributes[name].values.copy()
        values[inside] = given.values[inside]
        restored[name] = Attribute("point", values)
    return restored
