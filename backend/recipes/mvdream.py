"""MVDream: Multi-view Diffusion for 3D Generation (Shi et al., arXiv 2308.16512).

A prior that denoises four views of one object jointly, told their cameras, is distilled into a
volume: four orthogonal views a step that share one noise level, the x0-reconstruction loss with
rescaled guidance (section 3.3), an annealed range of noise levels, no view-dependent words.

Where the volume starts is ours to choose: from a blob, as in the paper, or from views that the
prior samples first, robustly fitted (the fast path; it replaces most of the distillation).
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from backend.diffusion.annealing import Number, Schedule
from backend.distillation.prompts import ConditionalText
from backend.distillation.regularizers import opacity
from backend.distillation.score import ScoreDistillation
from backend.distillation.views import Orbit
from backend.multiview.reconstruction import DROPPED, fit_sampled_views
from backend.multiview.rigs import surround
from backend.multiview.views import ViewSampler
from backend.recipes.options import option
from backend.recipes.recipe import Inputs, Recipe
from backend.recipes.scores import STRONG_NOISE, ScoredViews
from backend.recipes.volumes import VolumeOptions, distill_volume, finish, preview
from backend.representations.volume import Volume, grid_volume
from backend.studio import Progress, Studio
from protocol.assets import Asset


@dataclass(frozen=True)
class Options(VolumeOptions):
    """The paper's numbers as defaults, but for the start from sampled views."""

    start: Literal["views", "blob"] = option(
        "views", "Begin from views sampled by the prior, or from a blob as in the paper"
    )
    view_steps: int = option(30, "Denoising steps for each sampled view", low=4, high=200)
    fit_steps: int = option(600, "Steps of fitting the sampled views", low=10, high=10000)
    dropped: float = option(
        DROPPED, "Share of the sampled views left out of the second half of that, those that agree "
        "least", low=0.0, high=0.75, advanced=True,
    )
    steps: int = option(2000, "Steps of score distillation", low=0, high=20000)
    joint: bool = option(
        True, "Let the prior see the four views of a step together; off is there to be compared "
        "with", advanced=True,
    )
    rescale: float = option(
        0.5, "How far guidance is held to the contrast of the plain prediction", low=0.0, high=1.0,
        advanced=True,
    )
    denoising_steps: int = option(
        1, "Denoising steps for the target of one distillation step", low=1, high=50, advanced=True
    )
    lambda_opacity: float = option(
        0.0, "Weight of the loss that empties space", low=0.0, high=10.0, advanced=True
    )


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """Text in, textured mesh out."""
    prior = studio.prior("text+cameras")
    text = ConditionalText.embed(prior, inputs.prompt, inputs.negative_prompt)
    score = ScoreDistillation(
        prior, text, options.guidance_scale or prior.spec.distillation_scale, form="x0",
        rescale=options.rescale, see_cameras=True, t_range=noise_range(options.start),
        denoising_steps=options.denoising_steps, reduction="mean",
    )
    volume = grid_volume(options.grid_resolution, samples=options.samples)
    if options.start == "views":
        sampler = ViewSampler(
            prior, text, options.view_steps, prior.spec.guidance_scale, options.rescale
        )
        yield from fit_sampled_views(
            sampler, surround(prior), volume, options.fit_steps, options.dropped, studio,
            lambda: preview(volume),
        )
    yield from distill_views(score, volume, options, studio)
    return (yield from finish(volume, options, inputs.prompt, studio))


def noise_range(start: str) -> tuple[Number, Number]:
    """From a blob, section 3.3 and the released configuration: t_min from .98 to .02 and t_max from
    .98 to .5 within 80 % of the run."""
    if start == "blob":
        return Schedule(0.98, 0.02, end=0.8), Schedule(0.98, 0.5, end=0.8)
    return STRONG_NOISE


def distill_views(
    score: ScoreDistillation, volume: Volume, options: Options, studio: Studio
) -> Generator[Progress, None, None]:
    """Four orthogonal views a step, as the released configuration draws them."""
    orbit = Orbit(elevation_degrees=(0, 30), fov_degrees=(15, 60), fill=(0.8, 1.0))
    sets, each = (1, 4) if options.joint else (4, 1)
    views = ScoredViews(score, orbit, options.steps, studio, sets=sets, views=each)

    def losses(step: int) -> dict[str, Tensor]:
        loss, buffers = views.loss(volume, step)
        return {"score": loss, "opacity": opacity(buffers.alpha)}

    weights = {"score": 1.0, "opacity": options.lambda_opacity}
    curve = views.curve(volume, 4 * sets)
    yield from distill_volume(
        volume, options.steps, {"grid": 0.01}, losses, weights, curve, studio
    )


RECIPE = Recipe(
    id="mvdream",
    title="MVDream",
    task="text_to_3d",
    summary="Text to a textured mesh through a prior that draws four views at once.",
    citation="Shi et al., MVDream: Multi-view Diffusion for 3D Generation, arXiv 2308.16512",
    capabilities=("text+cameras",),
    inputs=("prompt", "negative_prompt"),
    options=Options,
    presets={
        "draft": {"steps": 40, "fit_steps": 100, "view_steps": 20, "grid_resolution": 64,
                  "samples": 64, "faces": 8000, "texture_size": 512},
        "standard": {"steps": 400, "fit_steps": 400},
        "high": {"grid_resolution": 128, "samples": 128, "faces": 50000, "texture_size": 2048},
    },
    stages={"sample views": 6, "fit views": 9, "fit agreeing views": 9, "distill": 12, "mesh": 4},
    run=run,
    version=3,
)
