"""Gaussian splats as Blender data: a mesh of points alone, whose attributes say all of them, shown
as ellipsoids by a geometry nodes modifier.

Blender has no splats of its own up to 5.2. The attributes: ``scale`` (standard deviations, meters),
``rotation`` (quaternion), ``opacity``, ``color`` (linear).
"""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...protocol.assets import FloatArray, Splats
from ...protocol.errors import InputError
from .. import compat
from .meshes import COLOR_NAME, srgb_to_linear

NODES_NAME = "Distillery Splats"
DEVIATIONS = 1.5
"""How large a splat is shown: so many standard deviations."""


def create_splats(name: str, splats: Splats, scale: float, base: FloatArray) -> bpy.types.Object:
    """A new object of ``splats``, moved by -``base`` and then scaled, not linked yet. Raises
    :class:`InputError` where there are none or values are not finite."""
    _check(splats)
    data: Any = bpy.data.meshes.new(name)
    data.vertices.add(len(splats.means))
    positions = (splats.means - base) * np.float32(scale)
    data.attributes["position"].data.foreach_set("vector", _flat(positions))
    _write(data, "scale", "FLOAT_VECTOR", "vector", splats.scales * np.float32(scale))
    _write(data, "rotation", "QUATERNION", "value", splats.quats)
    _write(data, "opacity", "FLOAT", "value", splats.opacities)
    opaque = np.ones((len(splats.means), 1), np.float32)
    colors = np.concatenate([srgb_to_linear(splats.colors), opaque], axis=1)
    _write(data, COLOR_NAME, "FLOAT_COLOR", "color", colors)
    data.materials.append(_material())
    created = bpy.data.objects.new(name, data)
    modifier: Any = created.modifiers.new(NODES_NAME, "NODES")
    modifier.node_group = _nodes()
    return created


def _check(splats: Splats) -> None:
    finite = all(np.isfinite(values).all() for values in vars(splats).values())
    if len(splats.means) == 0 or not finite:
        raise InputError(
            "result_unusable", "The splats cannot be placed: there are none, or some are nowhere.",
            "Generate again with another seed.",
        )


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(values, dtype=np.float32).reshape(-1)


def _write(data: Any, name: str, kind: str, key: str, values: NDArray[Any]) -> None:
    data.attributes.new(name, kind, "POINT").data.foreach_set(key, _flat(values))


def _nodes() -> bpy.types.NodeTree:
    """An ellipsoid on every point, turned and stretched as its attributes say."""
    found = bpy.data.node_groups.get(NODES_NAME)
    if found is not None:
        return found
    group: Any = bpy.data.node_groups.new(NODES_NAME, "GeometryNodeTree")
    group.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    points = _node(group, "NodeGroupInput", (-600, 0))
    ball = _node(group, "GeometryNodeMeshIcoSphere", (-400, -150))
    ball.inputs["Radius"].default_value = DEVIATIONS
    ball.inputs["Subdivisions"].default_value = 2
    instances = _node(group, "GeometryNodeInstanceOnPoints", (-150, 0))
    painted = _node(group, "GeometryNodeSetMaterial", (50, 0))
    painted.inputs["Material"].default_value = _material()
    result = _node(group, "NodeGroupOutput", (250, 0))
    group.links.new(points.outputs[0], instances.inputs["Points"])
    group.links.new(ball.outputs["Mesh"], instances.inputs["Instance"])
    group.links.new(_attribute(group, "rotation", "QUATERNION", -300), instances.inputs["Rotation"])
    group.links.new(_attribute(group, "scale", "FLOAT_VECTOR", -450), instances.inputs["Scale"])
    group.links.new(instances.outputs["Instances"], painted.inputs["Geometry"])
    group.links.new(painted.outputs["Geometry"], result.inputs[0])
    return group


def _node(tree: Any, kind: str, place: tuple[float, float]) -> Any:
    node = tree.nodes.new(kind)
    node.location = place
    return node


def _attribute(group: Any, name: str, kind: str, height: float) -> Any:
    """The output that reads an attribute of the points."""
    node = _node(group, "GeometryNodeInputNamedAttribute", (-400, height))
    node.data_type = kind
    node.inputs["Name"].default_value = name
    return next(output for output in node.outputs if output.enabled)


def _material() -> bpy.types.Material:
    """Each splat in its own color, without light, as see-through as its opacity says."""
    found = bpy.data.materials.get(NODES_NAME)
    if found is not None:
        return found
    material: Any = bpy.data.materials.new(NODES_NAME)
    compat.enable_nodes(material)
    tree = material.node_tree
    tree.nodes.clear()
    color = _instance_attribute(tree, COLOR_NAME, 150)
    opacity = _instance_attribute(tree, "opacity", -150)
    glow = _node(tree, "ShaderNodeEmission", (-200, 100))
    clear = _node(tree, "ShaderNodeBsdfTransparent", (-200, -50))
    mixed = _node(tree, "ShaderNodeMixShader", (0, 0))
    output = _node(tree, "ShaderNodeOutputMaterial", (200, 0))
    tree.links.new(color.outputs["Color"], glow.inputs["Color"])
    tree.links.new(opacity.outputs["Fac"], mixed.inputs[0])
    tree.links.new(clear.outputs[0], mixed.inputs[1])
    tree.links.new(glow.outputs[0], mixed.inputs[2])
    tree.links.new(mixed.outputs[0], output.inputs["Surface"])
    return material


def _instance_attribute(tree: Any, name: str, height: float) -> Any:
    node = _node(tree, "ShaderNodeAttribute", (-450, height))
    node.attribute_type, node.attribute_name = "INSTANCER", name
    return node
