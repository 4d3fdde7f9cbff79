"""As-Plausible-As-Possible: Plausibility-Aware Mesh Deformation using 2D Diffusion Priors (Yoo et
al., CVPR 2024, arXiv 2311.16739).

A mesh is a Jacobian a face, from which a Poisson system solves the vertices with anchors held
(section 3.1). First the Jacobians follow the handles alone; then they also follow score
distillation from a prior that LoRA made familiar with renders of this very mesh (3.2, 3.3).

Departures: anchors are eliminated from the system, exact, where the released code weighs them, and
the handles are followed for 600 steps and not 300, until they are there.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from backend.deformation.fields import DeformedMesh, JacobianField, VertexField
from backend.deformation.handles import Drag
from backend.distillation.curve import Curve, Probe
from backend.distillation.loop import State, distill
from backend.distillation.prompts import ConditionalText
from backend.distillation.renders import render_latents
from backend.distillation.score import ScoreDistillation
from backend.personalization.training import IDENTIFIER
from backend.recipes.options import option
from backend.recipes.personal import PersonalOptions, know_mesh, noun_of
from backend.recipes.registry import Inputs, Recipe
from backend.recipes.volumes import contact_sheet, preview
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras
from backend.studio import Progress, Studio
from protocol.assets import Asset
from protocol.errors import InputError

FOV_DEGREES, FILL = 53.13, 0.8
USUAL_PULL = 0.25
"""Of a handle, that the learning rate is meant for: farther ones go faster."""
LEAST_STEPS = 50
"""Of following the handles: fewer leave them far from their targets."""


@dataclass(frozen=True)
class Options(PersonalOptions):
    """The released script's numbers as defaults, but for the steps of the first stage."""

    guidance_scale: float = option(
        0.0, "How strongly the prior is followed; 0 takes its own", low=0.0, high=200.0
    )
    prior: Literal["text", "text+cameras"] = option(
        "text", "A prior of single pictures as in the paper, or one that is told the cameras"
    )
    handle_steps: int = option(
        600, "Steps that follow the handles alone", low=LEAST_STEPS, high=20000
    )
    steps: int = option(1000, "Steps that also follow the prior", low=0, high=20000)
    preservation: float = option(
        0.0, "Weight of pictures of the class that the prior should not forget", low=0.0,
        high=10.0, advanced=True,
    )
    rate: float = option(
        1e-3, "Learning rate of the Jacobians", low=1e-6, high=0.1, advanced=True
    )
    lambda_handles: float = option(
        1.0, "Weight of the handles beside the prior", low=0.0, high=1e4, advanced=True
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
    asset = inputs.assets.get("mesh")
    handles = inputs.assets["handles"].handles if "handles" in inputs.assets else None
    if asset is None or asset.mesh is None or handles is None:
        raise InputError(
            "handles_missing", "There is no mesh with handles to deform.",
            "Choose an object, a vertex group of handles with their empties, and anchors.",
        )
    drag = Drag.of(asset.mesh, handles)
    prior, joint = studio.prior(options.prior), options.prior == "text+cameras"
    cameras = four_cameras(drag, prior.spec.resolution)
    noun, known = noun_of(inputs.prompt or asset.name), options.lora_steps > 0
    prior = yield from know_mesh(
        prior, asset.mesh, noun, cameras, options, studio, see_cameras=joint
    )
    fields = {"jacobians": JacobianField, "vertices": VertexField}
    mesh = DeformedMesh(asset.mesh, fields[options.optimize](drag, asset.mesh.faces))
    yield from follow_handles(mesh, drag, options, studio)
    prompt = f"a photo of {IDENTIFIER if known else 'a'} {noun}"
    text = ConditionalText.embed(prior, prompt, inputs.negative_prompt)
    score = ScoreDistillation(
        prior, text, options.guidance_scale or prior.spec.distillation_scale, form="sds",
        weighting="sigma_squared", t_range=(0.02, 0.98), reduction="mean", most_residual=2.0,
        see_cameras=joint,
    )
    yield from make_plausible(mesh, drag, score, cameras, options, studio)
    with torch.no_grad():
        studio.report["handle_error"] = drag.error(mesh.field())
    return Asset(asset.name, mesh=mesh.to_mesh(), contact_sheet=contact_sheet(mesh))


def four_cameras(drag: Drag, resolution: int) -> Cameras:
    """The released code's: in front, right, behind and left; far enough for the targets too."""
    reach = max(1.0, float(drag.rest.norm(dim=-1).max()), float(drag.targets.norm(dim=-1).max()))
    radius = reach * framing_radius(torch.tensor(FOV_DEGREES), FILL)
    return orbit_cameras([0.0, 90.0, 180.0, 270.0], 0.0, radius, FOV_DEGREES, resolution)


def follow_handles(
    mesh: DeformedMesh, drag: Drag, options: Options, studio: Studio
) -> Generator[Progress, None, None]:
    """The first stage: Jacobians such that the handles come to their targets."""
    rates = {"shape": options.rate * max(1.0, drag.pull / USUAL_PULL)}
    yield from studio.stage(
        "follow handles", State.create(mesh, rates, fused=True),
        lambda state: distill(
            state, options.handle_steps, lambda step: {"handles": drag.loss(mesh.field())},
            {"handles": 1.0}, preview=lambda: preview(mesh),
        ),
    )


def make_plausible(
    mesh: DeformedMesh, drag: Drag, score: ScoreDistillation, cameras: Cameras, options: Options,
    studio: Studio,
) -> Generator[Progress, None, None]:
    """The second stage: as before, and one of the four views a step pleases the prior."""

    def losses(step: int) -> dict[str, Tensor]:
        generator = studio.generator("plausible", step)
        camera = cameras[int(torch.randint(len(cameras), (), generator=generator))]
        latents, _ = render_latents(score.prior, mesh, camera, generator)
        t = score.sample_t(1, 1, step / options.steps, generator)
        noise = studio.noise((1, *latents.shape), "plausible", step)
        return {
            "handles": drag.loss(mesh.field()),
            "score": score.loss(latents[None], camera, t, noise),
        }

    rates = {"shape": options.rate}
    weights = {"handles": options.lambda_handles, "score": options.lambda_score}
    probe = Probe.spread(score, cameras, 4, studio.generator("curve"))
    state = yield from studio.stage(
        "make plausible", State.create(mesh, rates, fused=True),
        lambda state: distill(
            state, options.steps, losses, weights, preview=lambda: preview(mesh),
            measure=Curve(score, mesh, probe),
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
)
