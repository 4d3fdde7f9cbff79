"""GaussianEditor: Swift and Controllable 3D Editing with Gaussian Splatting (Chen et al., CVPR
2024, arXiv 2311.14521).

The mesh becomes Gaussians, and the region labels on them, which children inherit (section 4.1).
Only labelled ones change: pictures are edited a few at a time as an instruction says while the
Gaussians are fitted to them, and anchors hold each the more the older it is (4.2). What is deleted
leaves a hole that an inpainting prior fills (4.3).

Departures: the pictures are renders of the given mesh; no LPIPS; a prior of many views edits four
pictures together; what repairs a hole are new Gaussians, so that all others keep their bits.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import torch

from backend.distillation.views import Orbit, sample_rigs
from backend.editing.anchors import GenerationWeights
from backend.editing.dataset_update import DatasetUpdate, Editor, ViewStore
from backend.editing.deletion import without_region
from backend.editing.held_splats import HeldFit, HeldSplats
from backend.editing.inpainting import Inpainter, holes_of
from backend.editing.instruction import InstructionEditor
from backend.editing.locating import faces_of, find_word
from backend.editing.pictures import picture
from backend.editing.splat_meshes import edited_mesh, patched_mesh, remember_rest
from backend.editing.tracing import LABEL, label, trace_word
from backend.meshing.cut import cut
from backend.meshing.texturing import with_texture
from backend.priors.base import Prior
from backend.recipes.edits import EditOptions
from backend.recipes.options import option
from backend.recipes.registry import Inputs, Recipe
from backend.recipes.splats import fit_mesh
from backend.recipes.volumes import contact_sheet, preview
from backend.regions.placed import PlacedRegion, place_region
from backend.representations.gaussians import Gaussians
from backend.studio import Progress, Studio
from protocol.assets import Asset, Mesh
from protocol.errors import InputError

ORBIT = Orbit(elevation_degrees=(-10, 60), fov_degrees=(30, 50), fill=(0.8, 1.0))
JOINT = 4
HOLE_PIXELS = 1 / 64
"""Of the picture's side: how much wider than a patch the hole around it is."""


@dataclass(frozen=True)
class Options(EditOptions):
    """The released numbers as defaults; fewer and smaller pictures."""

    operation: Literal["edit", "delete"] = option(
        "edit", "Change the region as the instruction says, or delete it"
    )
    gaussians: int = option(10000, "Gaussians that the mesh becomes", low=100, high=500000)
    fit_steps: int = option(300, "Steps of that fit", low=1, high=100000)
    fit_pixels: int = option(128, "Side of its pictures", unit="px", low=8, high=1024)
    steps: int = option(1500, "Steps of the edit", low=1, high=20000)
    rigs: int = option(6, "Sets of four views around the object that are edited", low=1, high=100)
    text_scale: float = option(
        0.0, "How strongly the words are followed; 0 takes the prior's own", low=0.0, high=100.0
    )
    image_scale: float = option(
        1.5, "How strongly an edit keeps to the original picture", low=0.0, high=100.0
    )
    edit_every: int = option(10, "Steps from one edit of pictures to the next", low=1, high=1000)
    sampler_steps: int = option(20, "Steps of the sampler in an edit", low=1, high=1000)
    pace: float = option(1.0, "Factor of all learning rates", low=0.01, high=100.0, advanced=True)
    densify_every: int = option(
        100, "Steps from one densification to the next", low=1, high=10000, advanced=True
    )
    densify_share: float = option(
        0.01, "Share of the region's Gaussians that multiply then", low=0.0, high=1.0,
        advanced=True,
    )
    first_anchor: float = option(
        1.0, "How strongly anchors hold the first generation", low=0.0, high=10.0, advanced=True
    )
    fresh_anchor: float = option(
        0.1, "How strongly they hold a later one at first", low=0.0, high=10.0, advanced=True
    )
    anchor_growth: float = option(
        2.0, "What a densification multiplies that by", low=1.0, high=10.0, advanced=True
    )
    lambda_shape: float = option(
        50.0, "Weight of the anchors of places, sizes and opacities", low=0.0, high=1e4,
        advanced=True,
    )
    lambda_color: float = option(
        0.0, "Weight of the anchors of colors", low=0.0, high=1e4, advanced=True
    )
    trace_threshold: float = option(
        0.5, "What share of a Gaussian a word's outlines must hold", low=0.05, high=0.99
    )
    grid: int = option(
        128, "Cells along each side of the grid that colors are baked from", low=32, high=512,
        advanced=True,
    )


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """A mesh, a place on it and an instruction in; Gaussians and the mesh, changed there, out."""
    if options.operation == "edit" and not inputs.prompt:
        raise InputError(
            "instruction_missing", "There is no instruction.",
            "Say what shall change: \"make the hat green\".",
        )
    if options.operation == "delete":
        studio.prior("inpaint")  # where it is missing, that is said before the fit
    mesh = with_texture(inputs.assets["mesh"].mesh, options.texture_size)
    gaussians = yield from fit_mesh(
        mesh, options.gaussians, options.fit_steps, options.fit_pixels, studio
    )
    placed = yield from studio.once(
        "region", lambda: find_region(gaussians, inputs, mesh, options, studio)
    )
    make = delete if options.operation == "delete" else edit
    gaussians, mesh = yield from make(gaussians, placed, inputs.prompt, options, studio)
    return Asset(
        inputs.prompt, mesh=mesh, splats=gaussians.to_splats(),
        contact_sheet=contact_sheet(gaussians),
    )


def find_region(
    gaussians: Gaussians, inputs: Inputs, mesh: Mesh, options: Options, studio: Studio
) -> PlacedRegion:
    """The region on the mesh, and its labels on the Gaussians: as given, or traced from where the
    prior's attention to its word falls."""
    region = inputs.assets["region"].region
    if region.word:
        prior = studio.prior("attention")
        found = find_word(prior, mesh, region.word, inputs.prompt, options.heat_threshold)
        label(gaussians, trace_word(gaussians, found, options.trace_threshold))
        return place_region(faces_of(mesh, found, region.word), mesh)
    placed = place_region(region, mesh)
    label(gaussians, torch.from_numpy(placed.at_points(gaussians.means.detach().numpy())))
    return placed


def edit(
    gaussians: Gaussians, placed: PlacedRegion, prompt: str, options: Options, studio: Studio
) -> Generator[Progress, None, tuple[Gaussians, Mesh]]:
    """Section 4.2, with the dataset update of Instruct-NeRF2NeRF."""
    prior = studio.prior("instruction")
    remember_rest(gaussians)
    editor = InstructionEditor.embed(
        prior, prompt, studio, image_scale=options.image_scale,
        text_scale=options.text_scale or prior.spec.guidance_scale, steps=options.sampler_steps,
    )
    store = views_of(gaussians, prior, options, studio)
    yield from fit_pictures(gaussians, store, prior, editor, options, studio, options.edit_every)
    mesh = yield from studio.once("mesh", lambda: edited_mesh(gaussians, placed, options.grid))
    return gaussians, mesh


def delete(
    gaussians: Gaussians, placed: PlacedRegion, prompt: str, options: Options, studio: Studio
) -> Generator[Progress, None, tuple[Gaussians, Mesh]]:
    """Section 4.3: every picture's hole is filled once; the prompt may say what shall be there."""
    prior = studio.prior("inpaint")
    whole = cut(placed.mesh, placed.most_on_faces() > 0)
    left = without_region(gaussians, whole, studio.generator("patch"))
    if whole.patches.any():
        store = views_of(left, prior, options, studio)
        with torch.no_grad():
            shown = left.render(store.cameras, channels=[LABEL]).channels[LABEL]
        holes = holes_of(shown, round(store.cameras.height * HOLE_PIXELS))
        text = prior.embed_text([prompt, ""])
        editor = Inpainter(
            prior, text[:1], text[1:], holes, studio,
            options.text_scale or prior.spec.guidance_scale, options.sampler_steps,
        )
        yield from fit_pictures(left, store, prior, editor, options, studio, options.steps + 1)
    mesh = yield from studio.once("mesh", lambda: patched_mesh(left, whole, options.grid))
    return left, mesh


def views_of(gaussians: Gaussians, prior: Prior, options: Options, studio: Studio) -> ViewStore:
    """Renders from all around, which take the place of photographs."""
    cameras = sample_rigs(
        ORBIT, options.rigs, prior.spec.resolution, studio.generator("views"), JOINT
    )
    with torch.no_grad():
        return ViewStore.of(cameras, picture(prior, gaussians, cameras))


def fit_pictures(
    gaussians: Gaussians, store: ViewStore, prior: Prior, editor: Editor, options: Options,
    studio: Studio, every: int,
) -> Generator[Progress, None, None]:
    """The stage "edit": labelled Gaussians fitted to pictures that ``editor`` changes, all before
    the first step, and the next ones ``every`` so many."""
    weights = GenerationWeights(
        options.first_anchor, options.fresh_anchor, options.anchor_growth
    )
    fit = HeldFit(
        options.steps, weights, lambda_color=options.lambda_color,
        lambda_shape=options.lambda_shape, densify_every=options.densify_every,
        densify_share=options.densify_share, pace=options.pace,
    )
    held = HeldSplats(gaussians, store, prior, fit, studio)
    update = DatasetUpdate(
        store, lambda cameras: picture(prior, gaussians, cameras), editor, every,
        count=1 if prior.spec.views == 1 else JOINT,
    )
    yield from studio.stage(
        "edit", held.editing, lambda _: held.steps(lambda: preview(gaussians), update)
    )
    studio.report |= {"edits": store.edits, "gaussians": len(gaussians)}


RECIPE = Recipe(
    id="gaussian_editor",
    title="GaussianEditor",
    task="edit",
    summary="A mesh changed by an instruction in one region, or the region deleted, by way of "
    "Gaussians; everything else keeps its bits.",
    citation="Chen et al., GaussianEditor: Swift and Controllable 3D Editing with Gaussian "
    "Splatting, CVPR 2024, arXiv 2311.14521",
    capabilities=("instruction",),
    inputs=("prompt", "mesh", "region"),
    optional=("prompt",),
    may_use=("inpaint", "attention"),
    options=Options,
    presets={
        "draft": {"gaussians": 4000, "fit_steps": 100, "fit_pixels": 64, "steps": 120, "rigs": 2,
                  "edit_every": 15, "sampler_steps": 10, "densify_every": 30, "pace": 5.0,
                  "grid": 96, "texture_size": 512},
        "standard": {"gaussians": 8000, "fit_steps": 200, "fit_pixels": 96, "steps": 500,
                     "rigs": 4, "densify_every": 60, "pace": 2.0},
        "high": {},
    },
    stages={"fit": 12, "region": 1, "edit": 60, "mesh": 3},
    run=run,
)
