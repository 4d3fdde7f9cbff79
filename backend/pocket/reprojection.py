"""A given view laid beside each wanted one, as that would look were the thing a turned one."""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from backend.rendering.cameras import Cameras

BESIDE = 0.5
"""How well a view is known, at most, by another from the same direction; pixels that are known
have 1."""


@torch.no_grad()
def reprojected(views: Tensor, given: Tensor, cameras: Cameras) -> Tensor:
    """What each wanted view may show, by the given one of its set that looks most nearly its way.

    Zero-1-to-3 (Liu et al., 2303.11328, section 3.2) lays the given picture beside the wanted one
    as it is. Here elevation and lens count as well: a pixel of the wanted camera, turned around z
    to where the given one stands, takes what that sees at the point of its ray nearest to the
    origin. Most things look much the same from all around: this comes nearer to the truth than the
    picture as it is, and that nearer than the way without the turn.

    `views` (B, V, C, H, W), of which those that are `given` (B, V) count; `cameras`: all B * V, of
    any image size, upright. Returns (B, V, C + 1, H, W), zero where the given view does not reach,
    in given views, and in sets without one; the last channel says how well they are known by it,
    from `BESIDE` for the same direction to 0 for the opposite one.
    """
    size = views.shape[-1]
    cameras = cameras.resized(size, size).to(views.device)
    origins, directions = (part.flatten(1, 2) for part in cameras.rays())
    points = origins - (origins * directions).sum(-1, keepdim=True) * directions
    nearest, alike = _nearest_given(given, cameras)
    azimuth = _azimuth(cameras)
    pixels, _ = cameras[nearest].project(_turned(points, azimuth[nearest] - azimuth))
    grid = (pixels / size * 2 - 1).unflatten(1, (size, size)).to(views)
    taken = grid_sample(views.flatten(0, 1)[nearest], grid, align_corners=False)
    known = (BESIDE * (1 + alike) / 2)[..., None, None, None].expand_as(views[:, :, :1])
    wanted = ~given & given.any(1, keepdim=True)
    return torch.cat([taken.view_as(views), known], 2) * wanted[..., None, None, None]


def _nearest_given(given: Tensor, cameras: Cameras) -> tuple[Tensor, Tensor]:
    """For each of all views, the one of its set that is given and looks most nearly its way, as an
    index among all; and the cosine between their directions, (B, V), -1 in sets without one."""
    sets, count = given.shape
    backward = cameras.backward.view(sets, count, 3)
    cosine = (backward @ backward.mT).clamp(-1, 1).masked_fill(~given[:, None], -1)
    alike, nearest = cosine.max(-1)
    first = torch.arange(sets, device=given.device)[:, None] * count
    return (nearest + first).flatten(), alike


def _azimuth(cameras: Cameras) -> Tensor:
    """Radians, of upright cameras; known from straight above as well."""
    right = cameras.c2w[:, :3, 0]
    return torch.atan2(right[:, 1], right[:, 0])


def _turned(points: Tensor, angles: Tensor) -> Tensor:
    """Points (V, n, 3) around z, by radians (V,)."""
    cosine, sine = angles.cos()[:, None], angles.sin()[:, None]
    x, y, z = points.unbind(-1)
    return torch.stack([cosine * x - sine * y, sine * x + cosine * y, z], -1)
