"""Zero-1-to-3: Zero-shot One Image to 3D Object (Liu et al., arXiv 2303.11328).

A prior that draws a new view of one picture, told where that view stands from the picture's, is
distilled into a volume (section 3.3): random views are scored beside the picture, by score Jacobian
chaining as in the paper or by plain score distillation as in the later released configuration,
while the picture's own view is fitted to the picture, and views a step aside may not differ much.
The prior's new views are a result of their own (section 3.2).
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from backend.diffusion.annealing import Number, Schedule
from backend.distillation.curve import Curve, Probe
from backend.distillation.regularizers import entropy, image_smoothness, opacity, orientation
from backend.distillation.renders import render_latents
from backend.distillation.score import PictureDistillation
from backend.distillation.views import Orbit, near_views, sample_views
from backend.multiview.images import Picture, find_image, given_view, prepare_picture
from backend.multiview.novel import NovelViewSampler
from backend.multiview.rigs import FILL, picture_camera
from backend.multiview.views import ViewSet, to_views
from backend.priors.base import Prior
from backend.recipes.options import option
from backend.recipes.registry import Inputs, Recipe
from backend.recipes.volumes import VolumeOptions, distill_volume, finish
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras
from backend.representations.volume import Volume, grid_volume
from backend.studio import Progress, Studio
from protocol.assets import Asset

NEAR = 0.025
"""How far a near view's eye stands aside, of its distance: 0.05 at 2 in the paper's code."""
GRID_RATE = Schedule(0.1, 0.02)
SHAPE_WEIGHTS: dict[str, Number] = {"orientation": 1.0, "opacity": 0.1, "entropy": 0.1}
WANT = frozenset({"color", "alpha", "normals", "samples"})


@dataclass(frozen=True)
class Options(VolumeOptions):
    """The numbers of the later released configuration; the volume is a grid, its resolution that
    of the prior all along."""

    guidance_scale: float = option(
        3.0, "How strongly new views follow the picture", low=1.0, high=100.0
    )
    elevation_degrees: float = option(
        5.0, "How far above the object the picture was taken from", unit="degrees",
        low=-20.0, high=80.0,
    )
    fov_degrees: float = option(
        20.0, "Vertical field of view of the picture", unit="degrees", low=10.0, high=70.0,
        advanced=True,
    )
    novel_views: int = option(
        8, "Views drawn around the object as a result of their own", low=1, high=32
    )
    view_steps: int = option(75, "Denoising steps for each of these", low=4, high=200)
    score: Literal["sds", "sjc"] = option(
        "sds", "Score distillation, or score Jacobian chaining as in the paper"
    )
    steps: int = option(600, "Steps of distillation", low=1, high=20000)
    views: int = option(4, "Random views in each step", low=1, high=32)
    lambda_score: float = option(
        0.1, "Weight of the prior's opinion", low=0.0, high=1e4, advanced=True
    )
    lambda_color: float = option(
        500.0, "Weight of the picture's colors in its own view", low=0.0, high=1e5, advanced=True
    )
    lambda_mask: float = option(
        50.0, "Weight of the picture's outline in its own view", low=0.0, high=1e5, advanced=True
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
    picture = prepare_picture(find_image(inputs.assets), prior.spec.resolution)
    score = see_picture(picture, options, prior)
    cameras = novel_cameras(options, prior.spec.resolution)
    sampler = NovelViewSampler(prior, score.given, options.view_steps, options.guidance_scale)
    drawn = yield from studio.stage(
        "draw views", ViewSet.empty(prior, cameras), lambda views: sampler.draw(views, studio)
    )
    volume = grid_volume(options.grid_resolution, samples=options.samples)
    yield from distill_picture(score, picture, volume, options, studio)
    asset = yield from finish(volume, options, "object", studio)
    asset.views = to_views(prior, cameras, drawn.latents)
    asset.images["views"] = sampler.preview(drawn).contact_sheet
    return asset


def see_picture(picture: Picture, options: Options, prior: Prior) -> PictureDistillation:
    """What the prior says of views beside the picture, at the released levels of noise."""
    camera = picture_camera(
        options.elevation_degrees, options.fov_degrees, prior.spec.resolution
    )
    given = given_view(prior, picture, camera)
    if options.score == "sjc":
        return PictureDistillation(
            prior, given, options.guidance_scale, form="sjc", t_range=(0.03, 0.99)
        )
    return PictureDistillation(
        prior, given, options.guidance_scale, form="sds",
        t_range=(Schedule(0.4, 0.2, end=1 / 3), Schedule(0.85, 0.5, end=1 / 3)),
    )


def novel_cameras(options: Options, side: int) -> Cameras:
    """Evenly around the object, from the elevation of the picture, beginning in front."""
    azimuth = torch.arange(options.novel_views) * (360 / options.novel_views)
    radius = framing_radius(torch.tensor(options.fov_degrees), FILL)
    return orbit_cameras(azimuth, options.elevation_degrees, radius, options.fov_degrees, side)


def distill_picture(
    score: PictureDistillation, picture: Picture, volume: Volume, options: Options, studio: Studio
) -> Generator[Progress, None, None]:
    """Random views beside the picture's own in every step."""
    prior, fov = score.prior, options.fov_degrees
    side = prior.spec.resolution
    # As far away as the picture: the prior is told no other distance.
    orbit = Orbit(elevation_degrees=(-10, 80), fov_degrees=(fov, fov), fill=(FILL, FILL))

    def losses(step: int) -> dict[str, Tensor]:
        generator = studio.generator("distill", step)
        cameras = sample_views(orbit, options.views, side, generator)
        latents, buffers = render_latents(prior, volume, cameras, generator, want=WANT)
        t = score.sample_t(options.views, 1, step / options.steps, generator)
        noise = studio.noise((options.views, 1, *latents.shape[1:]), "distill", step)
        near = volume.render(near_views(cameras[0], NEAR, generator))
        seen = volume.render(Cameras.join([score.given.cameras, cameras[0]]))
        return {
            "score": score.loss(latents[:, None], cameras, t, noise),
            "color": (seen.color[:1] - picture.premultiplied).square().mean(),
            "mask": (seen.alpha[:1] - picture.alpha).square().mean(),
            "near": (near.color - seen.color[1:]).abs().mean(),
            **shape_losses(buffers),
        }

    weights = SHAPE_WEIGHTS | {
        name: getattr(options, f"lambda_{name}")
        for name in ("score", "color", "mask", "near", "smooth")
    }
    generator = studio.generator("curve")
    probe = Probe.spread(score, sample_views(orbit, 8, side, generator), 8, generator)
    curve = Curve(score, volume, probe)
    yield from distill_volume(
        volume, options.steps, {"grid": GRID_RATE}, losses, weights, curve, studio
    )


def shape_losses(buffers: Buffers) -> dict[str, Tensor]:
    """What a solid thing with a smooth surface looks like from anywhere."""
    inside = buffers.samples
    return {
        "smooth": image_smoothness(buffers.normals),
        "orientation": orientation(
            inside["weights"], inside["normals"], inside["directions"][:, None],
            rays=buffers.alpha.numel(),
        ),
        "opacity": opacity(buffers.alpha),
        "entropy": entropy(buffers.alpha),
    }


RECIPE = Recipe(
    id="zero123",
    title="Zero-1-to-3",
    task="image_to_3d",
    summary="One picture to new views of it and to a textured mesh.",
    citation="Liu et al., Zero-1-to-3: Zero-shot One Image to 3D Object, arXiv 2303.11328",
    capabilities=("image+pose",),
    inputs=("image",),
    options=Options,
    presets={
        "draft": {"steps": 160, "view_steps": 20, "grid_resolution": 48, "samples": 48,
                  "faces": 8000, "texture_size": 512},
        "standard": {"view_steps": 40, "grid_resolution": 64, "samples": 64},
        "high": {"steps": 2000},
    },
    stages={"draw views": 6, "distill": 80, "mesh": 4},
    run=run,
)
