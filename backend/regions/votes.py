"""Regions from pictures: masks of several views that vote for what they show."""

from typing import NamedTuple

import torch
from torch import Tensor

from backend.rendering.cameras import Cameras
from backend.rendering.lookup import look_up, places_of


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
    places, along = places_of(points, cameras)
    nearest = look_up(depth, places, "nearest")
    said = look_up(masks, places)
    framed = (places.abs() <= 1).all(-1) & (along > 0)
    visible = framed & (nearest > 0) & (along <= nearest + tolerance)
    seen = visible.sum(0)
    return Votes((said * visible).sum(0) / seen.clamp_min(1), seen)
