"""What every recipe ends with: pictures of the finished thing and the asset around it."""

import torch
from torch import Tensor

from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.sheet import sheet
from backend.representations.base import Representation
from protocol.assets import Asset, Mesh

PREVIEW_PIXELS = 96
SHEET_PIXELS = 128
BACKDROP = 0.94


@torch.no_grad()
def turntable(thing: Representation, views: int, pixels: int) -> Tensor:
    """Views from all around at 15 degrees of elevation, (views, pixels, pixels, 3)."""
    azimuth = torch.arange(views) * (360 / views) + 20
    cameras: Cameras = orbit_cameras(azimuth, 15.0, 4.0, 30.0, pixels)
    color = thing.render(cameras, background=torch.full((3,), BACKDROP)).color
    assert color is not None
    return color


def preview(thing: Representation) -> Asset:
    """A quick look: four small views and a coarse mesh."""
    pictures = sheet(turntable(thing, 4, PREVIEW_PIXELS), columns=4)
    return Asset("preview", mesh=thing.preview_mesh(), contact_sheet=pictures)


def finish(thing: Representation, mesh: Mesh, name: str) -> Asset:
    """The asset of a finished representation: its mesh and eight views of it."""
    return Asset(name, mesh=mesh, contact_sheet=sheet(turntable(thing, 8, SHEET_PIXELS), columns=4))
