"""Objects as inputs: an object's mesh as triangles in the unit ball, and the way back.

Positions are turned and scaled as the object stands in the scene, so that what is up there is up
for the prior, and moved and scaled into the unit ball. Where the object stands is left out: moving
it changes nothing of what is sent.
"""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...protocol.assets import Attribute, FloatArray, Mesh
from ...protocol.errors import InputError
from .appearance import read_appearance
from .meshes import COLOR_NAME
from .shape_keys import mixed_positions

Matrix = NDArray[np.floating[Any]]

MOST_FACES = 1_000_000
ID_NAME = "distillery_id"


@dataclass
class Source:
    """An object's mesh while it can be read: ``data``; ``positions`` (n, 3) in its own space;
    ``faces``, ``corners`` (m, 3): vertices and face corners of its triangles; ``polygons`` (m,):
    whose triangles they are; ``to_object`` (4, 4): from the unit ball to its own space."""

    owner: bpy.types.Object
    data: Any
    positions: FloatArray
    faces: NDArray[np.int32]
    corners: NDArray[np.int32]
    polygons: NDArray[np.int32]
    to_object: Matrix
    _groups: dict[str, FloatArray] = field(default_factory=dict)

    def unit_positions(self, to_object: Matrix | None = None) -> FloatArray:
        """(n, 3) float32 in the unit ball: the same bits for the same positions and matrix."""
        inverse = np.linalg.inv(self.to_object if to_object is None else to_object)
        return transformed(inverse, self.positions).astype(np.float32)

    def scene_to_unit(self) -> Matrix:
        """(4, 4), from the scene to the unit ball."""
        stands = world_matrix(self.owner) @ self.to_object
        return np.linalg.inv(stands)

    def mesh(self) -> Mesh:
        """What is sent: triangles, UVs, colors or the base color's picture. Raises
        :class:`InputError`."""
        material, colors = read_appearance(self.data, self.polygons, self.faces)
        attributes = {}
        if colors is not None:
            attributes[COLOR_NAME] = Attribute("point", colors)
        mesh = Mesh(self.unit_positions(), self.faces, self.uvs(), None, attributes, material)
        mesh.check()
        return mesh

    def uvs(self) -> FloatArray | None:
        """(m, 3, 2): the active UV map."""
        layer = self.data.uv_layers.active
        if layer is None:
            return None
        values = np.empty(2 * len(self.data.loops), np.float32)
        self.data.attributes[layer.name].data.foreach_get("vector", values)
        return values.reshape(-1, 2)[self.corners]

    def weights(self, group: str) -> FloatArray:
        """(n,): the weights of a vertex group, 0 for vertices that are not in it."""
        if group not in self._groups:
            index = self.owner.vertex_groups[group].index
            weights = np.zeros(len(self.positions), np.float32)
            for number, vertex in enumerate(self.data.vertices):
                for element in vertex.groups:
                    if element.group == index:
                        weights[number] = element.weight
            self._groups[group] = weights
        return self._groups[group]

    def selected_faces(self) -> NDArray[np.bool_]:
        """(m,): the triangles of selected faces."""
        chosen = np.empty(len(self.data.polygons), np.bool_)
        self.data.polygons.foreach_get("select", chosen)
        return chosen[self.polygons]


@contextlib.contextmanager
def opened(owner: bpy.types.Object, applied: bool) -> Iterator[Source]:
    """The object's mesh, readable in any mode: with its modifiers where ``applied``, else without
    but with its shape keys as they are mixed. Raises :class:`InputError` where it is no use."""
    check_object(owner)
    with (_applied_mesh(owner) if applied else _plain_mesh(owner)) as data:
        positions = _read_positions(owner, data, applied)
        faces, corners, polygons = _triangles(data)
        if len(faces) == 0:
            raise _no_faces(owner)
        if len(faces) > MOST_FACES:
            raise _too_large(owner, len(faces))
        to_object, mirrored = _to_object(owner, positions)
        if mirrored:
            faces, corners = faces[:, ::-1].copy(), corners[:, ::-1].copy()
        yield Source(owner, data, positions, faces, corners, polygons, to_object)


def check_object(owner: bpy.types.Object) -> None:
    """Raises :class:`InputError` where an object cannot be sent, as far as is known at once."""
    if owner.type != "MESH":
        raise InputError(
            "object_no_mesh", f"{owner.name} is not a mesh.", "Use Object > Convert > Mesh first."
        )
    data: Any = owner.data
    faces = len(data.polygons)
    modifiers: Any = owner.modifiers
    for modifier in modifiers:
        if modifier.type == "MULTIRES" and modifier.show_viewport:
            faces *= 4**modifier.levels
    if faces > MOST_FACES:
        raise _too_large(owner, faces)


def mark(owner: bpy.types.Object) -> str:
    """The object's own number, by which a result finds it again; made where it has none."""
    if owner.get(ID_NAME) is None:
        owner[ID_NAME] = uuid.uuid4().hex
    return str(owner[ID_NAME])


def find_marked(identity: str, uid: int = 0) -> bpy.types.Object | None:
    """The object of that number, under whatever name. A copy carries the same: ``uid`` tells them
    apart while the file is open, and finds the object where undo took the number away."""
    found = [item for item in bpy.data.objects if item.get(ID_NAME) == identity]
    known = [item for item in bpy.data.objects if item.session_uid == uid]
    if known and (known[0] in found or known[0].get(ID_NAME) is None):
        return known[0]
    return found[0] if found else None


def world_matrix(owner: bpy.types.Object) -> Matrix:
    """(4, 4), from the object's own space to the scene."""
    return np.array(owner.matrix_world, np.float64)


def transformed(matrix: Matrix, points: NDArray[Any]) -> Matrix:
    """``points`` (n, 3) under ``matrix`` (4, 4)."""
    moved: Matrix = points.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    return moved


def _to_object(owner: bpy.types.Object, positions: FloatArray) -> tuple[Matrix, bool]:
    """From the unit ball to the object's space, and whether the object is mirrored."""
    linear = world_matrix(owner)[:3, :3]
    determinant = float(np.linalg.det(linear))
    if not abs(determinant) > 1e-12 * np.abs(linear).max() ** 3:
        raise InputError(
            "object_flat", f"{owner.name} is scaled to nothing along some axis.",
            "Use Object > Clear > Scale, or give it a scale.",
        )
    if not np.isfinite(positions).all():
        raise InputError(
            "mesh_not_finite", f"{owner.name} has vertices at NaN or infinity.",
            "Delete those vertices, or undo what made them.",
        )
    turned = positions.astype(np.float64) @ linear.T
    center = (turned.min(axis=0) + turned.max(axis=0)) / 2
    radius = float(np.linalg.norm(turned - center, axis=1).max())
    if radius == 0:
        raise _no_faces(owner)
    stands = np.eye(4)
    stands[:3, :3] *= radius
    stands[:3, 3] = center
    back = np.eye(4)
    back[:3, :3] = np.linalg.inv(linear)
    return back @ stands, determinant < 0


@contextlib.contextmanager
def _applied_mesh(owner: bpy.types.Object) -> Iterator[Any]:
    graph = bpy.context.evaluated_depsgraph_get()
    evaluated = owner.evaluated_get(graph)
    try:
        yield evaluated.to_mesh(preserve_all_data_layers=True, depsgraph=graph)
    finally:
        evaluated.to_mesh_clear()


@contextlib.contextmanager
def _plain_mesh(owner: bpy.types.Object) -> Iterator[Any]:
    """The object's own mesh; a copy in Edit Mode, where attributes cannot be read."""
    bpy.context.evaluated_depsgraph_get()  # brings matrix_world up to date
    if owner.mode != "EDIT":
        yield owner.data
        return
    owner.update_from_editmode()
    copied: Any = owner.data.copy()
    try:
        yield copied
    finally:
        bpy.data.meshes.remove(copied)


def _read_positions(owner: bpy.types.Object, data: Any, applied: bool) -> FloatArray:
    if not applied and data.shape_keys is not None:
        return mixed_positions(owner, data)
    values = np.empty(3 * len(data.vertices), np.float32)
    if len(values):
        data.attributes["position"].data.foreach_get("vector", values)
    return values.reshape(-1, 3)


def _triangles(data: Any) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    data.calc_loop_triangles()
    count = len(data.loop_triangles)
    vertices, corners = np.empty(3 * count, np.int32), np.empty(3 * count, np.int32)
    polygons = np.empty(count, np.int32)
    data.loop_triangles.foreach_get("vertices", vertices)
    data.loop_triangles.foreach_get("loops", corners)
    data.loop_triangles.foreach_get("polygon_index", polygons)
    return vertices.reshape(-1, 3), corners.reshape(-1, 3), polygons


def _no_faces(owner: bpy.types.Object) -> InputError:
    return InputError(
        "mesh_empty", f"{owner.name} has no faces.", "Choose an object with faces."
    )


def _too_large(owner: bpy.types.Object, faces: int) -> InputError:
    return InputError(
        "mesh_too_large", f"{owner.name} has {faces:,} faces; {MOST_FACES:,} are the most.",
        "Lower its subdivision or multiresolution levels, or add a Decimate modifier.",
    )
