"""Latents that are pixels: RGB over mid-gray and alpha, all mapped to [-1, 1].

The layout of the pocket prior, and of the oracle so that both answer the same recipes.
"""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from backend.rendering.cameras import Cameras

CHANNELS = 4
BACKGROUND = 0.5
"""What color is composited over before it is encoded."""


def encode_pixels(images: Tensor, alpha: Tensor | None, resolution: int) -> Tensor:
    """Images (n, height, width, 3) in [0, 1] and alpha (n, height, width, 1) to latents
    (n, 4, resolution, resolution); unknown alpha is written as 1, as in the pocket prior's
    training (``Condition.alpha_known`` says that it means nothing)."""
    if alpha is None:
        alpha = torch.ones_like(images[..., :1])
    planes = torch.cat([images, alpha], -1).permute(0, 3, 1, 2)
    if planes.shape[-2:] != (resolution, resolution):
        planes = interpolate(planes, (resolution, resolution), mode="bilinear", antialias=True)
    return planes * 2 - 1


def decode_pixels(latents: Tensor) -> tuple[Tensor, Tensor]:
    """Latents (n, 4, height, width) to images (n, height, width, 3) over mid-gray and alpha
    (n, height, width, 1), both in [0, 1]."""
    planes = ((latents + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1)
    return planes[..., :3], planes[..., 3:]


def nearness(depth: Tensor, cameras: Cameras) -> Tensor:
    """Depth along the view axis (views, height, width, 1) as the coordinate along each camera's
    backward axis, from the plane of the origin towards the camera; :func:`depth_of` undoes it."""
    return _origin_depth(cameras) - depth


def depth_of(near: Tensor, cameras: Cameras) -> Tensor:
    """Depth along the view axis, (views, height, width, 1), of such a coordinate."""
    return _origin_depth(cameras) - near


def _origin_depth(cameras: Cameras) -> Tensor:
    return (cameras.positions * cameras.backward).sum(-1)[:, None, None, None]
