"""What a mesh in Blender looks like, as one material: a base color picture, or vertex colors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...protocol.assets import FloatArray, Material
from .images import mean_color, read_image
from .materials import principled
from .meshes import linear_to_srgb

Indices = NDArray[np.int32]


def read_appearance(
    data: Any, polygons: Indices, faces: Indices
) -> tuple[Material, FloatArray | None]:
    """The material that most of the ``faces`` (m, 3) have, and colors (n, 4) of the points where
    no picture says them: painted ones, or those of several materials."""
    slots = np.zeros(len(data.polygons), np.int32)
    data.polygons.foreach_get("material_index", slots)
    slots = np.minimum(slots, max(len(data.materials) - 1, 0))[polygons]
    used, counts = np.unique(slots, return_counts=True)
    materials = {int(slot): _read(data, int(slot)) for slot in used}
    material = materials[int(used[counts.argmax()])]
    if material.base_color_map is not None:
        return material, None
    painted = _painted(data, int(used[counts.argmax()]))
    if painted is not None:
        return material, _point_colors(data, painted)
    if len(used) == 1:
        return material, None
    plain = np.array([_plain(materials[int(slot)]) for slot in used], np.float32)
    by_face = plain[np.searchsorted(used, slots)]
    corners = np.repeat(by_face, 3, axis=0)
    return material, _mean_at_points(corners, faces.reshape(-1), len(data.vertices))


def base_color_node(material: Any) -> Any:
    """The node that says the base color of a Blender material, None where none does."""
    shader = principled(material)
    links = shader.inputs["Base Color"].links if shader else ()
    return links[0].from_node if links else None


def _read(data: Any, slot: int) -> Material:
    material = data.materials[slot] if slot < len(data.materials) else None
    if material is None:
        return Material()
    shader, node = principled(material), base_color_node(material)
    linear = material.diffuse_color if shader is None or node else (
        shader.inputs["Base Color"].default_value)
    color = linear_to_srgb(np.clip(np.array(linear[:3]), 0, 1))
    read = Material((float(color[0]), float(color[1]), float(color[2]), 1.0))
    if shader is not None:
        read.roughness = float(shader.inputs["Roughness"].default_value)
        read.metallic = float(shader.inputs["Metallic"].default_value)
    if node is not None and node.type == "TEX_IMAGE" and node.image and data.uv_layers:
        read.base_color_map = read_image(node.image)
    return read


def _painted(data: Any, slot: int) -> Any:
    """The color attribute that the material shows, or that is painted where there is none."""
    material = data.materials[slot] if slot < len(data.materials) else None
    if material is None:
        return data.color_attributes.active_color
    node = base_color_node(material)
    names = {"VERTEX_COLOR": "layer_name", "ATTRIBUTE": "attribute_name"}
    if node is None or node.type not in names:
        return None
    return data.color_attributes.get(getattr(node, names[node.type]))


def _point_colors(data: Any, attribute: Any) -> FloatArray:
    values = np.empty(4 * len(attribute.data), np.float32)
    attribute.data.foreach_get("color", values)
    colors = np.clip(values.reshape(-1, 4), 0, 1)
    if attribute.domain != "POINT":
        owners = np.empty(len(data.loops), np.int32)
        data.loops.foreach_get("vertex_index", owners)
        colors = _mean_at_points(colors, owners, len(data.vertices))
    return np.concatenate([linear_to_srgb(colors[:, :3]), colors[:, 3:]], axis=1)


def _mean_at_points(colors: FloatArray, points: Indices, count: int) -> FloatArray:
    """The mean color (count, 4) of the corners at each point."""
    touched = np.maximum(np.bincount(points, minlength=count), 1)
    sums = [np.bincount(points, channel, minlength=count) for channel in colors.T]
    return (np.stack(sums, axis=1) / touched[:, None]).astype(np.float32)


def _plain(material: Material) -> tuple[float, ...]:
    if material.base_color_map is None:
        return material.base_color
    return (*(float(value) for value in mean_color(material.base_color_map)), 1.0)
