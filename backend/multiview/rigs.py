"""Where generated views stand, and in which order they are drawn."""

import torch

from backend.priors.base import Prior
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras

FOV_DEGREES = 40.0
ELEVATION_DEGREES = 15.0
FILL = 0.95


def ring(prior: Prior) -> tuple[Cameras, list[list[int]]]:
    """Views around the object and their groups: four orthogonal anchors drawn jointly, and, where
    the prior takes given views, the four between them, drawn given the anchors (CAT3D, 3.2)."""
    anchors = torch.arange(4) * 90.0
    if "views" not in prior.spec.capabilities:
        return _around(anchors, prior.spec.resolution), [[0, 1, 2, 3]]
    azimuth = torch.cat([anchors, anchors + 45.0])
    return _around(azimuth, prior.spec.resolution), [[0, 1, 2, 3], [4, 5, 6, 7]]


def _around(azimuth: torch.Tensor, resolution: int) -> Cameras:
    radius = framing_radius(torch.tensor(FOV_DEGREES), FILL)
    return orbit_cameras(azimuth, ELEVATION_DEGREES, radius, FOV_DEGREES, resolution)
