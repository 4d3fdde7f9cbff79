"""Zero-1-to-3: Zero-shot One Image to 3D Object (Liu et al., arXiv 2303.11328).

A prior that draws a new view of one picture, told where that view stands from the picture's, is
distilled into a volume (section 3.3): random views are scored beside the picture, by score Jacobian
chaining as in the paper or by plain score distillation as in the later released configuration,
while the picture's own view is fitted to the picture, and views a step aside may not differ much.
The prior's new views are a result of their own (section 3.2).

Where the volume starts is ours to choose: from a blob, as in the paper, or from those new views,
robustly fitted.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from backend.diffusion.annealing import Number, Schedule
from backend.distillation.regularizers import solid_losses
from backend.distillation.score import PictureDistillation
from backend.distillation.views import Orbit
from backend.multiview.novel import NovelViewSampler
from backend.multiview.reconstruction import DROPPED, Targets, fit_views
from backend.multiview.reference import ReferenceView, beside_picture
from backend.multiview.rigs import FILL, views_around
from backend.multiview.views import to_views
from backend.priors.base import Prior
from backend.recipes.options import option
from backend.recipes.pictures import PictureOptions, find_reference
from backend.recipes.recipe import Inputs, Recipe
from backend.recipes.scores import ScoredViews
from backend.recipes.volumes import distill_volume, finish, preview
from backend.representations.volume import Volume, grid_volume
from backend.studio import Progress, Studio
from protocol.assets import Asset

GRID_RATES = {"blob": Schedule(0.1, 0.02), "views": Schedule(0.02, 0.005)}
SHAPE_WEIGHTS: dict[str, Number] = {"orientation": 1.0, "opacity": 0.1, "entropy": 0.1}
WANT = frozenset({"color", "alpha", "normals", "samples"})
T_RANGE: dict[str, tuple[Number, Number]] = {
    "sjc": (0.03, 0.99),
    "sds": (Schedule(0.4, 0.2, end=1 / 3), Schedule(0.85, 0.5, end=1 / 3)),
}


@dataclass(frozen=True)
class Options(PictureOptions):
    """The numbers of the later released configuration; the volume is a grid, its resolution that
    of the prior all along."""

    guidance_scale: float = option(
        3.0, "How strongly new views follow the picture", low=1.0, high=100.0
    )
    novel_views: int = option(
        8, "Views drawn around the object as a result of their own", low=1, high=32
    )
    view_steps: int = option(75, "Denoising steps for each of these", low=4, high=200)
    view_sets: int = option(
        1, "Times that the views are drawn: what is fitted is what most of them agree on",
        low=1, high=16,
    )
    start: Literal["views", "blob"] = option(
        "views", "Begin from these views, or from a blob as in the paper"
    )
    fit_steps: int = option(400, "Steps of fitting them", low=10, high=10000)
    score: Literal["sds", "sjc"] = option(
        "sds", "Score distillation, or score Jacobian chaining as in the paper"
    )
    steps: int = option(600, "Steps of distillation", low=1, high=20000)
    views: int = option(4, "Random views in each step", low=1, high=32)
    lambda_score: float = option(
        0.1, "Weight of the prior's opinion", low=0.0, high=1e4, advanced=True
    )
    lambda_near: float = option(
        10.0, "Weight of the loss between near views", low=0.0, high=1e5, advanced=True
    )
    lambda_smooth: float = option(
        8.0, "Weight of the loss that smooths normals", low=0.0, high=1e4, advanced=True
    )


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """A picture in; a textured mesh and new views out."""
    prior = studio.prior("image+pose")
    reference = find_reference(inputs, prior, options, studio)
    cameras = views_around(reference.given.cameras, options.novel_views)
    sampler = NovelViewSampler(
        prior, reference.given, cameras, options.view_steps, options.guidance_scale,
        # A blob has no use for more than the result.
        options.view_sets if options.start == "views" else 1,
    )
    drawn = yield from studio.stage(
        "draw views", sampler.empty(), lambda views: sampler.draw(views, studio)
    )
    volume = grid_volume(options.grid_resolution, samples=options.samples)
    if options.start == "views":
        targets = Targets.decode(prior, drawn)
        targets = beside_picture(targets, reference.picture, reference.given.cameras)
        yield from fit_views(
            targets, volume, options.fit_steps, DROPPED, studio, lambda: preview(volume)
        )
    else:
        studio.skip("fit views", "fit agreeing views")
    yield from distill_picture(prior, reference, volume, options, studio)
    asset = yield from finish(volume, options, reference.name, studio)
    shown = drawn.part(slice(len(cameras)))
    asset.views = to_views(prior, cameras, shown.latents)
    asset.images["views"] = sampler.preview(shown).contact_sheet
    return asset


def noise_range(options: Options) -> tuple[Number, Number]:
    """The published ones from a blob. Beside the picture, a volume that shows the object already
    comes out alike with less noise or more: see docs/distillation.md."""
    return T_RANGE[options.score] if options.start == "blob" else (0.02, Schedule(0.5, 0.3))


def distill_picture(
    prior: Prior, reference: ReferenceView, volume: Volume, options: Options, studio: Studio
) -> Generator[Progress, None, None]:
    """Random views beside the picture's own in every step, as far away as the picture: the prior is
    told no other distance."""
    score = PictureDistillation(
        prior, reference.given, options.guidance_scale, form=options.score,
        t_range=noise_range(options),
    )
    lens = (options.fov_degrees, options.fov_degrees)
    orbit = Orbit(elevation_degrees=(-10, 80), fov_degrees=lens, fill=(FILL, FILL))
    views = ScoredViews(
        score, orbit, options.steps, studio, sets=options.views, views=1, want=WANT
    )

    def losses(step: int) -> dict[str, Tensor]:
        loss, buffers = views.loss(volume, step)
        pinned = reference.losses(volume, views.cameras(step)[0], studio.generator("near", step))
        return {"score": loss, **pinned, **solid_losses(buffers)}

    weights = SHAPE_WEIGHTS | {
        name: getattr(options, f"lambda_{name}")
        for name in ("score", "color", "mask", "near", "smooth")
    }
    rates = {"grid": GRID_RATES[options.start]}
    yield from distill_volume(
        volume, options.steps, rates, losses, weights, views.curve(volume, 8), studio
    )


RECIPE = Recipe(
    id="zero123",
    title="Zero-1-to-3",
    task="image_to_3d",
    summary="One picture to new views of it and to a textured mesh.",
    citation="Liu et al., Zero-1-to-3: Zero-shot One Image to 3D Object, arXiv 2303.11328",
    capabilities=("image+pose",),
    inputs=("prompt", "image"),
    optional=("prompt",),
    options=Options,
    presets={
        "draft": {"steps": 60, "view_steps": 20, "view_sets": 4, "fit_steps": 120,
                  "grid_resolution": 48, "samples": 48, "faces": 8000, "texture_size": 512},
        "standard": {"steps": 200, "view_steps": 40, "view_sets": 4, "grid_resolution": 64,
                     "samples": 64},
        "high": {"view_sets": 4, "fit_steps": 800},
    },
    stages={"draw views": 32, "fit views": 5, "fit agreeing views": 5, "distill": 30, "mesh": 4},
    run=run,
    version=4,
)
