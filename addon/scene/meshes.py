"""Meshes into Blender along the fast path: flat buffers straight into attributes.

A buffer handed to ``foreach_set`` must be flat, contiguous and of the attribute's own type; the
older ways (``from_pydata``, ``vertices.foreach_set``) copy element by element and take many times
as long.
"""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...protocol.assets import Attribute, FloatArray, Mesh
from .. import compat

UV_NAME = "UVMap"
COLOR_NAME = "color"

_DOMAINS = {"point": "POINT", "face": "FACE", "corner": "CORNER"}


def create_mesh(name: str, mesh: Mesh) -> bpy.types.Mesh:
    """A new Blender mesh with everything that ``mesh`` has but its material.

    Raises :class:`InputError` where the mesh is empty, not finite, or refers to missing points:
    Blender itself would crash on such indices.
    """
    mesh.check()
    mesh = without_degenerate_faces(mesh)
    target = bpy.data.meshes.new(name)
    _write_faces(target, mesh.positions, mesh.faces)
    if mesh.uvs is not None:
        _write_uvs(target, mesh.uvs)
    for key, attribute in mesh.attributes.items():
        _write_attribute(target, key, attribute)
    target.update(calc_edges=True)
    if mesh.normals is not None:
        compat.set_vertex_normals(target, _flat(mesh.normals))
    return target


def without_degenerate_faces(mesh: Mesh) -> Mesh:
    """The mesh without faces that use a point twice, for which Blender has no edges."""
    a, b, c = mesh.faces.T
    sound = (a != b) & (b != c) & (c != a)
    if sound.all():
        return mesh
    attributes = {key: _kept(value, sound) for key, value in mesh.attributes.items()}
    uvs = None if mesh.uvs is None else mesh.uvs[sound]
    return Mesh(mesh.positions, mesh.faces[sound], uvs, mesh.normals, attributes, mesh.material)


def placed_positions(positions: FloatArray, size_meters: float) -> FloatArray:
    """Positions scaled so that the longest side is ``size_meters``, standing on z = 0, centered."""
    scale, base = placing(positions, size_meters)
    return ((positions - base) * np.float32(scale)).astype(np.float32)


def placing(positions: FloatArray, size_meters: float) -> tuple[float, FloatArray]:
    """What :func:`placed_positions` does to positions: subtracts a base (3,), then scales."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    scale = size_meters / max(float((high - low).max()), 1e-9)
    base = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]], np.float32)
    return scale, base


def srgb_to_linear(colors: NDArray[Any]) -> FloatArray:
    """Display-encoded colors in [0, 1] to scene-linear ones (IEC 61966-2-1)."""
    low = colors / 12.92
    high = ((colors + 0.055) / 1.055) ** 2.4
    return np.where(colors <= 0.04045, low, high).astype(np.float32)


def linear_to_srgb(colors: NDArray[Any]) -> FloatArray:
    """Scene-linear colors to display-encoded ones (IEC 61966-2-1), not cut at 1."""
    bounded = np.maximum(colors, 0)
    high = 1.055 * bounded ** (1 / 2.4) - 0.055
    return np.where(bounded <= 0.0031308, 12.92 * bounded, high).astype(np.float32)


def write_uvs(data: Any, uvs: FloatArray, corners: NDArray[np.int32]) -> None:
    """UVs (m, 3, 2) of triangles as those of the face ``corners`` (m, 3) that they come from, in
    the active UV map, or a new one."""
    layer = data.uv_layers.active or data.uv_layers.new(name=UV_NAME, do_init=False)
    values = np.empty((len(data.loops), 2), np.float32)
    target = data.attributes[layer.name].data
    target.foreach_get("vector", values.reshape(-1))
    values[corners.reshape(-1)] = uvs.reshape(-1, 2)
    target.foreach_set("vector", values.reshape(-1))


def write_point_colors(data: Any, colors: FloatArray) -> None:
    """Display-encoded colors (n, 4) of the points, in place of those that are there."""
    if COLOR_NAME in data.attributes:
        data.attributes.remove(data.attributes[COLOR_NAME])
    _write_attribute(data, COLOR_NAME, Attribute("point", colors))


def _kept(attribute: Attribute, sound: NDArray[np.bool_]) -> Attribute:
    if attribute.domain == "point":
        return attribute
    if attribute.domain == "face":
        return Attribute("face", attribute.values[sound])
    by_face = attribute.values.reshape(len(sound), 3, *attribute.values.shape[1:])
    return Attribute("corner", by_face[sound].reshape(-1, *attribute.values.shape[1:]))


def _flat(values: NDArray[Any], dtype: type = np.float32) -> NDArray[Any]:
    return np.ascontiguousarray(values, dtype=dtype).reshape(-1)


def _write_faces(target: Any, positions: FloatArray, faces: NDArray[np.int32]) -> None:
    target.vertices.add(len(positions))
    target.loops.add(3 * len(faces))
    target.polygons.add(len(faces))
    target.attributes["position"].data.foreach_set("vector", _flat(positions))
    corners = target.attributes.get(".corner_vert") or target.attributes.new(
        ".corner_vert", "INT", "CORNER"
    )
    corners.data.foreach_set("value", _flat(faces, np.int32))
    target.polygons.foreach_set("loop_start", np.arange(0, 3 * len(faces), 3, dtype=np.int32))


def _write_uvs(target: Any, uvs: FloatArray) -> None:
    target.uv_layers.new(name=UV_NAME, do_init=False)
    target.attributes[UV_NAME].data.foreach_set("vector", _flat(uvs))


def _write_attribute(target: Any, name: str, attribute: Attribute) -> None:
    """Colors become linear color attributes; numbers and vectors keep their values."""
    values = attribute.values
    width = 1 if values.ndim == 1 else values.shape[1]
    kinds = {1: ("FLOAT", "value"), 2: ("FLOAT2", "vector"), 3: ("FLOAT_VECTOR", "vector"),
             4: ("FLOAT_COLOR", "color")}
    if width not in kinds:
        return
    kind, key = kinds[width]
    if width == 4:
        values = np.concatenate([srgb_to_linear(values[:, :3]), values[:, 3:]], axis=1)
    created = target.attributes.new(name, kind, _DOMAINS[attribute.domain])
    created.data.foreach_set(key, _flat(values))
