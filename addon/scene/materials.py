"""Materials: the metallic-roughness model on Blender's Principled shader, by socket name."""

from typing import Any

import bpy
import numpy as np

from ...protocol.assets import Image, Material
from .. import compat
from .images import mean_color, pack_image
from .meshes import srgb_to_linear


def create_material(
    name: str, material: Material, vertex_colors: str | None = None
) -> bpy.types.Material:
    """A Blender material. ``vertex_colors`` names a color attribute to use where there is no map.

    The viewport color is the mean of the texture, so that Solid mode shows the object's color.
    """
    created: Any = bpy.data.materials.new(name)
    compat.enable_nodes(created)
    shader = principled(created)
    color = (*srgb_to_linear(np.array(material.base_color[:3])), material.base_color[3])
    shader.inputs["Base Color"].default_value = color
    shader.inputs["Roughness"].default_value = material.roughness
    shader.inputs["Metallic"].default_value = material.metallic
    created.diffuse_color = _viewport_color(material)
    created.roughness, created.metallic = material.roughness, material.metallic
    if material.base_color_map is None and vertex_colors:
        _link_vertex_colors(created, shader, vertex_colors)
    _link_maps(created, shader, name, material)
    return created


def principled(material: bpy.types.Material) -> Any:
    """The Principled node, None where there is none. Node names may be translated, types are
    not."""
    nodes: Any = material.node_tree.nodes if material.node_tree else ()
    return next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)


def _viewport_color(material: Material) -> tuple[float, ...]:
    color: Any = np.array(material.base_color[:3])
    if material.base_color_map is not None:
        color = mean_color(material.base_color_map)
    return (*(float(channel) for channel in srgb_to_linear(color)), 1.0)


def _link_maps(
    owner: Any, shader: Any, name: str, material: Material
) -> None:
    """Maps in columns left of the shader; the base color's node is the active one, which Solid
    mode draws where its color is set to Texture."""
    links = owner.node_tree.links
    for row, (socket, image) in enumerate(
        (("Normal", material.normal_map), ("Metallic", material.metallic_map),
         ("Roughness", material.roughness_map), ("Base Color", material.base_color_map))
    ):
        if image is None:
            continue
        node = _image_node(owner, f"{name} {socket.lower()}", image, row)
        if socket == "Normal":
            node = _normal_node(owner, node)
        links.new(node.outputs[0], shader.inputs[socket])
        if socket == "Base Color" and image.pixels.shape[-1] == 4:
            links.new(node.outputs["Alpha"], shader.inputs["Alpha"])
        owner.node_tree.nodes.active = node


def _image_node(
    owner: Any, name: str, image: Image, row: int
) -> bpy.types.Node:
    node: Any = owner.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = pack_image(name, image)
    node.location = (-600, -300 + 300 * row)
    return node


def _normal_node(owner: Any, texture: bpy.types.Node) -> bpy.types.Node:
    node = owner.node_tree.nodes.new("ShaderNodeNormalMap")
    node.location = (-250, texture.location[1])
    owner.node_tree.links.new(texture.outputs["Color"], node.inputs["Color"])
    return node


def _link_vertex_colors(
    owner: Any, shader: Any, attribute: str
) -> None:
    node: Any = owner.node_tree.nodes.new("ShaderNodeVertexColor")
    node.layer_name = attribute
    node.location = (-300, 300)
    owner.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
