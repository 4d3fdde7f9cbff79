"""GaussianEditor: Swift and Controllable 3D Editing with Gaussian Splatting (Chen et al., CVPR
2024, arXiv 2311.14521).

The mesh becomes Gaussians, and the region labels on them, which children inherit (section 4.1).
Only labelled ones change: pictures are edited a few at a time as an instruction says while the
Gaussians are fitted to them, and anchors hold each the more the older it is (4.2). What is deleted
leaves a hole that an inpainting prior fills; what is added is painted into one picture of the
region, lifted from it to 3D, and put where its depth, aligned with the scene's, says (4.3).

Departures: the pictures are renders of the given mesh; no LPIPS; a prior of many views edits four
pictures together, and is told where they show the region; what repairs a hole are new Gaussians, so
that all others keep their bits; what is added is not edited once more.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from backend.editing.instruction import STRONGEST, InstructionEditor
from backend.editing.splat_meshes import edited_mesh, remember_rest
from backend.editing.tracing import where_labelled
from backend.meshing.texturing import with_texture
from backend.recipes.edits import (
    EditOptions,
    Place,
    check_said,
    check_told,
    find_place,
    label_place,
)
from backend.recipes.held_edits import fit_pictures, to_gaussians, views_of
from backend.recipes.insertions import LIFTING, InsertionOptions, check_addition, insert
from backend.recipes.options import option
from backend.recipes.recipe import Inputs, Recipe
from backend.recipes.removals import remove
from backend.recipes.volumes import before_and_after
from backend.regions.placed import place_region
from backend.representations.gaussians import Gaussians
from backend.studio import Progress, Studio
from protocol.assets import Asset, Mesh


@dataclass(frozen=True)
class Options(InsertionOptions, EditOptions):
    """What the operations need beside what they share."""

    operation: Literal["edit", "delete", "add"] = option(
        "edit", "Change the region as an instruction says, delete it, or add something there"
    )
    image_scale: float = option(
        0.0, "How strongly an edit keeps to the original picture; 0 takes the prior's own",
        low=0.0, high=100.0,
    )
    edit_every: int = option(10, "Steps from one edit of pictures to the next", low=1, high=1000)


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """A mesh, a place on it and words in; Gaussians and the mesh, changed there, out."""
    # Whatever is wrong with words, or missing of priors, is said before anything is fitted.
    check = {"edit": check_told, "delete": check_said, "add": check_addition}[options.operation]
    check(inputs.prompt, studio)
    studio.skip(*(("edit",) if options.operation == "add" else LIFTING))
    mesh = with_texture(inputs.mesh, options.texture_size)
    place = yield from studio.once("region", lambda: find_place(inputs, mesh, options, studio))
    operate = {"edit": edit, "delete": remove, "add": insert}[options.operation]
    gaussians, changed = yield from operate(mesh, place, inputs.prompt, options, studio)
    return Asset(
        inputs.prompt, mesh=changed, splats=gaussians.to_splats(),
        contact_sheet=before_and_after(mesh, gaussians),
    )


def edit(
    mesh: Mesh, place: Place, prompt: str, options: Options, studio: Studio
) -> Generator[Progress, None, tuple[Gaussians, Mesh]]:
    """Section 4.2, with the dataset update of Instruct-NeRF2NeRF."""
    prior, placed = studio.prior("instruction"), place_region(place.region, mesh)
    gaussians = yield from to_gaussians(mesh, options, studio)
    label_place(gaussians, place, placed, options.trace_threshold)
    remember_rest(gaussians)
    editor = InstructionEditor.embed(
        prior, prompt, studio, steps=options.sampler_steps, t_range=(options.strength, STRONGEST),
        text_scale=options.text_scale or prior.spec.instruction_scales[0],
        image_scale=options.image_scale or prior.spec.instruction_scales[1],
    )
    store = views_of(gaussians, where_labelled, prior, options, studio)
    yield from fit_pictures(gaussians, store, prior, editor, options, studio, options.edit_every)
    changed = yield from studio.once("mesh", lambda: edited_mesh(gaussians, placed, options.grid))
    return gaussians, changed


RECIPE = Recipe(
    id="gaussian_editor",
    title="GaussianEditor",
    task="edit",
    summary="A mesh changed by an instruction in one region, the region deleted, or something added"
    " there, by way of Gaussians; everything else keeps its bits.",
    citation="Chen et al., GaussianEditor: Swift and Controllable 3D Editing with Gaussian "
    "Splatting, CVPR 2024, arXiv 2311.14521",
    capabilities=("instruction",),
    inputs=("prompt", "mesh", "region"),
    optional=("prompt",),
    may_use=("inpaint", "attention", "depth", "image+pose", "normals"),
    options=Options,
    presets={
        "draft": {"gaussians": 4000, "fit_steps": 100, "fit_pixels": 64, "steps": 120, "rigs": 2,
                  "edit_every": 15, "sampler_steps": 10, "strength": 0.85, "densify_every": 30,
                  "pace": 5.0, "grid": 96, "texture_size": 512, "view_steps": 20,
                  "surface_steps": 300},
        "standard": {"gaussians": 8000, "fit_steps": 200, "fit_pixels": 96, "steps": 500,
                     "rigs": 4, "densify_every": 60, "pace": 2.0},
        "high": {},
    },
    stages={"region": 1, "fit": 12, "paint": 3, "draw views": 12, "fit coarse surface": 9,
            "fit surface": 14, "fit thing": 10, "edit": 60, "mesh": 3},
    run=run,
    version=8,
)
