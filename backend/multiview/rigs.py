"""Where generated views stand."""

import torch

from backend.priors.base import Prior
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras

FOV_DEGREES = 40.0
ELEVATION_DEGREES = 15.0
FILL = 0.95


def ring(prior: Prior) -> Cameras:
    """Views around the object: four orthogonal anchors, drawn jointly, and, where the prior takes
    given views, the four between them, drawn given the anchors (CAT3D, section 3.2)."""
    anchors = torch.arange(4) * 90.0
    more = "views" in prior.spec.capabilities
    azimuth = torch.cat([anchors, anchors + 45.0]) if more else anchors
    radius = framing_radius(torch.tensor(FOV_DEGREES), FILL)
    return orbit_cameras(azimuth, ELEVATION_DEGREES, radius, FOV_DEGREES, prior.spec.resolution)
