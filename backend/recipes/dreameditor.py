"""DreamEditor: Text-Driven 3D Scene Editing with Neural Fields (Zhuang et al., arXiv 2306.13455).

A mesh is distilled into a field whose color, geometry and position stand on its vertices (section
4.1); the region is given, or found by a word through the prior's attention and back-projected to
faces (4.2). Score distillation from a prior that DreamBooth made familiar with this very object
then changes only the vertices of the region, and small terms keep it smooth (4.3). The topology
stays: vertices move, and the texture is baked anew in the region.

Departures: the given mesh is the teacher, there is no NeRF before it; the prior is made familiar by
LoRA, with nine renders of the mesh, and sees four views of a step jointly, with their cameras, by
MVDream's form of the loss.
"""

from collections.abc import Generator
from dataclasses import dataclass

from backend.diffusion.annealing import Number, Schedule
from backend.distillation.loop import distill
from backend.distillation.prompts import ConditionalText
from backend.distillation.score import ScoreDistillation
from backend.distillation.views import Orbit
from backend.editing.instruction import STRONGEST
from backend.editing.locating import surrounding_cameras
from backend.editing.mesh_fields import (
    edit_rates,
    edited_mesh,
    fit_field,
    held_state,
    shape_losses,
)
from backend.meshing.texturing import with_texture
from backend.recipes.edits import EditOptions, check_said, locate
from backend.recipes.options import option
from backend.recipes.personal import PersonalOptions, know_mesh, noun_of, with_identifier
from backend.recipes.recipe import Inputs, Recipe
from backend.recipes.scores import ScoredViews, ScoreOptions
from backend.recipes.volumes import before_and_after, preview
from backend.regions.placed import PlacedRegion
from backend.representations.mesh import MeshRepresentation
from backend.representations.mesh_field import MeshField
from backend.studio import Progress, Studio
from protocol.assets import Asset

ORBIT = Orbit(elevation_degrees=(-10, 45), fov_degrees=(30, 50), fill=(0.8, 1.0))


@dataclass(frozen=True)
class Options(PersonalOptions, EditOptions, ScoreOptions):
    """The paper's rates and noise range; counts for a CPU."""

    subject: str = option(
        "", "What the object is called now, as the prompt says it; else its name tells"
    )
    fit_steps: int = option(200, "Steps that distil the mesh into its field", low=0, high=100000)
    steps: int = option(1000, "Steps of score distillation in the region", low=1, high=20000)
    geometry: bool = option(True, "Let the shape change too, not only the color")
    learning_rate: float = option(
        0.01, "Rate of the color features; the others follow", low=1e-4, high=1.0, advanced=True
    )
    lambda_shape: float = option(
        1e-4, "Weight of what keeps moved vertices smooth and edges as long as they were",
        low=0.0, high=100.0, advanced=True,
    )


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """A mesh, a place on it and words in; the same mesh, changed in that place, out."""
    prior = studio.prior("text+cameras")
    check_said(inputs.prompt, studio, "text+cameras")
    mesh = with_texture(inputs.mesh, options.texture_size)
    placed = yield from studio.once("locate", lambda: locate(inputs, mesh, options, studio))
    noun = noun_of(options.subject or inputs.assets["mesh"].name)
    cameras = surrounding_cameras(prior.spec.resolution)
    prior = yield from know_mesh(prior, mesh, noun, cameras, options, studio, see_cameras=True)
    field = yield from fit_field(mesh, ORBIT, options.fit_steps, studio, preview)
    prompt = with_identifier(inputs.prompt, noun) if options.lora_steps else inputs.prompt
    text = ConditionalText.embed(prior, prompt, inputs.negative_prompt)
    score = ScoreDistillation(
        prior, text, options.guidance_scale or prior.spec.distillation_scale, form="x0",
        rescale=0.5, see_cameras=True, t_range=noise_range(options.strength), reduction="mean",
    )
    yield from edit_region(score, field, placed, options, studio)
    result = yield from studio.once("mesh", lambda: edited_mesh(field, placed))
    looks = before_and_after(mesh, MeshRepresentation(result))
    return Asset(inputs.prompt, mesh=result, contact_sheet=looks)


def noise_range(strength: float) -> tuple[float, Number]:
    """The paper's most falls from 0.98 to a quarter of it. A run that stays where noise is strong,
    since what a picture shows through less noise stays as it is, has no need of that."""
    falling = Schedule(STRONGEST, STRONGEST / 4)
    return strength, falling if strength < STRONGEST / 4 else STRONGEST


def edit_region(
    score: ScoreDistillation, field: MeshField, placed: PlacedRegion, options: Options,
    studio: Studio,
) -> Generator[Progress, None, None]:
    """Stage 3: score distillation through a gate that holds everything outside the region."""
    views = ScoredViews(score, ORBIT, options.steps, studio, "edit", sets=1, views=4)
    shape = shape_losses(field)
    rates = edit_rates(options.learning_rate, options.geometry)
    weights = {"score": 1.0, **dict.fromkeys(("laplacian", "edges"), options.lambda_shape)}
    yield from studio.stage(
        "edit", held_state(field, placed, rates),
        lambda state: distill(
            state, options.steps,
            lambda step: {"score": views.loss(field, step)[0], **shape()}, weights, rates=rates,
            after_step=field.upkeep, preview=lambda: preview(field),
        ),
    )


RECIPE = Recipe(
    id="dreameditor",
    title="DreamEditor",
    task="edit",
    summary="A mesh changed by words in one region; everything else keeps its bits.",
    citation="Zhuang et al., DreamEditor: Text-Driven 3D Scene Editing with Neural Fields, "
    "arXiv 2306.13455",
    capabilities=("text+cameras",),
    may_use=("attention",),
    inputs=("prompt", "negative_prompt", "mesh", "region"),
    options=Options,
    presets={
        "draft": {"lora_steps": 20, "fit_steps": 60, "steps": 300, "learning_rate": 0.05,
                  "strength": 0.5, "lambda_shape": 0.01, "texture_size": 512},
        "standard": {"lora_steps": 20, "fit_steps": 150, "steps": 800, "learning_rate": 0.02,
                     "strength": 0.5, "lambda_shape": 0.05},
        "high": {},
    },
    stages={
        "locate": 3, "personalize class": 3, "personalize": 15, "fit": 30, "edit": 90, "mesh": 4,
    },
    run=run,
    optional=("negative_prompt",),
    version=2,
)
