"""Regions from pictures: masks of several views that vote for what they show."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, grid_sample

from backend.rendering.antialias import antialias, face_neighbors
from backend.rendering.cameras import Cameras
from backend.rendering.rasterize import interpolate, rasterize


class Votes(NamedTuple):
    """For each point: ``weights`` (n,), the mean of what the views that see it say of it, 0 where
    none does; ``seen`` (n,), how many do."""

    weights: Tensor
    seen: Tensor


@torch.no_grad()
def vote(
    points: Tensor, cameras: Cameras, masks: Tensor, depth: Tensor, tolerance: float = 0.02
) -> Votes:
    """What ``masks`` (views, height, width) in [0, 1] say of ``points`` (n, 3): painted pixels,
    traced outlines or attention, back-projected.

    A view sees a point that falls into its picture and lies at most ``tolerance`` (world units)
    behind its ``depth`` (views, height, width).
    """
    pixels, along = cameras.project(points)
    size = pixels.new_tensor([cameras.width, cameras.height])
    places = (pixels / size * 2 - 1)[:, :, None]
    nearest = _look_up(depth, places, "nearest")
    said = _look_up(masks, places, "bilinear")
    framed = (places[:, :, 0].abs() <= 1).all(-1) & (along > 0)
    visible = framed & (nearest > 0) & (along <= nearest + tolerance)
    seen = visible.sum(0)
    return Votes((said * visible).sum(0) / seen.clamp_min(1), seen)


def _look_up(images: Tensor, places: Tensor, mode: str) -> Tensor:
    """(views, n), of images (views, height, width) at places (views, n, 1, 2) in [-1, 1]."""
    found = grid_sample(images[:, None], places, mode=mode, align_corners=False)
    return found[:, 0, :, 0]


def project_region(
    positions: Tensor, faces: Tensor, weights: Tensor, cameras: Cameras
) -> Tensor:
    """Masks (views, height, width) of where a mesh shows its region, from ``weights`` (n,)."""
    fragments = rasterize(positions, faces, cameras)
    images = interpolate(weights[:, None].to(positions.dtype), faces, fragments)
    return antialias(images, fragments, face_neighbors(faces.numpy()))[..., 0].clamp(0, 1)


def fit_labels(
    render: Callable[[Tensor], Tensor], masks: Tensor, count: int, steps: int = 60
) -> Tensor:
    """Labels (count,) in [0, 1] of primitives whose renders agree with ``masks`` (views, height,
    width): a learned region (Fang et al., GaussianEditor, section 3.3).

    ``render`` maps labels (count,) to pictures like the masks. What no view shows stays at 1/2.
    """
    logits = torch.zeros(count, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.2)
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        shown = render(logits.sigmoid()).clamp(1e-4, 1 - 1e-4)
        binary_cross_entropy(shown, masks).backward()
        optimizer.step()
    return logits.detach().sigmoid()
