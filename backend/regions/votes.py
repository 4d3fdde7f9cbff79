"""Regions from pictures: masks of several views that vote for what they show."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from backend.rendering.cameras import Cameras


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
