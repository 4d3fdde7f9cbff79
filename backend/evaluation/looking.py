"""How finished meshes are looked at: the fixed cameras of every figure."""

import torch
from torch import Tensor

from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras
from backend.rendering.meshes import render_mesh
from protocol.assets import Mesh

VIEWS = 8
ELEVATION_DEGREES = 15.0
FOV_DEGREES = 30.0
PIXELS = 64
AZIMUTHS = torch.arange(VIEWS) * (360 / VIEWS)
SPHERE_VIEWS, SPHERE_FOV_DEGREES = 24, 40.0


def ring(pixels: int = PIXELS) -> Cameras:
    """Eight views evenly around the unit ball, from the front on, a little from above."""
    radius = framing_radius(torch.tensor(FOV_DEGREES))
    return orbit_cameras(AZIMUTHS, ELEVATION_DEGREES, radius, FOV_DEGREES, pixels)


def sphere(pixels: int = PIXELS, views: int = SPHERE_VIEWS) -> Cameras:
    """Views from evenly all over the sphere, along a golden spiral."""
    number = torch.arange(views) + 0.5
    azimuth = number * 180 * (3 - 5**0.5) % 360
    elevation = (1 - 2 * number / views).asin().rad2deg()
    radius = framing_radius(torch.tensor(SPHERE_FOV_DEGREES))
    return orbit_cameras(azimuth, elevation, radius, SPHERE_FOV_DEGREES, pixels)


def look_at(mesh: Mesh) -> Tensor:
    """What the eight views of :func:`ring` show: (views, 64, 64, 3) over mid-gray."""
    color = render_mesh(mesh, ring()).color
    assert color is not None
    return color
