"""Meshes from files, as the input of a job."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from backend.meshing.export import Y_UP
from protocol.assets import Asset, Attribute, Image, Material, Mesh
from protocol.errors import InputError

Z_UP = (".ply", ".stl")
HINT = "Give a GLB, OBJ, PLY or STL file with faces."


def read_mesh(path: Path) -> Asset:
    """The input ``mesh`` from a file, z up, centered and scaled into the unit ball, with its
    texture or vertex colors. Raises :class:`InputError` where there is none."""
    if not path.is_file():
        raise InputError("mesh_file_missing", f"There is no file {path}.", HINT)
    try:
        loaded = trimesh.load(path, force="mesh", process=False)
    except Exception as error:  # each of its readers fails in its own way
        raise InputError("mesh_file_invalid", f"{path} cannot be read: {error}.", HINT) from error
    if not isinstance(loaded, trimesh.Trimesh) or len(loaded.faces) == 0:
        raise InputError("mesh_file_invalid", f"{path} has no faces.", HINT)
    if path.suffix.lower() not in Z_UP:
        loaded.apply_transform(np.linalg.inv(Y_UP))
    mesh = Mesh(_in_unit_ball(np.array(loaded.vertices)), np.array(loaded.faces, np.int32))
    _take_look(mesh, loaded.visual)
    mesh.check()
    return Asset(path.stem, mesh=_welded(mesh))


def _welded(mesh: Mesh) -> Mesh:
    """One vertex where the file has several in one place: some formats part a surface along the
    seams of its texture, or into single triangles. UVs belong to corners, and stay."""
    _, first, index = np.unique(mesh.positions, axis=0, return_index=True, return_inverse=True)
    kept, rank = np.unique(first, return_inverse=True)  # in the order of the file
    attributes = {
        name: Attribute("point", value.values[kept]) for name, value in mesh.attributes.items()
    }
    faces = rank[index.reshape(-1)][mesh.faces].astype(np.int32)
    return replace(mesh, positions=mesh.positions[kept], faces=faces, attributes=attributes)


def _in_unit_ball(vertices: np.ndarray) -> np.ndarray:
    centered = vertices - (vertices.min(0) + vertices.max(0)) / 2
    radius = np.linalg.norm(centered, axis=1).max()
    return (centered / max(radius, 1e-12)).astype(np.float32)


def _take_look(mesh: Mesh, visual: Any) -> None:
    """Texture, else vertex colors, else the material's color."""
    if isinstance(visual, trimesh.visual.TextureVisuals):
        mesh.material = _material(visual.material)
        if visual.uv is not None:
            mesh.uvs = np.asarray(visual.uv, np.float32)[mesh.faces]
    elif visual.kind is not None:
        colors = np.asarray(visual.vertex_colors, np.float32) / 255
        mesh.attributes["color"] = Attribute("point", colors)


def _material(found: Any) -> Material:
    simple = found if hasattr(found, "image") else None
    texture = simple.image if simple is not None else found.baseColorTexture
    color = np.asarray(found.main_color, np.float64) / 255
    picture = None if texture is None else Image(np.asarray(texture.convert("RGB")))
    r, g, b, a = (float(value) for value in color)
    return Material(base_color=(r, g, b, a), base_color_map=picture)
