"""GaussianDreamer: Fast Generation from Text to 3D Gaussians by Bridging 2D and 3D Diffusion Models
(Yi et al., CVPR 2024, arXiv 2310.08529).

A 3D prior, or any mesh, says where the object is; its points grow noisily in number and color
(section 3.3) and become Gaussians, which score distillation from a prior of pictures refines
(section 3.4) while they are cloned, split and pruned.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from backend.diffusion.annealing import Number, Schedule
from backend.distillation.curve import Curve, Probe
from backend.distillation.loop import State, distill
from backend.distillation.prompts import ConditionalText
from backend.distillation.regularizers import opacity
from backend.distillation.renders import render_latents
from backend.distillation.score import ScoreDistillation
from backend.distillation.views import Orbit, sample_rigs
from backend.distillation.watchdog import Watchdog
from backend.recipes.options import option
from backend.recipes.registry import Inputs, Recipe
from backend.recipes.splats import SplatOptions, finish_splats, seed_points
from backend.recipes.volumes import preview
from backend.representations.densify import Densifier, DensityRule
from backend.representations.gaussians import Gaussians
from backend.representations.points import grow_points
from backend.studio import Progress, Studio
from protocol.assets import Asset

RUN = 1200
"""Steps of the published run, in which its times are told."""

EXTENT = 4.0
"""Of the scene, which the thresholds of scale are told in: the released code's camera distance."""

RATES: dict[str, Number] = {
    "means": Schedule(2e-4, 1e-4, shape="exponential"),
    "colors": 0.0125, "opacities": 0.01, "scales": 0.005, "quats": 0.001,
}


@dataclass(frozen=True)
class Options(SplatOptions):
    """The released numbers as defaults."""

    guidance_scale: float = option(
        0.0, "How strongly the prompt is followed; 0 takes the prior's own", low=0.0, high=200.0
    )
    prior: Literal["text", "text+cameras"] = option(
        "text", "A prior of single pictures as in the paper, or of four views told their cameras"
    )
    steps: int = option(1200, "Steps of score distillation", low=1, high=20000)
    views: int = option(4, "Views in each step", low=1, high=32)
    seeds: int = option(4096, "Points to begin from", low=64, high=65536)
    grow: bool = option(True, "Add noisy points around the first ones")
    draws: int = option(
        1000000, "Points drawn in the bounding box when growing", low=0, high=2000000,
        advanced=True,
    )
    reach: float = option(
        0.01, "Drawn points stay this near to a first one", low=0.0, high=0.5, advanced=True
    )
    perturbation: float = option(
        0.2, "How much brighter than its nearest a grown point may be", low=0.0, high=1.0,
        advanced=True,
    )
    pace: float = option(1.0, "Factor of all learning rates", low=0.01, high=100.0, advanced=True)
    densify_gradient: float = option(
        2e-4, "Gaussians with a larger gradient in the picture multiply", low=0.0, high=1e6,
        advanced=True,
    )
    least_opacity: float = option(
        0.05, "Gaussians fainter than this go", low=0.0, high=1.0, advanced=True
    )
    most: int = option(100000, "Most Gaussians", low=100, high=1000000)
    lambda_sparsity: float = option(
        1.0, "Weight of the loss that empties space", low=0.0, high=1e4, advanced=True
    )


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """Text in, Gaussians and a textured mesh out."""
    prior, joint = studio.prior(options.prior), options.prior == "text+cameras"
    text = ConditionalText.embed(
        prior, inputs.prompt, inputs.negative_prompt, view_dependent=not joint
    )
    usual = prior.spec.guidance_scale if joint else prior.spec.distillation_scale
    score = ScoreDistillation(
        prior, text, options.guidance_scale or usual, form="sds",
        see_cameras=joint, reduction="sum",
        t_range=(0.02, Schedule(0.98, 0.55, begin=500 / RUN, end=500 / RUN)),
    )
    gaussians = yield from studio.once("points", lambda: begin(inputs, options, studio))
    yield from distill_splats(score, gaussians, options, studio)
    return (yield from finish_splats(gaussians, options, inputs.prompt, studio))


def begin(inputs: Inputs, options: Options, studio: Studio) -> Gaussians:
    """Section 3.3: points, noisily grown, as faint round Gaussians."""
    points = seed_points(inputs, options.seeds, studio)
    if options.grow:
        points = grow_points(
            points, options.draws, options.reach, options.perturbation, studio.generator("grow")
        )
    return Gaussians.from_points(points, opacity=0.1)


def distill_splats(
    score: ScoreDistillation, gaussians: Gaussians, options: Options, studio: Studio
) -> Generator[Progress, None, None]:
    """Section 3.4, with the cameras and the density control of the released code."""
    resolution, watchdog = score.prior.spec.resolution, Watchdog()
    orbit = Orbit(elevation_degrees=(-10, 60), fov_degrees=(40, 70), fill=(0.7, 1.0))
    sets, views = (1, options.views) if score.see_cameras else (options.views, 1)

    def losses(step: int) -> dict[str, Tensor]:
        generator = studio.generator("distill", step)
        cameras = sample_rigs(orbit, sets, resolution, generator, views)
        latents, buffers = render_latents(score.prior, gaussians, cameras, generator)
        watchdog.see(buffers.alpha)
        latents = latents.unflatten(0, (sets, views))
        t = score.sample_t(sets, views, step / options.steps, generator)
        noise = studio.noise(tuple(latents.shape), "distill", step)
        return {
            "score": score.loss(latents, cameras, t, noise), "sparsity": opacity(buffers.alpha)
        }

    def control_density(step: int) -> None:
        rule = density_rule(step + 1, options)
        if rule is not None:
            densifier.densify(rule, studio.generator("densify", step), state.optimizer)

    densifier = Densifier(gaussians, (resolution, resolution))
    rates = {name: _times(options.pace, rate) for name, rate in RATES.items()}
    state = State.create(gaussians, rates, eps=1e-15)
    state.watchdog = watchdog
    generator = studio.generator("curve")
    cameras = sample_rigs(orbit, 2 * sets, resolution, generator, views)
    curve = Curve(score, gaussians, Probe.spread(score, cameras, 2 * sets, generator))
    weights = {"score": 1.0, "sparsity": options.lambda_sparsity}
    yield from studio.stage(
        "distill", state,
        lambda state: distill(
            state, options.steps, losses, weights, rates=rates, after_step=control_density,
            preview=lambda: preview(gaussians), measure=curve,
        ),
    )
    studio.report |= {
        "curve": state.curve, "gaussians": len(gaussians), "recovered": watchdog.recovered
    }


def density_rule(step: int, options: Options) -> DensityRule | None:
    """What is cloned, split and pruned after ``step`` steps: something every 100 of 1200 steps,
    from 300 to 900, neither included; large ones go only after 500."""
    interval = max(round(options.steps * 100 / RUN), 1)
    between = 300 * options.steps < step * RUN < 900 * options.steps
    if not between or step % interval:
        return None
    late = step * RUN > 500 * options.steps
    return DensityRule(
        gradient=options.densify_gradient, split_scale=0.01 * EXTENT, opacity=options.least_opacity,
        most_scale=0.1 * EXTENT if late else float("inf"),
        most_pixels=20 if late else float("inf"), most=options.most,
    )


def _times(factor: float, rate: Number) -> Number:
    if isinstance(rate, Schedule):
        return replace(rate, start=factor * rate.start, stop=factor * rate.stop)
    return factor * rate


RECIPE = Recipe(
    id="gaussiandreamer",
    title="GaussianDreamer",
    task="text_to_3d",
    summary="Text, or text and a mesh to begin from, to Gaussians and a textured mesh.",
    citation="Yi et al., GaussianDreamer: Fast Generation from Text to 3D Gaussians by Bridging "
    "2D and 3D Diffusion Models, CVPR 2024, arXiv 2310.08529",
    capabilities=("text",),
    may_use=("text+cameras", "points"),
    inputs=("prompt", "negative_prompt", "mesh"),
    optional=("negative_prompt", "mesh"),
    options=Options,
    presets={
        "draft": {"steps": 240, "seeds": 2048, "draws": 100000, "reach": 0.03, "pace": 4.0,
                  "most": 8000, "mesh_resolution": 96, "faces": 8000, "texture_size": 512},
        "standard": {"draws": 200000, "reach": 0.02, "most": 20000},
        "high": {"steps": 3000, "most": 60000, "mesh_resolution": 192, "faces": 50000,
                 "texture_size": 2048},
    },
    stages={"points": 2, "distill": 80, "mesh": 5},
    run=run,
)
