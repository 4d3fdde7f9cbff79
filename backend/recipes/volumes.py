"""What recipes of a volume share: its options, previews, and the mesh and pictures at the end."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.diffusion.annealing import Number
from backend.distillation.curve import Curve
from backend.distillation.loop import State, distill
from backend.recipes.options import option
from backend.recipes.scores import ScoreOptions
from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.sheet import sheet
from backend.representations.base import Representation
from backend.representations.mesh import MeshRepresentation
from backend.representations.volume import Volume
from backend.studio import Progress, Studio
from protocol.assets import Asset, Image, Mesh

PREVIEW_PIXELS = 96
SHEET_PIXELS = 128
BACKDROP = 0.94


@dataclass(frozen=True)
class VolumeOptions(ScoreOptions):
    """Options of every recipe that distills a prior into a volume and ends with its mesh."""

    grid_resolution: int = option(96, "Cells along each side of the volume", low=16, high=256)
    samples: int = option(96, "Samples along each ray", low=16, high=512, advanced=True)
    faces: int = option(20000, "Most triangles of the mesh", low=100, high=500000)
    texture_size: int = option(1024, "Texture side", unit="px", low=64, high=8192)


@torch.no_grad()
def turntable(thing: Representation, views: int, pixels: int) -> Tensor:
    """Views from all around at 15 degrees of elevation, (views, pixels, pixels, 3)."""
    azimuth = torch.arange(views) * (360 / views) + 20
    cameras: Cameras = orbit_cameras(azimuth, 15.0, 4.0, 30.0, pixels)
    color = thing.render(cameras, background=torch.full((3,), BACKDROP)).color
    assert color is not None
    return color


def contact_sheet(thing: Representation) -> Image:
    """Eight views from all around in one picture."""
    return sheet(turntable(thing, 8, SHEET_PIXELS), columns=4)


def before_and_after(mesh: Mesh, thing: Representation) -> Image:
    """Four views of the ``mesh`` that was given, above four of what became of it."""
    views = [turntable(each, 4, SHEET_PIXELS) for each in (MeshRepresentation(mesh), thing)]
    return sheet(torch.cat(views), columns=4)


def preview(thing: Representation) -> Asset:
    """A quick look: four small views and a coarse mesh."""
    pictures = sheet(turntable(thing, 4, PREVIEW_PIXELS), columns=4)
    return Asset("preview", mesh=thing.preview_mesh(), contact_sheet=pictures)


def distill_volume(
    volume: Volume,
    steps: int,
    rates: Mapping[str, Number],
    losses: Callable[[int], Mapping[str, Tensor]],
    weights: Mapping[str, Number],
    curve: Curve,
    studio: Studio,
) -> Generator[Progress, None, None]:
    """The stage "distill": see :func:`backend.distillation.loop.distill`; the report gets the
    curve."""
    state = yield from studio.stage(
        "distill", State.create(volume, rates),
        lambda state: distill(
            state, steps, losses, weights, rates=rates, after_step=volume.upkeep,
            preview=lambda: preview(volume), measure=curve,
        ),
    )
    studio.report["curve"] = state.curve


def finish(
    volume: Volume, options: VolumeOptions, name: str, studio: Studio
) -> Generator[Progress, None, Asset]:
    """The stage "mesh": the volume as a textured mesh, and eight views of it."""
    mesh = yield from studio.once(
        "mesh",
        lambda: volume.to_mesh(2 * options.grid_resolution, options.texture_size, options.faces),
    )
    return Asset(name, mesh=mesh, contact_sheet=contact_sheet(volume))
