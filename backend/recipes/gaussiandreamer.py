"""GaussianDreamer: Fast Generation from Text to 3D Gaussians by Bridging 2D and 3D Diffusion Models
(Yi et al., CVPR 2024, arXiv 2310.08529).

A 3D prior, or any mesh, says where the object is; its points grow noisily in number and color
(section 3.3) and become Gaussians, which score distillation from a prior of pictures refines
(section 3.4) while they are cloned, split and pruned.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from backend.diffusion.annealing import Number, Schedule, scaled
from backend.distillation.prompts import ConditionalText
from backend.distillation.regularizers import opacity
from backend.distillation.score import ScoreDistillation
from backend.distillation.views import Orbit
from backend.distillation.watchdog import Watchdog
from backend.recipes.growth import RUN, GrowthOptions, distill_growing, mesh_of_views
from backend.recipes.options import option
from backend.recipes.recipe import Inputs, Recipe
from backend.recipes.scores import STRONG_NOISE, ScoredViews, ScoreOptions
from backend.recipes.splats import SplatOptions, finish_splats, seed_points
from backend.representations.gaussians import Gaussians
from backend.representations.points import grow_points
from backend.studio import Progress, Studio
from protocol.assets import Asset

RELEASED_NOISE = (0.02, Schedule(0.98, 0.55, begin=500 / RUN, end=500 / RUN))
"""Of single views."""

RATES: dict[str, Number] = {
    "means": Schedule(2e-4, 1e-4, shape="exponential"),
    "colors": 0.0125, "opacities": 0.01, "scales": 0.005, "quats": 0.001,
}


@dataclass(frozen=True)
class Options(GrowthOptions, SplatOptions, ScoreOptions):
    """The released numbers as defaults, but for the prior."""

    prior: Literal["text", "text+cameras"] = option(
        "text+cameras", "A prior of four views told their cameras, or of single pictures as in the "
        "paper",
    )
    views: int = option(4, "Views in each step", low=1, high=32)
    opacity: float = option(
        0.1, "Opacity of the first Gaussians; a short run has no time to make faint ones solid",
        low=0.01, high=0.99, advanced=True,
    )
    pace: float = option(1.0, "Factor of all learning rates", low=0.01, high=100.0, advanced=True)
    lambda_sparsity: float = option(
        1.0, "Weight of the loss that empties space", low=0.0, high=1e4, advanced=True
    )


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """Text in, Gaussians and a textured mesh out."""
    prior, joint = studio.prior(options.prior), options.prior == "text+cameras"
    text = ConditionalText.embed(
        prior, inputs.prompt, inputs.negative_prompt, view_dependent=not joint
    )
    score = ScoreDistillation(
        prior, text, options.guidance_scale or prior.spec.distillation_scale, form="sds",
        see_cameras=joint, reduction="sum", rescale=0.5 if joint else 0.0,
        t_range=STRONG_NOISE if joint else RELEASED_NOISE,
    )
    if options.start == "views" and "mesh" not in inputs.assets:
        inputs = yield from mesh_of_views(inputs, options, studio)
    gaussians = yield from studio.once("points", lambda: begin(inputs, options, studio))
    yield from distill_splats(score, gaussians, options, studio)
    return (yield from finish_splats(gaussians, options, inputs.prompt, studio))


def begin(inputs: Inputs, options: Options, studio: Studio) -> Gaussians:
    """Section 3.3: points, noisily grown, as round Gaussians."""
    points = seed_points(inputs, options.seeds, studio)
    if options.grow:
        points = grow_points(
            points, options.draws, options.reach, options.perturbation, studio.generator("grow")
        )
    return Gaussians.from_points(points, options.opacity)


def distill_splats(
    score: ScoreDistillation, gaussians: Gaussians, options: Options, studio: Studio
) -> Generator[Progress, None, None]:
    """Section 3.4, with the cameras of the released code."""
    watchdog = Watchdog()
    orbit = Orbit(elevation_degrees=(-10, 60), fov_degrees=(40, 70), fill=(0.7, 1.0))
    sets, each = (1, options.views) if score.see_cameras else (options.views, 1)
    views = ScoredViews(score, orbit, options.steps, studio, sets=sets, views=each)

    def losses(step: int) -> dict[str, Tensor]:
        loss, buffers = views.loss(gaussians, step)
        watchdog.see(buffers.alpha)
        return {"score": loss, "sparsity": opacity(buffers.alpha)}

    rates = {name: scaled(rate, options.pace) for name, rate in RATES.items()}
    weights = {"score": 1.0, "sparsity": options.lambda_sparsity}
    curve = views.curve(gaussians, 2 * sets)
    yield from distill_growing(
        gaussians, losses, weights, rates, curve, watchdog, options, studio
    )


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
        "draft": {"steps": 120, "seeds": 2048, "draws": 100000, "reach": 0.03, "opacity": 0.6,
                  "pace": 0.5, "most": 8000, "mesh_resolution": 96, "faces": 8000,
                  "texture_size": 512},
        "standard": {"draws": 200000, "reach": 0.02, "most": 20000},
        "high": {"steps": 3000, "most": 60000, "mesh_resolution": 192, "faces": 50000,
                 "texture_size": 2048},
    },
    stages={"sample views": 6, "fit views": 9, "fit agreeing views": 9, "points": 1,
            "distill": 20, "mesh": 2},
    run=run,
    version=3,
)
