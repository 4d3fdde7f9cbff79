"""Renders as a prior wants to see them."""

from collections.abc import Set

import torch
from torch import Tensor

from backend.priors.base import Prior
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.rendering.shading import Shading
from backend.representations.base import Representation, Want


def render_latents(
    prior: Prior,
    thing: Representation,
    cameras: Cameras,
    generator: torch.Generator,
    *,
    shading: Shading | None = None,
    own_background: bool = False,
    want: Set[Want] = frozenset({"color", "alpha"}),
) -> tuple[Tensor, Buffers]:
    """Render at jittered samples and encode: latents (views, channels, h, w) and the buffers.

    Behind the object stands the representation's own background where that is asked for; else,
    for a prior that knows alpha, its gray with alpha beside it; else one random color for all
    views (MVDream's augmentation).
    """
    jitter = torch.rand(len(cameras), cameras.height, cameras.width, generator=generator)
    gray = None if own_background else prior.spec.background
    background = torch.rand(3, generator=generator) if gray is None else torch.full((3,), gray)
    buffers = thing.render(
        cameras, want=want, shading=shading, jitter=jitter.to(cameras.c2w.device),
        background=None if own_background else background.to(cameras.c2w.device),
    )
    assert buffers.color is not None
    return prior.encode(buffers.color, None if gray is None else buffers.alpha), buffers


def encode_over(prior: Prior, buffers: Buffers, color: Tensor) -> Tensor:
    """Latents (views, channels, h, w) of renders over black with color and alpha, as ``prior``
    wants them: over its gray with alpha beside it; else over ``color`` (3,)."""
    assert buffers.color is not None
    gray = prior.spec.background
    behind = color.to(buffers.color) if gray is None else gray
    images = buffers.color + (1 - buffers.alpha) * behind
    return prior.encode(images, None if gray is None else buffers.alpha)
