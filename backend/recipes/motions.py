"""What recipes share that set a still object in motion: their options, what is done in each clip,
and the keyed motion at the end."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import torch

from backend.deformation.clips import MovingGaussians
from backend.pocket.world.descriptions import MOTIONS
from backend.pocket.world.motions import names_motion
from backend.priors.base import Prior
from backend.recipes.options import option
from backend.recipes.recipe import Inputs
from backend.recipes.volumes import BACKDROP
from backend.rendering.cameras import orbit_cameras
from backend.rendering.sheet import sheet
from backend.studio import Progress, Studio
from protocol.assets import Asset, Image, Mesh, Motion
from protocol.errors import InputError

STRIP_FRAMES, STRIP_PIXELS = 8, 96


@dataclass(frozen=True)
class MotionOptions:
    """Options of every recipe whose Gaussians carry a mesh through time."""

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
    lambda_divergence: float = option(
        30.0, "Weight of the loss that keeps it from drifting off and growing", low=0.0, high=1e6
    )
    lambda_rigidity: float = option(
        1.0, "Weight of the loss that moves neighbors alike", low=0.0, high=1e6, advanced=True
    )
    lambda_stretch: float = option(
        300.0, "Weight of the loss that keeps neighbors as near as they were", low=0.0, high=1e6,
        advanced=True,
    )
    lambda_interpolation: float = option(
        100.0, "Weight of the loss that lets a clip follow the one before", low=0.0, high=1e6,
        advanced=True,
    )


def prompts_of(inputs: Inputs, options: MotionOptions, video: Prior) -> list[str]:
    """What is done in each clip: parts of the prompt between ``|``, the last one over and over.
    Raises InputError ``motion_unknown`` where ``video`` knows few words and none of a part."""
    prompts = [part.strip() for part in inputs.prompt.split("|")]
    for prompt in prompts if video.spec.vocabulary is not None else ():
        if not names_motion(prompt):
            raise InputError(
                "motion_unknown", f"“{prompt}” names no motion that {video.spec.name} knows.",
                f"It knows: {', '.join(MOTIONS)}. Say it as “a dog wagging its tail”.",
            )
    return prompts + prompts[-1:] * (options.clips - len(prompts))


def finish_motion(
    moving: MovingGaussians, mesh: Mesh, name: str, options: MotionOptions, studio: Studio
) -> Generator[Progress, None, Asset]:
    """The stage "bake": keyed positions of vertices and splats, and a strip of frames."""
    duration = moving.timeline.duration
    frames = round(options.frames * duration)
    rate = (frames - 1) / (options.seconds * duration)

    def bake() -> list[Motion]:
        vertices, means = torch.from_numpy(mesh.positions), moving.still
        baked = (moving.timeline.bake(points, frames) for points in (vertices, means))
        return [Motion(positions.numpy(), rate) for positions in baked]

    motion, splat_motion = yield from studio.once("bake", bake)
    return Asset(
        name, mesh=mesh, splats=moving.gaussians.to_splats(), motion=motion,
        splat_motion=splat_motion, contact_sheet=strip(moving),
    )


def preview_motion(moving: MovingGaussians) -> Asset:
    """A quick look."""
    return Asset("preview", contact_sheet=strip(moving))


@torch.no_grad()
def strip(moving: MovingGaussians) -> Image:
    """Frames from left to right, from the front above and from a side below."""
    times, rows = torch.linspace(0, moving.timeline.duration, STRIP_FRAMES), []
    for azimuth in (20.0, 100.0):
        cameras = orbit_cameras([azimuth] * STRIP_FRAMES, 15.0, 4.0, 32.0, STRIP_PIXELS)
        buffers = moving.render(moving.at(times), cameras)
        rows.append(buffers.color + (1 - buffers.alpha) * BACKDROP)
    return sheet(torch.cat(rows), columns=STRIP_FRAMES)
