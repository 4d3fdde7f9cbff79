"""DreamFusion: Text-to-3D using 2D Diffusion (Poole et al., arXiv 2209.14988).

A prior of single images is distilled into a volume: random views and lights, view-dependent
words, score distillation with w(t) = sigma**2 (section 3.1), and shading that turns between albedo,
shaded and textureless so that shape cannot hide behind paint (3.2). Behind the object stands a
learned background, as in the paper, unless the prior draws alpha and wants its own gray there.
"""

from collections.abc import Generator
from dataclasses import dataclass

from torch import Tensor

from backend.diffusion.annealing import Number, Schedule
from backend.distillation.curve import Curve, Probe
from backend.distillation.lights import ShadingCurriculum
from backend.distillation.prompts import ConditionalText
from backend.distillation.regularizers import opacity, rendered_orientation
from backend.distillation.renders import render_latents
from backend.distillation.score import ScoreDistillation
from backend.distillation.views import Orbit, jittered, sample_views
from backend.priors.base import Condition
from backend.recipes.options import option
from backend.recipes.recipe import Inputs, Recipe
from backend.recipes.volumes import VolumeOptions, distill_volume, finish
from backend.representations.background import Background
from backend.representations.volume import Volume, grid_volume
from backend.studio import Progress, Studio
from protocol.assets import Asset

# Of the grid: it falls to a fifth in the second half. The paper's network has its own.
GRID_RATE = Schedule(0.05, 0.01, begin=0.5)


@dataclass(frozen=True)
class Options(VolumeOptions):
    """The paper's numbers as defaults; the volume is a grid instead of its MLP."""

    steps: int = option(10000, "Steps of score distillation", low=1, high=50000)
    views: int = option(4, "Views in each step", low=1, high=32)
    view_dependent: bool = option(
        True, "Tell the prior from which side it looks; off is there to be compared with",
        advanced=True,
    )
    albedo_until: float = option(
        0.1, "Share of the run without shading", low=0.0, high=1.0, advanced=True
    )
    textureless: float = option(
        0.5, "Share of shaded steps without texture", low=0.0, high=1.0, advanced=True
    )
    lambda_orientation: float = option(
        0.01, "Weight of the loss against normals that face away", low=0.0, high=100.0,
        advanced=True,
    )
    lambda_opacity: float = option(
        0.001, "Weight of the loss that empties space", low=0.0, high=10.0, advanced=True
    )


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """Text in, textured mesh out."""
    prior = studio.prior("text")
    text = ConditionalText.embed(
        prior, inputs.prompt, inputs.negative_prompt, view_dependent=options.view_dependent
    )
    score = ScoreDistillation(
        prior, text, options.guidance_scale or prior.spec.distillation_scale, form="sds",
        weighting="sigma_squared", t_range=(0.02, 0.98), reduction="mean",
        condition=Condition(alpha_known=prior.spec.background is not None),
    )
    background = Background() if prior.spec.background is None else None
    volume = grid_volume(
        options.grid_resolution, background, options.samples, density_activation="exp"
    )
    yield from distill_lit_views(score, volume, options, studio)
    return (yield from finish(volume, options, inputs.prompt, studio))


def distill_lit_views(
    score: ScoreDistillation, volume: Volume, options: Options, studio: Studio
) -> Generator[Progress, None, None]:
    """Random views and lights, with the losses of appendix A.2."""
    resolution = score.prior.spec.resolution
    orbit = Orbit(elevation_degrees=(-10, 90), fov_degrees=(40, 70), fill=(0.7, 1.0))
    curriculum = ShadingCurriculum(options.albedo_until, textureless=options.textureless)
    want = frozenset({"color", "alpha", "samples"})

    def losses(step: int) -> dict[str, Tensor]:
        generator, progress = studio.generator("distill", step), step / options.steps
        cameras = sample_views(orbit, options.views, resolution, generator)
        cameras = jittered(cameras, 0.05, generator)
        shading = curriculum.sample(cameras, progress, generator)
        latents, buffers = render_latents(
            score.prior, volume, cameras, generator, shading=shading, want=want,
            own_background=volume.background is not None,
        )
        t = score.sample_t(options.views, 1, progress, generator)
        noise = studio.noise((options.views, 1, *latents.shape[1:]), "distill", step)
        return {
            "score": score.loss(latents[:, None], cameras, t, noise),
            "orientation": rendered_orientation(buffers),
            "opacity": opacity(buffers.alpha),
        }

    # Annealed over the first third of the run, as 5k of 15k steps.
    final = options.lambda_orientation
    weights: dict[str, Number] = {
        "score": 1.0,
        "orientation": Schedule(0.01 * final, final, end=1 / 3),
        "opacity": options.lambda_opacity,
    }
    generator = studio.generator("curve")
    probe = Probe.spread(score, sample_views(orbit, 8, resolution, generator), 8, generator)
    learned = volume.background is not None
    rates = {"grid": GRID_RATE} | ({"background": 0.001} if learned else {})
    curve = Curve(score, volume, probe, own_background=learned)
    yield from distill_volume(volume, options.steps, rates, losses, weights, curve, studio)


RECIPE = Recipe(
    id="dreamfusion",
    title="DreamFusion",
    task="text_to_3d",
    summary="Text to a textured mesh through any text-to-image prior.",
    citation="Poole et al., DreamFusion: Text-to-3D using 2D Diffusion, arXiv 2209.14988",
    capabilities=("text",),
    inputs=("prompt", "negative_prompt"),
    options=Options,
    presets={
        "draft": {"steps": 300, "grid_resolution": 48, "samples": 64, "faces": 8000,
                  "texture_size": 512},
        "standard": {"steps": 1500, "grid_resolution": 64, "samples": 64},
        "high": {},
    },
    stages={"distill": 80, "mesh": 4},
    run=run,
    version=2,
)
