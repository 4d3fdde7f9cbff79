"""From Gaussians in space to Gaussians in the picture (EWA splatting, Zwicker et al. 2001; 3D
Gaussian Splatting, Kerbl et al. 2023, section 4)."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from backend.rendering.cameras import Cameras

LOW_PASS = 0.3
"""Variance in pixels that is added to every splat, so that none falls between pixel centers."""

NEAR = 0.01
GUARD = 1.3
"""Beyond so much of the field of view the projection is linearized at its edge."""


class Projected(NamedTuple):
    """Gaussians in the picture: ``centers`` (views, n, 2) in pixels (x right, y down),
    ``covariances`` (views, n, 3) as (xx, xy, yy), ``depth`` (views, n) along the view axis."""

    centers: Tensor
    covariances: Tensor
    depth: Tensor


def rotation_matrices(quats: Tensor) -> Tensor:
    """(n, 3, 3) of quaternions (n, 4), w first, of any length above zero."""
    w, x, y, z = normalize(quats, dim=-1).unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def project(means: Tensor, quats: Tensor, scales: Tensor, cameras: Cameras) -> Projected:
    """Project Gaussians of ``means`` (n, 3), ``quats`` (n, 4) and standard deviations ``scales``
    (n, 3), perspective or orthographic as each camera is; differentiable in all three."""
    turn = cameras.c2w[:, :3, :3].to(means)
    local = (means - cameras.positions[:, None].to(means)) @ turn
    x, y, depth = local[..., 0], local[..., 1], -local[..., 2]
    focal, flat, edge = _lens(cameras, means)
    distance = torch.where(flat, torch.ones_like(depth), depth.clamp_min(NEAR))
    zoom = focal / distance
    centers = torch.stack([x * zoom + cameras.width / 2, cameras.height / 2 - y * zoom], -1)
    wide = edge * (cameras.width / cameras.height)
    slope_x = torch.minimum(torch.maximum(x / distance, -wide), wide)
    slope_y = torch.minimum(torch.maximum(y / distance, -edge), edge)
    axes = rotation_matrices(quats) * scales[:, None]
    right, up, back = torch.einsum("vik,nij->kvnj", turn, axes)
    across = zoom[..., None] * (right + slope_x[..., None] * back)
    down = -zoom[..., None] * (up + slope_y[..., None] * back)
    covariances = torch.stack(
        [
            (across * across).sum(-1) + LOW_PASS,
            (across * down).sum(-1),
            (down * down).sum(-1) + LOW_PASS,
        ],
        -1,
    )
    return Projected(centers, covariances, depth)


def _lens(cameras: Cameras, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each view, (views, 1): pixels per unit (of slope, or of space where it is orthographic),
    whether it is orthographic, and the largest slope to linearize at (0 where orthographic)."""
    slope = (cameras.fov_degrees.to(like).deg2rad() / 2).tan()[:, None]
    if cameras.ortho_height is None:
        flat = torch.zeros_like(slope, dtype=torch.bool)
        return cameras.height / (2 * slope), flat, GUARD * slope
    height = cameras.ortho_height.to(like)[:, None]
    flat = height > 0
    extent = torch.where(flat, height, 2 * slope)
    return cameras.height / extent, flat, torch.where(flat, torch.zeros_like(slope), GUARD * slope)
