"""Results that belong to an object: edited beside the hidden original, a shape key, a motion.

What cannot go onto the object (it is gone, or its vertices are others now) becomes a new object
where it belongs, with a note that says so.
"""

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix as BlenderMatrix
from mathutils import Vector
from numpy.typing import NDArray

from ...protocol.assets import Asset, FloatArray, Material, Mesh
from ...protocol.errors import InputError
from ..core.jobs import Placement, Target
from .images import same_pixels
from .inputs import SAME_VERTICES
from .materials import create_material
from .meshes import COLOR_NAME, write_point_colors, write_uvs
from .objects import (
    add_motion_to,
    check_finite,
    new_mesh_object,
    new_splats_object,
    note_shape,
    play,
    short_name,
    write_provenance,
)
from .shape_keys import add_shape_key, read_key
from .sources import ID_NAME, Matrix, Source, find_marked, opened, transformed, world_matrix

GONE = "Its object is gone: this is a new one in its place."
OTHER = "The vertices of {name} are not those that were sent: this is a new object."


def place_on_target(
    asset: Asset, target: Target, placement: Placement, collection: bpy.types.Collection, job: str
) -> tuple[bpy.types.Object, str]:
    """Place a result on or instead of the object that it was made for; gives the object that it is
    in, and a note, or "". Raises :class:`InputError` where the result is of no use."""
    check_finite(asset)
    to_object = np.array(target.to_object, np.float64).reshape(4, 4)
    original = find_marked(target.id, placement.uid)
    if original is None:
        return _new_object(asset, to_object, placement, collection, job), GONE
    if target.task in SAME_VERTICES:
        return _on_object(original, asset, to_object, placement, collection, job)
    created = _edited_copy(original, asset, to_object)
    if created is None:
        created = _new_object(asset, to_object, placement, collection, job, original)
    else:
        _finish_copy(created, original, asset, job)
        _add_splats(asset, to_object, placement, collection, job, original)
    _hide(original)
    return created, ""


def _on_object(
    original: bpy.types.Object, asset: Asset, to_object: Matrix, placement: Placement,
    collection: bpy.types.Collection, job: str,
) -> tuple[bpy.types.Object, str]:
    try:
        with opened(original, applied=False) as source:
            moves = _moves(asset, source, to_object)
    except InputError:  # it was changed into something that could not be sent
        moves = None
    if moves is None:
        created = _new_object(asset, to_object, placement, collection, job, original)
        return created, OTHER.format(name=original.name)
    _put_on(original, asset, moves, placement, job)
    _add_splats(asset, to_object, placement, collection, job, original)
    return original, ""


def _moves(asset: Asset, source: Source, to_object: Matrix) -> NDArray[Any] | None:
    """How far vertices go in the object's space, (frames, n, 3), or None where the result has
    others. Exactly 0 where the result has the bits that were sent."""
    if asset.motion is not None:
        frames = asset.motion.positions
    elif asset.mesh is not None:
        frames = asset.mesh.positions[None]
    else:
        return None
    faces = source.faces if asset.mesh is None else asset.mesh.faces
    if frames.shape[1:] != source.positions.shape or not np.array_equal(faces, source.faces):
        return None
    sent = source.unit_positions(to_object)
    places = transformed(to_object, frames.reshape(-1, 3)).reshape(frames.shape)
    moved = (frames != sent).any(axis=-1, keepdims=True)
    return np.where(moved, places - source.positions, 0.0)


def _put_on(
    original: bpy.types.Object, asset: Asset, moves: NDArray[Any], placement: Placement, job: str
) -> None:
    """A shape key, or keyed ones, on the object itself."""
    name = short_name(asset.provenance.prompt or asset.name)
    if asset.motion is None:
        name = add_shape_key(original, name, moves[0]).name
    else:
        play(original, name, moves, asset.motion.frames_per_second, placement)
    note_shape(original, name, asset.provenance, job)


def _edited_copy(
    original: bpy.types.Object, asset: Asset, to_object: Matrix
) -> bpy.types.Object | None:
    """The object again, unlinked, with the result's shape and look; quads, vertex groups, UV maps
    and attributes stay as they were. None where the result has other vertices or faces."""
    try:
        with opened(original, applied=True) as source:
            moves = _moves(asset, source, to_object)
            if moves is None or not _fits_corners(asset, source):
                return None
            created = original.copy()
            created.name = f"{original.name} edited"
            created.data = _own_mesh(created, original)
            _move_points(created.data, moves[0])
            _take_look(created, asset, source)
            return created
    except InputError:
        return None


def _fits_corners(asset: Asset, source: Source) -> bool:
    """False where triangles of one polygon disagree on the UVs of a corner that they share."""
    if asset.mesh is None or asset.mesh.uvs is None:
        return True
    uvs = np.zeros((len(source.data.loops), 2), np.float32)
    uvs[source.corners] = asset.mesh.uvs
    return bool(np.array_equal(uvs[source.corners], asset.mesh.uvs))


def _own_mesh(created: bpy.types.Object, original: bpy.types.Object) -> Any:
    """A copy of the mesh; where modifiers or bones change it, as they do, and without them."""
    if not original.modifiers and original.parent_type != "ARMATURE":
        return original.data.copy()  # type: ignore[union-attr]
    graph = bpy.context.evaluated_depsgraph_get()
    created.modifiers.clear()
    if original.parent_type == "ARMATURE":
        created.parent_type = "OBJECT"
    return bpy.data.meshes.new_from_object(
        original.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph
    )


def _move_points(data: Any, moves: NDArray[Any]) -> None:
    """Move all vertices, in every shape key alike."""
    blocks = data.shape_keys.key_blocks if data.shape_keys else ()
    for key in blocks:
        key.points.foreach_set("co", _moved(read_key(key), moves))
    attribute = data.attributes["position"].data
    values = np.empty(3 * len(data.vertices), np.float32)
    attribute.foreach_get("vector", values)
    attribute.foreach_set("vector", _moved(values.reshape(-1, 3), moves))
    data.update()


def _moved(positions: FloatArray, moves: NDArray[Any]) -> FloatArray:
    return np.where(moves == 0, positions, positions + moves).astype(np.float32).reshape(-1)


def _take_look(created: bpy.types.Object, asset: Asset, source: Source) -> None:
    """The result's UVs and colors, where they are others than were sent."""
    data: Any = created.data
    sent, got = source.mesh(), asset.mesh
    assert got is not None
    if got.uvs is not None and not _equal(got.uvs, sent.uvs):
        write_uvs(data, got.uvs, source.corners)
    material = got.material
    picture = None if material is None else material.base_color_map
    known = None if sent.material is None else sent.material.base_color_map
    if material is not None and picture is not None and not same_pixels(picture, known):
        _set_material(created, data, create_material(created.name, material))
        return
    colors, before = got.attributes.get(COLOR_NAME), sent.attributes.get(COLOR_NAME)
    if picture is None and colors is not None and colors.domain == "point" and not _equal(
        colors.values, None if before is None else before.values
    ):
        write_point_colors(data, colors.values)
        shown = create_material(created.name, material or Material(), COLOR_NAME)
        _set_material(created, data, shown)


def _set_material(created: bpy.types.Object, data: Any, material: bpy.types.Material) -> None:
    for slot in created.material_slots:
        slot.link = "DATA"
    data.materials.clear()
    data.materials.append(material)
    data.polygons.foreach_set("material_index", np.zeros(len(data.polygons), np.int32))


def _finish_copy(
    created: bpy.types.Object, original: bpy.types.Object, asset: Asset, job: str
) -> None:
    if created.get(ID_NAME) is not None:
        del created[ID_NAME]
    for collection in original.users_collection:
        collection.objects.link(created)
    write_provenance(created, asset.provenance, job)


def _hide(original: bpy.types.Object) -> None:
    """Out of sight and renders; in other scenes than the shown one, out of viewports."""
    original.hide_render = True
    if original.name in bpy.context.view_layer.objects:
        original.hide_set(True)
    else:
        original.hide_viewport = True


def _new_object(
    asset: Asset, to_object: Matrix, placement: Placement, collection: bpy.types.Collection,
    job: str, original: bpy.types.Object | None = None,
) -> bpy.types.Object:
    """Objects of their own that stand where the result belongs; the mesh's, or else the splats'."""
    stands, scale = _standing(to_object, placement, original)
    created = []
    if asset.mesh is not None:
        mesh = asset.mesh
        sized = Mesh(mesh.positions * np.float32(scale), mesh.faces, mesh.uvs, mesh.normals,
                     mesh.attributes, mesh.material)
        created.append(new_mesh_object(asset, sized))
    if asset.splats is not None or not created:
        created.append(new_splats_object(asset, scale, np.zeros(3, np.float32)))
    for target in created:
        if original is not None:
            target.parent, target.parent_bone = original.parent, original.parent_bone
            target.parent_type = (
                "OBJECT" if original.parent_type == "ARMATURE" else original.parent_type)
        collection.objects.link(target)
        target.matrix_world = BlenderMatrix(stands.tolist())
        write_provenance(target, asset.provenance, job)
        add_motion_to(target, asset, scale, placement)
    return created[0]


def _add_splats(
    asset: Asset, to_object: Matrix, placement: Placement, collection: bpy.types.Collection,
    job: str, original: bpy.types.Object,
) -> None:
    """The splats of a result that is on the object already, beside it."""
    if asset.splats is None:
        return
    stands, scale = _standing(to_object, placement, original)
    created = new_splats_object(asset, scale, np.zeros(3, np.float32))
    collection.objects.link(created)
    beside = BlenderMatrix.Translation(Vector((2.4 * scale, 0.0, 0.0)))
    created.matrix_world = beside @ BlenderMatrix(stands.tolist())
    write_provenance(created, asset.provenance, job)
    add_motion_to(created, asset, scale, placement)


def _standing(
    to_object: Matrix, placement: Placement, original: bpy.types.Object | None
) -> tuple[Matrix, float]:
    """The matrix (4, 4) of an object in unit-ball axes, and how large the ball is there."""
    world = (np.array(placement.matrix).reshape(4, 4) if original is None
             else world_matrix(original))
    stands = world @ to_object
    scale = float(np.cbrt(abs(np.linalg.det(stands[:3, :3]))))
    stands[:3, :3] /= scale
    return stands, scale


def _equal(first: NDArray[Any], second: NDArray[Any] | None) -> bool:
    return second is not None and first.shape == second.shape and bool((first == second).all())
