"""Where generated views stand."""

from dataclasses import replace

import torch
from torch import Tensor

from backend.priors.base import Prior
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras

SIX_AZIMUTHS = (0.0, 45.0, 90.0, 180.0, 270.0, 315.0)
"""Front, front right, right, back, left, front left (Wonder3D, section 4.1)."""
SIX_WEIGHTS = (1.0, 0.8, 0.2, 1.0, 0.4, 0.7)
"""How much the colors of each of these count (its released configuration)."""
FOV_DEGREES = 40.0
ELEVATION_DEGREES, ABOVE_DEGREES = 15.0, 55.0
RAISED_DEGREES = 30.0
FILL = 0.95
QUARTERS = torch.arange(4) * 90.0
"""Azimuths of anchors, in degrees."""


def ring(prior: Prior) -> Cameras:
    """Views around the object: four orthogonal anchors, drawn jointly, and, where the prior takes
    given views, the four between them, drawn given the anchors (CAT3D, section 3.2)."""
    azimuth = torch.cat([QUARTERS, QUARTERS + 45]) if _takes_views(prior) else QUARTERS
    return _looking(prior, azimuth, ELEVATION_DEGREES)


def surround(prior: Prior) -> Cameras:
    """The ring, and four from above where the prior takes given views."""
    around = ring(prior)
    if not _takes_views(prior):
        return around
    return Cameras.join([around, _looking(prior, QUARTERS + 22.5, ABOVE_DEGREES)])


def _takes_views(prior: Prior) -> bool:
    return "views" in prior.spec.capabilities


def _looking(prior: Prior, azimuth: Tensor, elevation_degrees: float) -> Cameras:
    radius = framing_radius(torch.tensor(FOV_DEGREES), FILL)
    return orbit_cameras(azimuth, elevation_degrees, radius, FOV_DEGREES, prior.spec.resolution)


def six_views(elevation_degrees: float, resolution: int, turned_degrees: float = 0.0) -> Cameras:
    """Wonder3D's six orthographic views, at the elevation from which the picture was taken (its
    own frame is that of the picture's camera, so that nobody need know it); all but the first, the
    picture's, may stand ``turned_degrees`` further around."""
    front, *others = SIX_AZIMUTHS
    azimuths = [front, *(azimuth + turned_degrees for azimuth in others)]
    cameras = orbit_cameras(azimuths, elevation_degrees, 2.0, 0.0, resolution)
    return cameras.orthographic(2 / FILL)


def sets_of_six(prior: Prior, elevation_degrees: float, count: int) -> list[Cameras]:
    """The rigs of ``count`` sets of six views. Where the prior draws from anywhere, each is turned
    a little further, so that together they stand all around, behind as well, and every fourth
    looks down from further above: level views see of tops and hollows nothing but the rim."""
    side = prior.spec.resolution
    if not _takes_views(prior):
        return [six_views(elevation_degrees, side)] * count
    raised = max(elevation_degrees, min(elevation_degrees + RAISED_DEGREES, ABOVE_DEGREES))
    return [
        six_views(raised if number % 4 == 3 else elevation_degrees, side, 90.0 / count * number)
        for number in range(count)
    ]


def picture_camera(elevation_degrees: float, fov_degrees: float, resolution: int) -> Cameras:
    """The camera of a given picture, in front; ``fov_degrees`` 0 is orthographic."""
    if fov_degrees == 0:
        return six_views(elevation_degrees, resolution)[[0]]
    radius = framing_radius(torch.tensor(fov_degrees), FILL)
    return orbit_cameras([0.0], elevation_degrees, radius, fov_degrees, resolution)


def views_around(camera: Cameras, count: int) -> Cameras:
    """``count`` views of one camera's kind, height and distance, evenly around the object from that
    camera on."""
    angle = torch.arange(count) * (2 * torch.pi / count)
    turn = torch.eye(4).repeat(count, 1, 1)
    turn[:, 0, 0] = turn[:, 1, 1] = angle.cos()
    turn[:, 1, 0], turn[:, 0, 1] = angle.sin(), -angle.sin()
    around = camera[[0] * count]
    return replace(around, c2w=turn.to(around.c2w) @ around.c2w)
