"""Pictures of a thing as editors pass them on: color over a prior's background with alpha as a
fourth channel, or, for priors that know no alpha, color alone over gray."""

import torch
from torch import Tensor

from backend.priors.base import Prior
from backend.rendering.cameras import Cameras
from backend.representations.base import Representation

GRAY = 0.5


def picture(prior: Prior, thing: Representation, cameras: Cameras) -> Tensor:
    """(views, height, width, 3 or 4) in [0, 1]; differentiable."""
    gray = GRAY if prior.spec.background is None else prior.spec.background
    shown = thing.render(cameras, background=torch.full((3,), gray))
    assert shown.color is not None
    assert shown.alpha is not None
    if prior.spec.background is None:
        return shown.color
    return torch.cat([shown.color, shown.alpha], -1)


def to_latents(prior: Prior, pictures: Tensor) -> Tensor:
    """Latents of pictures: one joint set for a prior of many views, else one set a picture."""
    alpha = pictures[..., 3:] if pictures.shape[-1] == 4 else None
    latents = prior.encode(pictures[..., :3], alpha)
    return latents[:, None] if prior.spec.views == 1 else latents[None]


def to_mask(places: Tensor, latents: Tensor) -> Tensor:
    """Masks (views, height, width) at the size of sets of ``latents``, (sets, views, 1, h, w): the
    most of the pixels that each stands for."""
    sized = torch.nn.functional.adaptive_max_pool2d(places[:, None], latents.shape[-2:])
    return sized.reshape(*latents.shape[:2], 1, *latents.shape[-2:])


def to_pictures(prior: Prior, latents: Tensor, like: Tensor) -> Tensor:
    """Pictures of the size and channels of ``like`` from sets of latents."""
    color, alpha = prior.decode(latents.flatten(0, 1))
    if like.shape[-1] == 4:
        alpha = torch.ones_like(color[..., :1]) if alpha is None else alpha
        color = torch.cat([color, alpha], -1)
    planes = torch.nn.functional.interpolate(
        color.permute(0, 3, 1, 2), like.shape[1:3], mode="bilinear", antialias=True
    )
    return planes.permute(0, 2, 3, 1).to(like)
