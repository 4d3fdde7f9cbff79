"""One function for each place where Blender 4.2 … 5.2 differ."""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray


def enable_nodes(material: bpy.types.Material) -> None:
    """Give a material its node tree. From 5.0 it always has one, and asking is deprecated."""
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True


def set_vertex_normals(mesh: bpy.types.Mesh, normals: NDArray[np.float32]) -> None:
    """Custom normals, flat (3 · vertices). From 4.5 they are an attribute, set in a millisecond."""
    if bpy.app.version >= (4, 5, 0):
        attribute: Any = mesh.attributes.new("custom_normal", "FLOAT_VECTOR", "POINT")
        attribute.data.foreach_set("vector", normals)
    else:
        mesh.normals_split_custom_set_from_vertices(normals.reshape(-1, 3))  # type: ignore[arg-type]


def curves_of(owner: Any) -> list[Any]:
    """The animation curves of an ID. From 5.0 they lie in the channel bag of its action's slot."""
    animation = owner.animation_data
    if animation is None or animation.action is None:
        return []
    if bpy.app.version < (5, 0, 0):
        return list(animation.action.fcurves)
    strips = [strip for layer in animation.action.layers for strip in layer.strips]
    bags = [strip.channelbag(animation.action_slot) for strip in strips]
    return [curve for bag in bags if bag is not None for curve in bag.fcurves]


def png_settings(image_settings: Any) -> dict[str, Any]:
    """The settings that write a PNG with alpha, in the order in which they can be set: from 5.0 the
    kind of medium comes first."""
    values = {"file_format": "PNG", "color_mode": "RGBA", "color_depth": "8"}
    return {"media_type": "IMAGE", **values} if hasattr(image_settings, "media_type") else values


def draw_prompt(
    layout: bpy.types.UILayout, owner: bpy.types.bpy_struct, name: str, hint: str
) -> None:
    """A text field: of several lines from 5.2, of one before."""
    if hasattr(layout, "textbox"):
        layout.textbox(owner, name, initial_visible_lines=3, placeholder=hint)
    else:
        layout.prop(owner, name, text="", placeholder=hint)
