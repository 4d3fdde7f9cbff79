"""Objects: an asset placed in the scene, with a note of where it came from."""

import json
import math
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ...protocol.assets import Asset, FloatArray, Material, Mesh, Provenance
from ...protocol.errors import InputError
from ..core.jobs import Placement
from .materials import create_material
from .meshes import COLOR_NAME, create_mesh, placed_positions, placing
from .shape_keys import add_motion, frame_times
from .splats import create_splats

BESIDE = 1.2
"""How far to the right of a mesh its splats stand, in sizes."""
NAME_BYTES = 45


def add_asset(
    asset: Asset, placement: Placement, collection: bpy.types.Collection, job: str = ""
) -> bpy.types.Object:
    """New objects of what the asset has, linked to ``collection``: its mesh, and beside it, to the
    right, its splats; either moves where there is a motion. Returns the mesh's object, or else the
    splats'. Raises :class:`InputError`."""
    check_finite(asset)
    created = []
    if asset.mesh is not None or asset.splats is None:
        created.append(_mesh_at(asset, placement))
    if asset.splats is not None:
        created.append(_splats_at(asset, placement))
    for target in created:
        write_provenance(target, asset.provenance, job)
        collection.objects.link(target)
        add_motion_to(target, asset, _placing(asset, placement)[0], placement)
    return created[0]


def new_mesh_object(asset: Asset, mesh: Mesh) -> bpy.types.Object:
    """An object of ``mesh``, the asset's as it shall be placed, with its material; not linked."""
    data = create_mesh(asset.name, mesh)
    colors = COLOR_NAME if COLOR_NAME in mesh.attributes else None
    data.materials.append(create_material(asset.name, mesh.material or Material(), colors))
    return bpy.data.objects.new(asset.name, data)


def new_splats_object(asset: Asset, scale: float, base: FloatArray) -> bpy.types.Object:
    """An object of the asset's splats, moved by -``base`` and then scaled; not linked."""
    if asset.splats is None:
        raise InputError("result_empty", "The result has nothing in it.", "Choose another recipe.")
    return create_splats(f"{asset.name} splats", asset.splats, scale, base)


def add_motion_to(
    target: bpy.types.Object, asset: Asset, scale: float, placement: Placement
) -> None:
    """Keyed shape keys where the asset has a motion of this object's points; those of splats are
    the points that their nodes stand ellipsoids on."""
    motion, rest = asset.motion, asset.mesh.positions if asset.mesh is not None else None
    if asset.splats is not None and len(target.data.polygons) == 0:  # type: ignore[union-attr]
        rest = asset.splats.means
        motion = asset.motion if asset.mesh is None else asset.splat_motion
    if motion is None or rest is None or motion.positions.shape[1:] != rest.shape:
        return
    moves = (motion.positions - rest) * np.float32(scale)
    play(target, short_name(asset.provenance.prompt or asset.name), moves,
         motion.frames_per_second, placement)


def play(
    target: bpy.types.Object, name: str, moves: NDArray[Any], frames_per_second: float,
    placement: Placement,
) -> None:
    """Move the object's points by ``moves`` (frames, n, 3) over the placement's frames; the scene
    grows as long as that."""
    scene: Any = bpy.data.scenes.get(placement.scene) or bpy.context.scene
    times = frame_times(len(moves), frames_per_second, placement.frames, scene)
    add_motion(target, name, moves, times)
    scene.frame_end = max(scene.frame_end, math.ceil(times[-1]))


def check_finite(asset: Asset) -> None:
    """Raises :class:`InputError` where a shape or a motion is nowhere."""
    parts = [part.positions for part in (asset.mesh, asset.motion, asset.splat_motion)
             if part is not None]
    if not all(np.isfinite(part).all() for part in parts):
        raise InputError(
            "result_unusable", "The result cannot be placed: some of it is at NaN or infinity.",
            "Generate again with another seed.",
        )


def short_name(text: str) -> str:
    """The beginning of a text that still fits, with a number after it, into a name in Blender."""
    return text.encode()[:NAME_BYTES].decode(errors="ignore").strip()


def _mesh_at(asset: Asset, placement: Placement) -> bpy.types.Object:
    mesh = _sound_mesh(asset)
    placed = Mesh(placed_positions(mesh.positions, placement.size_meters), mesh.faces, mesh.uvs,
                  mesh.normals, mesh.attributes, mesh.material)
    created = new_mesh_object(asset, placed)
    created.matrix_world = Matrix.Translation(Vector(placement.location))
    return created


def _splats_at(asset: Asset, placement: Placement) -> bpy.types.Object:
    """As large as the mesh, where there is one, and beside it."""
    created = new_splats_object(asset, *_placing(asset, placement))
    beside = 0.0 if asset.mesh is None else BESIDE * placement.size_meters
    place = Vector(placement.location) + Vector((beside, 0.0, 0.0))
    created.matrix_world = Matrix.Translation(place)
    return created


def _placing(asset: Asset, placement: Placement) -> tuple[float, FloatArray]:
    positions = asset.mesh.positions if asset.mesh is not None else None
    if positions is None and asset.splats is not None:
        positions = asset.splats.means
    assert positions is not None
    return placing(positions, placement.size_meters)


def _sound_mesh(asset: Asset) -> Mesh:
    if asset.mesh is None:
        raise InputError("result_no_mesh", "The result has no mesh.", "Choose another recipe.")
    try:
        asset.mesh.check()
    except InputError as error:
        raise InputError(
            "result_unusable", f"The result cannot be placed. {error.problem.message}",
            "Generate again with another seed.",
        ) from error
    return asset.mesh


def write_provenance(target: bpy.types.Object, origin: Provenance, job: str = "") -> None:
    """Recipe, prompt, seed, options, prior and versions as custom properties, one a line."""
    target["distillery_recipe"] = origin.recipe
    target["distillery_prompt"] = origin.prompt
    # Custom properties hold 32-bit integers.
    target["distillery_seed"] = origin.seed if origin.seed < 2**31 else str(origin.seed)
    target["distillery_options"] = json.dumps(origin.options, sort_keys=True)
    target["distillery_prior"] = origin.prior
    target["distillery_versions"] = json.dumps(origin.versions, sort_keys=True)
    target["distillery_job"] = job


def note_shape(
    target: bpy.types.Object, name: str, origin: Provenance, job: str = ""
) -> None:
    """The same for a shape key or motion of that name on an object that was there before: all in
    one property, since one object may have several."""
    told = {"recipe": origin.recipe, "prompt": origin.prompt, "seed": origin.seed,
            "options": origin.options, "prior": origin.prior, "versions": origin.versions}
    target[f"distillery {name}"] = json.dumps(told, sort_keys=True)
    target["distillery_job"] = job


def select_only(context: bpy.types.Context, target: bpy.types.Object) -> None:
    """Make the object the selected and active one."""
    view_layer = context.view_layer
    for other in view_layer.objects.selected:
        other.select_set(False)
    target.select_set(True)
    view_layer.objects.active = target
