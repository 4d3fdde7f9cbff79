"""Align Your Gaussians: Text-to-4D with Dynamic 3D Gaussians and Composed Diffusion Models
(Ling et al., CVPR 2024, arXiv 2312.13763).

A still object of Gaussians, made before and frozen, is set in motion by a deformation field
(section 3.3). A prior of clips says how it moves and a prior of pictures that each frame looks
right, both by classifier score distillation (3.2); the amplifier makes the motion large, and the
divergence of the clouds of points keeps it in place. Longer motions go on clip by clip, and loop.

Departures: the object is a mesh, given or made by MVDream, to which the Gaussians are fitted; its
vertices ride along.
"""

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.deformation.clips import MovingGaussians, draw_window
from backend.deformation.guides import ClipGuide
from backend.deformation.motion import STRIDE, Timeline
from backend.deformation.regularizers import PointLosses
from backend.distillation.loop import State, distill
from backend.distillation.views import Orbit, sample_views
from backend.distillation.watchdog import Watchdog
from backend.recipes.motions import MotionOptions, finish_motion, preview_motion, prompts_of
from backend.recipes.options import option
from backend.recipes.recipe import Inputs, Recipe
from backend.recipes.stills import still_gaussians, still_object
from backend.rendering.cameras import Cameras
from backend.studio import Progress, Studio
from protocol.assets import Asset

ORBIT = Orbit(elevation_degrees=(-5, 45), fov_degrees=(35, 50), fill=(0.65, 0.9))
NEIGHBORS = 4
LOSSES = ("video", "image", "divergence", "rigidity", "stretch", "interpolation")


@dataclass(frozen=True)
class Options(MotionOptions):
    """The paper's numbers where it tells them; its supplement's weights are ours."""

    steps: int = option(1000, "Steps of score distillation for each clip", low=1, high=20000)
    views: int = option(8, "Frames in each step", low=2, high=32)
    pictures: int = option(
        2, "Of these, frames that the prior of pictures looks at", low=1, high=32
    )
    amplification: float = option(
        3.0, "How much more than the prior asks for frames are set apart", low=0.0, high=50.0
    )
    lambda_video: float = option(1.0, "Weight of the prior of clips", low=0.0, high=1e4)
    lambda_image: float = option(1.0, "Weight of the prior of pictures", low=0.0, high=1e4)
    shortest_window: float = option(
        0.5, "Shortest part of a clip that the frames of a step are spread over", low=0.05,
        high=1.0, advanced=True,
    )


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """A mesh, or none, and what it does in; the mesh and its Gaussians in motion out."""
    prompts = prompts_of(inputs, options, studio.prior("video"))
    guides = [guide_clip(prompt, inputs.negative_prompt, options, studio) for prompt in prompts]
    mesh = yield from still_object(inputs, prompts[0], options, studio)
    resolution = guides[0].video.prior.spec.resolution
    gaussians = yield from still_gaussians(mesh, resolution, options, studio)
    timeline = Timeline(len(prompts), options.loop, options.width, studio.generator("field"))
    moving = MovingGaussians(gaussians, timeline)
    yield from move(moving, guides, options, studio)
    return (yield from finish_motion(moving, mesh, inputs.prompt, options, studio))


def guide_clip(prompt: str, negative: str, options: Options, studio: Studio) -> ClipGuide:
    """The composed guidance of a clip (section 3.2)."""
    return ClipGuide.of(
        studio.prior("video"), studio.prior("text"), prompt, negative,
        (options.lambda_video, options.lambda_image), amplification=options.amplification,
        strength=options.strength, pictures=options.pictures,
    )


def move(
    moving: MovingGaussians, guides: list[ClipGuide], options: Options, studio: Studio
) -> Generator[Progress, None, None]:
    """Stage 2: the field of each clip in turn; Gaussians and earlier clips stay as they are."""
    timeline, still, watchdog = moving.timeline, moving.still, Watchdog()
    points, spec = PointLosses(still, NEIGHBORS), guides[0].video.prior.spec
    frames = spec.views or options.views

    def losses(step: int) -> dict[str, Tensor]:
        index, generator = step // options.steps, studio.generator("move", step)
        window = draw_window(frames, options.shortest_window, generator)
        times = STRIDE * index + window
        cameras = same_camera(generator)
        moved = moving.at(times, index + 1)
        buffers = moving.render(moved, cameras)
        watchdog.see(buffers.alpha)
        return {
            **guides[index].losses(buffers, cameras, window, studio, "move", step),
            **points(moved),
            "interpolation": timeline.interpolation(still, times, moved - still, index),
        }

    def same_camera(generator: torch.Generator) -> Cameras:
        return sample_views(ORBIT, 1, spec.resolution, generator)[[0] * frames]

    rates = timeline.rates(options.learning_rate)
    state = State.create(timeline, rates)
    state.watchdog = watchdog
    weights = {name: getattr(options, f"lambda_{name}") for name in LOSSES}
    curve = guides[0].curve(moving, same_camera(studio.generator("curve")), studio)
    yield from studio.stage(
        "move", state,
        lambda state: distill(
            state, options.steps * len(guides), losses, weights, rates=rates,
            preview=lambda: preview_motion(moving), measure=curve,
        ),
    )
    studio.report |= {"curve": state.curve, "recovered": watchdog.recovered}


RECIPE = Recipe(
    id="align_your_gaussians",
    title="Align Your Gaussians",
    task="animate",
    summary="Words, and perhaps a mesh, to a motion of its vertices and of Gaussians.",
    citation="Ling et al., Align Your Gaussians: Text-to-4D with Dynamic 3D Gaussians and Composed "
    "Diffusion Models, CVPR 2024, arXiv 2312.13763",
    capabilities=("video", "text"),
    may_use=("text+cameras",),
    inputs=("prompt", "negative_prompt", "mesh"),
    optional=("negative_prompt", "mesh"),
    options=Options,
    presets={
        "draft": {"steps": 200, "views": 6, "gaussians": 3000, "fit_steps": 120, "width": 64,
                  "learning_rate": 5e-3},
        "standard": {},
        "high": {"steps": 4000, "views": 16, "pictures": 4, "gaussians": 20000, "fit_steps": 1000,
                 "still": "standard", "frames": 32},
    },
    stages={"distill": 60, "mesh": 6, "fit": 15, "move": 120, "bake": 2},
    run=run,
    version=4,
)
