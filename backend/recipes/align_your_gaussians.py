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
from typing import Literal

import torch
from torch import Tensor

from backend.deformation.clips import draw_window, render_frames
from backend.deformation.guides import ClipGuide
from backend.deformation.motion import STRIDE, Timeline
from backend.deformation.regularizers import divergence, neighbor_edges, rigidity, stretch
from backend.diffusion.annealing import Number, Schedule
from backend.distillation.curve import Probe, curve_value
from backend.distillation.loop import State, distill
from backend.distillation.renders import encode_over
from backend.distillation.views import Orbit, sample_views
from backend.distillation.watchdog import Watchdog
from backend.recipes import mvdream
from backend.recipes.options import option
from backend.recipes.registry import Inputs, Recipe, check_words
from backend.recipes.splats import fit_mesh
from backend.rendering.cameras import orbit_cameras
from backend.rendering.sheet import sheet
from backend.representations.gaussians import Gaussians
from backend.studio import Progress, Studio
from protocol.assets import Asset, Image, Mesh, Motion

ORBIT = Orbit(elevation_degrees=(-5, 45), fov_degrees=(35, 50), fill=(0.65, 0.9))
NEIGHBORS = 4
STRIP_FRAMES, STRIP_PIXELS = 8, 96


@dataclass(frozen=True)
class Options:
    """The paper's numbers where it tells them; its supplement's weights are ours."""

    steps: int = option(1000, "Steps of score distillation for each clip", low=1, high=20000)
    views: int = option(8, "Frames in each step", low=2, high=32)
    pictures: int = option(
        2, "Of these, frames that the prior of pictures looks at", low=1, high=32
    )
    frames: int = option(16, "Frames of the result for each clip", low=2, high=240)
    seconds: float = option(2.0, "Length of each clip", unit="s", low=0.1, high=60.0)
    clips: int = option(
        1, "Clips, each of which begins amid the one before; as many as prompts, at least",
        low=1, high=8,
    )
    loop: bool = option(False, "End where it began")
    strength: float = option(
        1.0, "How strongly it moves, for a prior that can be told", low=0.0, high=1.0
    )
    amplification: float = option(
        12.0, "How much more than the prior asks for frames are set apart", low=0.0, high=50.0
    )
    still: Literal["draft", "standard", "high"] = option(
        "draft", "MVDream's preset for the object, where no mesh is given"
    )
    subject: str = option("", "What that object is; empty: the first prompt")
    gaussians: int = option(6000, "Gaussians that stand for the mesh", low=64, high=200000)
    fit_steps: int = option(300, "Steps that fit them to it", low=1, high=20000)
    width: int = option(128, "Of the deformation field's layers", low=8, high=512, advanced=True)
    learning_rate: float = option(
        2e-3, "Of the field, at first; a tenth in the end", low=1e-5, high=0.1, advanced=True
    )
    lambda_video: float = option(1.0, "Weight of the prior of clips", low=0.0, high=1e4)
    lambda_image: float = option(1.0, "Weight of the prior of pictures", low=0.0, high=1e4)
    lambda_divergence: float = option(
        10.0, "Weight of the loss that keeps it from drifting off and growing", low=0.0, high=1e6
    )
    lambda_rigidity: float = option(
        1.0, "Weight of the loss that moves neighbors alike", low=0.0, high=1e6, advanced=True
    )
    lambda_stretch: float = option(
        10.0, "Weight of the loss that keeps neighbors as near as they were", low=0.0, high=1e6,
        advanced=True,
    )
    lambda_interpolation: float = option(
        100.0, "Weight of the loss that lets a clip follow the one before", low=0.0, high=1e6,
        advanced=True,
    )
    shortest_window: float = option(
        0.5, "Shortest part of a clip that the frames of a step are spread over", low=0.05,
        high=1.0, advanced=True,
    )


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """A mesh, or none, and what it does in; the mesh and its Gaussians in motion out."""
    prompts = [part.strip() for part in inputs.prompt.split("|")]
    clips = max(options.clips, len(prompts))
    prompts += prompts[-1:] * (clips - len(prompts))
    guides = guide_clips(prompts, inputs.negative_prompt, options, studio)
    mesh = yield from still_object(inputs, prompts[0], options, studio)
    resolution = guides[0].video.prior.spec.resolution
    gaussians = yield from fit_mesh(
        mesh, options.gaussians, options.fit_steps, resolution, studio
    )
    gaussians.requires_grad_(False)
    timeline = Timeline(clips, options.loop, options.width, studio.generator("field"))
    yield from move(timeline, gaussians, guides, options, studio)
    return (yield from finish(timeline, gaussians, mesh, inputs.prompt, options, studio))


def guide_clips(
    prompts: list[str], negative: str, options: Options, studio: Studio
) -> list[ClipGuide]:
    """The composed guidance of each clip."""
    video, image = studio.prior("video"), studio.prior("text")
    return [
        ClipGuide.of(
            video, image, prompt, negative, (options.lambda_video, options.lambda_image),
            amplification=options.amplification, strength=options.strength,
            pictures=options.pictures,
        )
        for prompt in prompts
    ]


def still_object(
    inputs: Inputs, prompt: str, options: Options, studio: Studio
) -> Generator[Progress, None, Mesh]:
    """Stage 1: the given mesh, or one that MVDream makes."""
    asset = inputs.assets.get("mesh")
    if asset is not None and asset.mesh is not None:
        return asset.mesh
    words = options.subject or prompt
    check_words(mvdream.RECIPE, words, studio.find_prior)
    preset = mvdream.Options(**mvdream.RECIPE.presets[options.still])
    made = yield from mvdream.run(Inputs(words, inputs.negative_prompt), preset, studio)
    return made.mesh


def move(
    timeline: Timeline, gaussians: Gaussians, guides: list[ClipGuide], options: Options,
    studio: Studio,
) -> Generator[Progress, None, None]:
    """Stage 2: the field of each clip in turn; Gaussians and earlier clips stay as they are."""
    still, watchdog = gaussians.means.detach(), Watchdog()
    edges, resolution = neighbor_edges(still, NEIGHBORS), guides[0].video.prior.spec.resolution
    frames = guides[0].video.prior.spec.views or options.views

    def losses(step: int) -> dict[str, Tensor]:
        index, generator = step // options.steps, studio.generator("move", step)
        window = draw_window(frames, options.shortest_window, generator)
        times = STRIDE * index + window
        offsets = timeline.offsets(still, times, index + 1)
        moved = still + offsets
        cameras = sample_views(ORBIT, 1, resolution, generator)[[0] * frames]
        buffers = render_frames(gaussians, moved, cameras)
        watchdog.see(buffers.alpha)
        found = guides[index].losses(buffers, cameras, window, studio, "move", step)
        found |= {
            "divergence": divergence(still, moved), "rigidity": rigidity(still, moved, edges),
            "stretch": stretch(still, moved, edges),
        }
        if index:
            found["interpolation"] = timeline.interpolation(still, times, offsets, index)
        return found

    rates = clip_rates(len(guides), options.learning_rate)
    state = State.create(timeline, rates)
    state.watchdog = watchdog
    yield from studio.stage(
        "move", state,
        lambda state: distill(
            state, options.steps * len(guides), losses, weights(options), rates=rates,
            preview=lambda: preview(timeline, gaussians),
            measure=lambda: first_clip_curve(guides[0], timeline, gaussians, frames, studio),
        ),
    )
    studio.report |= {"curve": state.curve, "recovered": watchdog.recovered}


def weights(options: Options) -> dict[str, Number]:
    """The lambdas by loss."""
    names = ("video", "image", "divergence", "rigidity", "stretch", "interpolation")
    return {name: getattr(options, f"lambda_{name}") for name in names}


def clip_rates(clips: int, rate: float) -> dict[str, Number]:
    """Each clip's own, falling to a tenth over its part of the run."""
    return {
        f"clip {i}": Schedule(
            rate, rate / 10, begin=i / clips, end=(i + 1) / clips, shape="exponential"
        )
        for i in range(clips)
    }


@torch.no_grad()
def first_clip_curve(
    guide: ClipGuide, timeline: Timeline, gaussians: Gaussians, frames: int, studio: Studio
) -> float:
    """A point of the report's curve: the first clip, evenly seen from one camera."""
    score, generator = guide.video, studio.generator("curve")
    times = torch.linspace(0, 1, frames)
    cameras = sample_views(ORBIT, 1, score.prior.spec.resolution, generator)[[0] * frames]
    probe = Probe.spread(score, cameras, 1, generator)
    moved = gaussians.means + timeline.offsets(gaussians.means, times, 1)
    latents = encode_over(
        score.prior, render_frames(gaussians, moved, cameras), torch.full((3,), 0.5)
    )
    return curve_value(score.at(times, 1.0), latents[None], probe)


def finish(
    timeline: Timeline, gaussians: Gaussians, mesh: Mesh, name: str, options: Options,
    studio: Studio,
) -> Generator[Progress, None, Asset]:
    """The stage "bake": keyed positions of vertices and splats, and a strip of frames."""
    frames = round(options.frames * timeline.duration)
    rate = (frames - 1) / (options.seconds * timeline.duration)

    def bake() -> tuple[Motion, Motion]:
        vertices = timeline.bake(torch.from_numpy(mesh.positions), frames)
        means = timeline.bake(gaussians.means, frames)
        return Motion(vertices.numpy(), rate), Motion(means.numpy(), rate)

    motion, splat_motion = yield from studio.once("bake", bake)
    return Asset(
        name, mesh=mesh, splats=gaussians.to_splats(), motion=motion, splat_motion=splat_motion,
        contact_sheet=strip(timeline, gaussians),
    )


def preview(timeline: Timeline, gaussians: Gaussians) -> Asset:
    """A quick look at the motion."""
    return Asset("preview", contact_sheet=strip(timeline, gaussians))


@torch.no_grad()
def strip(timeline: Timeline, gaussians: Gaussians) -> Image:
    """Frames from left to right, from the front above and from a side below."""
    moved = timeline.bake(gaussians.means, STRIP_FRAMES)
    rows = []
    for azimuth in (20.0, 100.0):
        cameras = orbit_cameras([azimuth] * STRIP_FRAMES, 15.0, 4.0, 32.0, STRIP_PIXELS)
        buffers = render_frames(gaussians, moved, cameras)
        rows.append(buffers.color + (1 - buffers.alpha) * 0.94)
    return sheet(torch.cat(rows), columns=STRIP_FRAMES)


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
)
