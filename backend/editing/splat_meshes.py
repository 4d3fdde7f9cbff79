"""The mesh that Gaussians were fitted to, after they changed."""

from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import binary_dilation
from scipy.spatial import cKDTree
from torch import Tensor

from backend.editing.tracing import labels
from backend.meshing.bake import bake, rasterize_uvs, texels_near
from backend.meshing.cut import Cut
from backend.meshing.normals import vertex_normals
from backend.meshing.splats import SplatField
from backend.regions.placed import PlacedRegion
from backend.regions.restore import restore_mesh
from backend.representations.gaussians import Gaussians
from protocol.assets import FloatArray, Image, Mesh

REST = "rest"
"""The channel with the place that each Gaussian, or the one that it descends from, began at."""

NEIGHBORS = 12


def remember_rest(gaussians: Gaussians) -> None:
    """Note where they stand."""
    gaussians.add_channel(REST, gaussians.means.clone())


@torch.no_grad()
def follow(gaussians: Gaussians, positions: FloatArray) -> FloatArray:
    """``positions`` (n, 3) moved as the region's nearest Gaussians have moved since they were
    remembered, by opacity."""
    inside = labels(gaussians) > 0
    rest = gaussians.channels[REST][inside].numpy()
    moved = (gaussians.means[inside] - gaussians.channels[REST][inside]).numpy()
    solid = gaussians.opacities[inside].sigmoid().numpy()
    count = min(NEIGHBORS, len(rest))
    nearest = cKDTree(rest).query(positions, range(1, count + 1))[1]
    share = solid[nearest] / solid[nearest].sum(1, keepdims=True)
    followed: FloatArray = positions + (moved[nearest] * share[..., None]).sum(1)
    return followed.astype(np.float32)


def edited_mesh(gaussians: Gaussians, placed: PlacedRegion, resolution: int) -> Mesh:
    """The original's topology; in the region its vertices follow the Gaussians and its texels show
    them, sampled on a grid of ``resolution``."""
    mesh = placed.mesh
    moved = follow(gaussians, mesh.positions)
    surface = Mesh(moved, mesh.faces, mesh.uvs, vertex_normals(moved, mesh.faces))
    return restore_mesh(placed, moved, baked(gaussians, surface, mesh, resolution), {})


def baked(gaussians: Gaussians, surface: Mesh, like: Mesh, resolution: int) -> Image:
    """The colors of the Gaussians on a surface with UVs, at the texture size of ``like``."""
    assert like.material is not None
    assert like.material.base_color_map is not None
    field = SplatField.sample(gaussians.to_splats(), resolution)

    def query(points: Tensor, _: Tensor) -> Tensor:
        return field.look_up(points)[1].clamp(0, 1)

    return bake(surface, len(like.material.base_color_map.pixels), query)


def patched_mesh(gaussians: Gaussians, whole: Cut, resolution: int) -> Mesh:
    """The mesh after a cut, with what the Gaussians show on its patches; texels that a face of the
    original looks up keep their bits."""
    mesh = whole.mesh
    assert mesh.material is not None
    assert mesh.material.base_color_map is not None
    assert mesh.uvs is not None
    if not whole.patches.any():
        return mesh
    pixels = mesh.material.base_color_map.pixels.copy()
    owner, _ = rasterize_uvs(mesh.uvs, len(pixels))
    covered = owner >= 0
    covered[covered] = whole.patches[owner[covered]]
    fresh = binary_dilation(covered, np.ones((3, 3), bool), iterations=2)
    fresh &= ~texels_near(mesh.uvs[~whole.patches], len(pixels))
    pixels[fresh, :3] = baked(gaussians, mesh, mesh, resolution).pixels[fresh]
    return replace(mesh, material=replace(mesh.material, base_color_map=Image(pixels)))
