"""Giving a mesh a texture that shows what it already looks like."""

from dataclasses import replace

import numpy as np

from backend.meshing.bake import paint
from backend.meshing.normals import vertex_normals
from backend.meshing.unwrap import unwrap
from protocol.assets import Material, Mesh
from protocol.errors import InputError


def with_texture(mesh: Mesh, texture_size: int) -> Mesh:
    """``mesh`` with normals, UVs and a square base color map; what it has of these it keeps.

    A missing map is painted from the attribute ``color``, else the material's base color. Raises
    :class:`InputError` ``texture_not_square`` for a map that cannot be edited.
    """
    if mesh.normals is None:
        mesh = replace(mesh, normals=vertex_normals(mesh.positions, mesh.faces))
    material = mesh.material or Material()
    if mesh.uvs is not None and material.base_color_map is not None:
        height, width = material.base_color_map.pixels.shape[:2]
        if height != width:
            raise InputError(
                "texture_not_square", f"The base color texture has {width} x {height} pixels.",
                "Scale the image to a square (Image > Resize) and try again.",
            )
        return mesh
    uvs = mesh.uvs
    if uvs is None:
        uvs = unwrap(mesh.positions, mesh.faces, texture_size)
    colored = replace(mesh, uvs=uvs)
    picture = paint(colored, texture_size, _vertex_colors(mesh))
    return replace(colored, material=replace(material, base_color_map=picture))


def _vertex_colors(mesh: Mesh) -> np.ndarray:
    if "color" in mesh.attributes:
        return mesh.attributes["color"].values[:, :3].astype(np.float32)
    color = (mesh.material or Material()).base_color[:3]
    return np.tile(np.float32(color), (len(mesh.positions), 1))
