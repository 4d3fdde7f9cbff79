"""The algebra of guidance, in one convention: uncond + scale * (cond - uncond).

It is linear, so it may act on eps or on x0 (for one z they are affine images of each other) and
gives the same sample. Papers that write cond + s * (cond - uncond) mean scale = s + 1 here.
Tensors are (batch, views, channels, height, width); a set of views is guided as one thing.
"""

import torch
from torch import Tensor


def guide(uncond: Tensor, cond: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance (Ho & Salimans 2022). A negative prompt stands in for uncond."""
    return uncond + scale * (cond - uncond)


def perp_neg(
    uncond: Tensor, cond: Tensor, negatives: list[Tensor], weights: list[Tensor], scale: float
) -> Tensor:
    """Perp-Neg (Armandpour et al. 2023): negatives act only across the positive direction.

    ``weights``: (batch,) a negative, at least zero; how much each counts.
    """
    positive = cond - uncond
    direction = positive.clone()
    for negative, weight in zip(negatives, weights, strict=True):
        across = _perpendicular(negative - uncond, positive)
        direction = direction - weight.reshape(-1, *[1] * (cond.dim() - 1)) * across
    return uncond + scale * direction


def _perpendicular(vector: Tensor, axis: Tensor) -> Tensor:
    dims = tuple(range(1, vector.dim()))
    along = (vector * axis).sum(dims, keepdim=True)
    return vector - along / (axis * axis).sum(dims, keepdim=True).clamp_min(1e-12) * axis


def guide_instruction(
    uncond: Tensor, image: Tensor, both: Tensor, image_scale: float, text_scale: float
) -> Tensor:
    """Two-scale guidance of an instruction editor (InstructPix2Pix, equation 3): from nothing to
    the source image, from there to image and instruction."""
    return uncond + image_scale * (image - uncond) + text_scale * (both - image)


def rescale_x0(guided: Tensor, cond: Tensor, strength: float) -> Tensor:
    """Guidance rescale of x0 (MVDream, section 3.3; Lin et al. 2023): give the guided x0 the
    deviation of the unguided one, blended by ``strength`` phi in [0, 1].

    The deviation is taken over all views, channels and pixels of a set, so that views keep their
    relative brightness.
    """
    dims = tuple(range(1, guided.dim()))
    ratio = cond.std(dims, keepdim=True) / guided.std(dims, keepdim=True).clamp_min(1e-8)
    return guided * torch.lerp(torch.ones_like(ratio), ratio, strength)
