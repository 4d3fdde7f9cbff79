"""DreamEditor: Text-Driven 3D Scene Editing with Neural Fields (Zhuang et al., arXiv 2306.13455).

A mesh is distilled into a field whose color, geometry and position stand on its vertices (section
4.1); the region is given, or found by a word through the prior's attention and back-projected to
faces (4.2); score distillation then changes only the vertices of the region, and small terms keep
it smooth (4.3). The topology stays: vertices move, and the texture is baked anew in the region.

Departures: the given mesh is the teacher, there is no NeRF before it; the prior sees four views of
a step jointly, with their cameras, where it can.
"""

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.diffusion.annealing import Schedule
from backend.distillation.loop import State, distill
from backend.distillation.prompts import ConditionalText
from backend.distillation.regularizers import edge_lengths, laplacian
from backend.distillation.renders import render_latents
from backend.distillation.score import ScoreDistillation
from backend.distillation.views import Orbit, sample_rigs
from backend.editing.locating import locate_word
from backend.editing.mesh_fields import (
    digest,
    edited_mesh,
    field_of_mesh,
    fit_losses,
    row_weights,
)
from backend.meshing.texturing import with_texture
from backend.recipes.options import option
from backend.recipes.registry import Inputs, Recipe
from backend.recipes.volumes import SHEET_PIXELS, preview, turntable
from backend.regions.gate import Gate
from backend.regions.placed import PlacedRegion, place_region
from backend.rendering.cameras import Cameras
from backend.rendering.sheet import sheet
from backend.representations.mesh import MeshRepresentation
from backend.representations.mesh_field import MeshField
from backend.studio import Progress, Studio
from protocol.assets import Asset, Mesh, Region

ORBIT = Orbit(elevation_degrees=(-10, 45), fov_degrees=(30, 50), fill=(0.8, 1.0))


@dataclass(frozen=True)
class Options:
    """The paper's rates and noise range; counts for a CPU."""

    guidance_scale: float = option(
        0.0, "How strongly the prompt is followed; 0 takes the prior's own", low=0.0, high=200.0
    )
    fit_steps: int = option(200, "Steps that distil the mesh into its field", low=0, high=100000)
    steps: int = option(1000, "Steps of score distillation in the region", low=1, high=20000)
    geometry: bool = option(True, "Let the shape change too, not only the color")
    heat_threshold: float = option(
        0.75, "How hot a place must be to belong to the word", low=0.05, high=0.99
    )
    texture_size: int = option(
        1024, "Texture side, where the mesh has no texture yet", unit="px", low=64, high=8192
    )
    learning_rate: float = option(
        0.01, "Rate of the color features; the others follow", low=1e-4, high=1.0, advanced=True
    )
    lambda_laplacian: float = option(
        1e-4, "Weight of the loss that smooths moved vertices", low=0.0, high=100.0, advanced=True
    )
    lambda_edges: float = option(
        1e-4, "Weight of the loss that keeps edges as long as they were", low=0.0, high=100.0,
        advanced=True,
    )


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """A mesh, a place on it and words in; the same mesh, changed in that place, out."""
    prior = studio.prior("text+cameras")
    mesh = with_texture(inputs.assets["mesh"].mesh, options.texture_size)
    region = inputs.assets["region"].region
    placed = yield from studio.once(
        "locate", lambda: locate(region, mesh, inputs.prompt, options, studio)
    )
    field = field_of_mesh(mesh, studio.generator("networks"))
    yield from fit_field(field, mesh, options, studio)
    text = ConditionalText.embed(prior, inputs.prompt, inputs.negative_prompt)
    score = ScoreDistillation(
        prior, text, options.guidance_scale or prior.spec.guidance_scale, see_cameras=True,
        # 0.98 (0.25 + 0.75 (1 - r)) at the fraction r of the run.
        t_range=(0.02, Schedule(0.98, 0.245)), reduction="mean",
    )
    yield from edit_region(score, field, placed, options, studio)
    result = yield from studio.once("mesh", lambda: edited_mesh(field, placed))
    views = turntable(MeshRepresentation(result), 8, SHEET_PIXELS)
    return Asset(inputs.prompt, mesh=result, contact_sheet=sheet(views, columns=4))


def locate(
    region: Region, mesh: Mesh, prompt: str, options: Options, studio: Studio
) -> PlacedRegion:
    """The region as given, or where the prior's attention to its word falls."""
    if region.word:
        prior = studio.prior("attention")
        region = locate_word(prior, mesh, region.word, prompt, options.heat_threshold)
    return place_region(region, mesh)


def fit_field(
    field: MeshField, mesh: Mesh, options: Options, studio: Studio
) -> Generator[Progress, None, None]:
    """Stage 1: the mesh distilled into its field; shared by all edits of the same mesh."""
    losses = fit_losses(field, mesh, lambda step: views_of_step("fit", step, 64, studio))
    rates = {"color": 0.01, "geometry": 0.01, "networks": 1e-3}
    weights = {"distance": 1.0, "color": 1.0, "render": 10.0}
    yield from studio.stage(
        "fit", State.create(field, rates),
        lambda state: distill(
            state, options.fit_steps, losses, weights, preview=lambda: preview(field)
        ),
        identity={"fit": 1, "mesh": digest(mesh), "steps": options.fit_steps},
    )


def edit_region(
    score: ScoreDistillation, field: MeshField, placed: PlacedRegion, options: Options,
    studio: Studio,
) -> Generator[Progress, None, None]:
    """Stage 3: score distillation through a gate that holds everything outside the region."""
    resolution = score.prior.spec.resolution
    edges = field.edges()
    lengths = (field.base[edges[:, 0]] - field.base[edges[:, 1]]).norm(dim=-1)

    def losses(step: int) -> dict[str, Tensor]:
        cameras, generator = views_of_step("edit", step, resolution, studio)
        latents, _ = render_latents(score.prior, field, cameras, generator)
        t = score.sample_t(1, 4, step / options.steps, generator)
        noise = studio.noise((1, *latents.shape), "edit", step)
        return {
            "score": score.loss(latents[None], cameras, t, noise),
            "laplacian": laplacian(field.positions, edges),
            "edges": edge_lengths(field.positions, edges, lengths),
        }

    rate = options.learning_rate
    rates: dict[str, Schedule | float] = {"color": rate}
    if options.geometry:
        # Vertices stop moving halfway, as in the released code.
        rates |= {"geometry": 0.1 * rate, "offsets": Schedule(0.1 * rate, 0.0, end=0.5)}
    state = State.create(field, rates)
    held = row_weights(field, placed)
    Gate(state.optimizer, lambda: held)
    weights = {
        "score": 1.0, "laplacian": options.lambda_laplacian, "edges": options.lambda_edges
    }
    yield from studio.stage(
        "edit", state,
        lambda state: distill(
            state, options.steps, losses, weights, rates=rates, after_step=field.upkeep,
            preview=lambda: preview(field),
        ),
    )


def views_of_step(
    stage: str, step: int, resolution: int, studio: Studio
) -> tuple[Cameras, torch.Generator]:
    """Four views at right angles, and the generator that drew them."""
    generator = studio.generator(stage, step)
    return sample_rigs(ORBIT, 1, resolution, generator), generator


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
        "draft": {"fit_steps": 60, "steps": 120, "learning_rate": 0.05, "texture_size": 512},
        "standard": {"fit_steps": 150, "steps": 500, "learning_rate": 0.02},
        "high": {},
    },
    stages={"locate": 3, "fit": 30, "edit": 60, "mesh": 4},
    run=run,
    optional=("negative_prompt",),
)
