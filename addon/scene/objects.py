"""Objects: an asset placed in the scene, with a note of where it came from."""

import json

import bpy
from mathutils import Matrix, Vector

from ...protocol.assets import Asset, Material, Mesh, Provenance
from ...protocol.errors import InputError
from ..core.jobs import Placement
from .materials import create_material
from .meshes import COLOR_NAME, create_mesh, placed_positions, placing
from .splats import create_splats

BESIDE = 1.2
"""How far to the right of a mesh its splats stand, in sizes."""


def add_asset(
    asset: Asset, placement: Placement, collection: bpy.types.Collection, job: str = ""
) -> bpy.types.Object:
    """New objects of what the asset has, linked to ``collection``: its mesh, and beside it, to the
    right, its splats. Returns the mesh's object, or else the splats'. Raises
    :class:`InputError`."""
    created = []
    if asset.mesh is not None or asset.splats is None:
        created.append(_mesh_object(asset, placement))
    if asset.splats is not None:
        created.append(_splats_object(asset, placement))
    for target in created:
        write_provenance(target, asset.provenance, job)
        collection.objects.link(target)
    return created[0]


def _mesh_object(asset: Asset, placement: Placement) -> bpy.types.Object:
    mesh = _sound_mesh(asset)
    placed = Mesh(placed_positions(mesh.positions, placement.size_meters), mesh.faces, mesh.uvs,
                  mesh.normals, mesh.attributes, mesh.material)
    data = create_mesh(asset.name, placed)
    colors = COLOR_NAME if COLOR_NAME in mesh.attributes else None
    data.materials.append(create_material(asset.name, mesh.material or Material(), colors))
    created = bpy.data.objects.new(asset.name, data)
    created.matrix_world = Matrix.Translation(Vector(placement.location))
    return created


def _splats_object(asset: Asset, placement: Placement) -> bpy.types.Object:
    """As large as the mesh, where there is one, and beside it."""
    positions = asset.splats.means if asset.mesh is None else asset.mesh.positions
    created = create_splats(
        f"{asset.name} splats", asset.splats, *placing(positions, placement.size_meters)
    )
    beside = 0.0 if asset.mesh is None else BESIDE * placement.size_meters
    place = Vector(placement.location) + Vector((beside, 0.0, 0.0))
    created.matrix_world = Matrix.Translation(place)
    return created


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


def select_only(context: bpy.types.Context, target: bpy.types.Object) -> None:
    """Make the object the selected and active one."""
    view_layer = context.view_layer
    for other in view_layer.objects.selected:
        other.select_set(False)
    target.select_set(True)
    view_layer.objects.active = target
