"""As-Plausible-As-Possible: Plausibility-Aware Mesh Deformation using 2D Diffusion Priors (Yoo et
al., CVPR 2024, arXiv 2311.16739).

A mesh is a Jacobian a face, from which a Poisson system solves the vertices with anchors held
(section 3.1). First the Jacobians follow the handles alone; then they also follow score
distillation from a prior that LoRA made familiar with renders of this very mesh (3.2, 3.3).

Departures: anchors are eliminated from the system, exact, where the released code weighs them; the
handles are followed for 600 steps and not 300, and what is then left of their way is solved for.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from backend.deformation.dragging import follow_handles, four_cameras
from backend.deformation.fields import DeformedMesh, JacobianField, VertexField
from backend.deformation.handles import Drag
from backend.distillation.loop import State, distill
from backend.distillation.prompts import ConditionalText
from backend.distillation.score import ScoreDistillation
from backend.personalization.training import IDENTIFIER
from backend.recipes.options import option
from backend.recipes.personal import PersonalOptions, know_mesh, noun_of
from backend.recipes.recipe import Inputs, Recipe
from backend.recipes.scores import ScoredViews, ScoreOptions
from backend.recipes.volumes import before_and_after, preview
from backend.studio import Progress, Studio
from protocol.assets import Asset

FIELDS = {"jacobians": JacobianField, "vertices": VertexField}


@dataclass(frozen=True)
class Options(PersonalOptions, ScoreOptions):
    """The released script's numbers as defaults, but for the steps of the first stage and the
    weight of the handles (1 there)."""

    prior: Literal["text", "text+cameras"] = option(
        "text", "A prior of single pictures as in the paper, or one that is told the cameras"
    )
    handle_steps: int = option(600, "Steps that follow the handles alone", low=50, high=20000)
    steps: int = option(1000, "Steps that also follow the prior", low=0, high=20000)
    preservation: float = option(
        0.0, "Weight of pictures of the class that the prior should not forget", low=0.0,
        high=10.0, advanced=True,
    )
    rate: float = option(
        1e-3, "Learning rate of the Jacobians", low=1e-6, high=0.1, advanced=True
    )
    lambda_handles: float = option(
        10.0, "Weight of the handles beside the prior", low=0.0, high=1e4, advanced=True
    )
    lambda_score: float = option(
        1.0, "Weight of the prior beside the handles", low=0.0, high=1e4, advanced=True
    )
    optimize: Literal["jacobians", "vertices"] = option(
        "jacobians", "What is optimized; single vertices are there to be compared with",
        advanced=True,
    )


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """A mesh and handles in, the same mesh in another shape out."""
    given, name = inputs.mesh, inputs.assets["mesh"].name
    drag = Drag.of(given, inputs.handles)
    noun, joint = noun_of(inputs.prompt or name), options.prior == "text+cameras"
    prior = studio.prior(options.prior)
    cameras = four_cameras(drag, prior.spec.resolution)
    prior = yield from know_mesh(prior, given, noun, cameras, options, studio, see_cameras=joint)
    mesh = DeformedMesh(given, FIELDS[options.optimize](drag, given.faces))
    yield from follow_handles(
        mesh, drag, options.handle_steps, options.rate, lambda: preview(mesh), studio
    )
    subject = f"{IDENTIFIER if options.lora_steps else 'a'} {noun}"
    text = ConditionalText.embed(prior, f"a photo of {subject}", inputs.negative_prompt)
    score = ScoreDistillation(
        prior, text, options.guidance_scale or prior.spec.distillation_scale, form="sds",
        weighting="sigma_squared", t_range=(0.02, 0.98), reduction="mean", most_residual=2.0,
        see_cameras=joint,
    )
    views = ScoredViews(score, cameras, options.steps, studio, "make plausible", views=1)
    yield from make_plausible(mesh, drag, views, options, studio)
    mesh.field.settle()
    studio.report["handle_error"] = drag.error(mesh.field())
    return Asset(name, mesh=mesh.to_mesh(), contact_sheet=before_and_after(given, mesh))


def make_plausible(
    mesh: DeformedMesh, drag: Drag, views: ScoredViews, options: Options, studio: Studio
) -> Generator[Progress, None, None]:
    """The second stage: as before, and one of the four views a step pleases the prior."""

    def losses(step: int) -> dict[str, Tensor]:
        return {"handles": drag.loss(mesh.field()), "score": views.loss(mesh, step)[0]}

    weights = {"handles": options.lambda_handles, "score": options.lambda_score}
    state = yield from studio.stage(
        "make plausible", State.create(mesh, {"shape": options.rate}, fused=True),
        lambda state: distill(
            state, options.steps, losses, weights, preview=lambda: preview(mesh),
            measure=views.curve(mesh, 4),
        ),
    )
    studio.report["curve"] = state.curve


RECIPE = Recipe(
    id="apap",
    title="As-Plausible-As-Possible",
    task="deform",
    summary="A mesh dragged by handles into a shape that its kind of thing could have.",
    citation="Yoo et al., As-Plausible-As-Possible: Plausibility-Aware Mesh Deformation Using 2D "
    "Diffusion Priors, CVPR 2024, arXiv 2311.16739",
    capabilities=("text",),
    inputs=("mesh", "handles", "prompt", "negative_prompt"),
    optional=("prompt", "negative_prompt"),
    options=Options,
    presets={
        "draft": {"lora_steps": 60, "steps": 200},
        "standard": {},
        "high": {"lora_steps": 400, "steps": 3000},
    },
    stages={
        "personalize class": 0, "personalize": 15, "follow handles": 2, "make plausible": 40,
    },
    run=run,
    version=2,
)
