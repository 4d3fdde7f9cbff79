"""A mesh, a region and words to the mesh changed there, beside the true edit of the world."""

from collections.abc import Iterator
from functools import partial

from backend.evaluation.bench.cases import Bench, Case, Figures, draws
from backend.evaluation.edits import (
    followed,
    outside_faces_changed,
    outside_texels_changed,
    way_gone,
)
from backend.evaluation.looking import look_at
from backend.pocket.world.edits import Edit, changed_box, draw_edit
from backend.pocket.world.meshes import to_mesh
from backend.regions.placed import place_region
from protocol.assets import Asset, Mesh, Region

TEXTURE_SIZE = 256
CHANGES = ("part color", "recolor", "material", "replace", "part size")
"""Edits of the world that act in a region and leave something there."""
OPERATIONS = {"remove": "delete", "add": "add"}
"""Further ones, for recipes that have an option ``operation`` with this value."""


def cases(bench: Bench, count: int) -> Iterator[Case]:
    """Held-out edits, each operation in turn."""
    known = operations_of(bench)
    for seed, rng in enumerate(draws(count, 2)):
        edit = draw_edit(rng, True, (known[seed % len(known)],), bench.words.kinds)
        source = to_mesh(edit.source, texture_size=TEXTURE_SIZE)
        region = region_of(edit, source)
        yield Case(
            f"{edit.caption_source}: {edit.instruction}", seed,
            partial(measure, edit, source, region), prompt_of(bench, edit),
            options=options_of(edit),
            assets={
                "mesh": Asset(edit.source_said.kind, mesh=source),
                "region": Asset("region", region=region),
            },
        )


def operations_of(bench: Bench) -> tuple[str, ...]:
    """The world's operations that the recipe can be asked for."""
    choices = next((each.choices for each in bench.recipe.describe().options
                    if each.name == "operation"), ())
    return CHANGES + tuple(name for name, own in OPERATIONS.items() if own in choices)


def options_of(edit: Edit) -> dict[str, str]:
    """What kind of edit it is, for recipes that want to know."""
    own = OPERATIONS.get(edit.operation)
    return {} if own is None else {"operation": own}


def prompt_of(bench: Bench, edit: Edit) -> str:
    """An instruction for a prior of instructions; else, and for its other operations, what shall be
    seen in the end."""
    if "instruction" in bench.recipe.capabilities and edit.operation not in OPERATIONS:
        return edit.instruction
    return edit.caption_target


def region_of(edit: Edit, source: Mesh) -> Region:
    """The faces of what changes only its paint, or goes; else a box around all that changes."""
    old, new = (
        [part for part, changed in zip(scene.parts, parts, strict=True) if changed]
        for scene, parts in ((edit.source, edit.source_parts), (edit.target, edit.target_parts))
    )
    places = [
        {(part.shape, part.local_to_world.tobytes(), part.params.tobytes()) for part in parts}
        for parts in (old, new)
    ]
    if new and places[0] != places[1]:
        return Region(box=changed_box(edit))
    return Region(faces=edit.source_parts[source.attributes["part"].values])


def measure(edit: Edit, source: Mesh, region: Region, made: Asset) -> Figures:
    """``followed`` and ``way`` against the true edit, all cases and by operation; and what changed
    outside of the region, as shares of faces and texels."""
    assert made.mesh is not None
    target = to_mesh(edit.target, texture_size=TEXTURE_SIZE)
    views = [look_at(mesh) for mesh in (made.mesh, source, target)]
    placed, done = place_region(region, source), followed(*views)
    return {
        "followed": done,
        "way": way_gone(*views),
        f"followed_{edit.operation.replace(' ', '_')}": done,
        "outside_faces_changed": outside_faces_changed(made.mesh, placed),
        "outside_texels_changed": outside_texels_changed(made.mesh, placed),
    }
