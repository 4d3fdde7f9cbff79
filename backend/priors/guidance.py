"""Guided evaluations: several conditions in one batch, combined by the algebra of guidance."""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from backend.diffusion.guidance import guide, guide_instruction, perp_neg, rescale_x0
from backend.priors.base import COLOR, Condition, Prediction, Prior, TextEmbedding
from backend.rendering.cameras import Cameras


class Guided(NamedTuple):
    """The guided clean latents and noise, and the predictions that guidance went to and came from
    (``uncond`` None where nobody needed it)."""

    x0: Tensor
    eps: Tensor
    cond: Prediction
    uncond: Prediction | None = None


class GivenViews(NamedTuple):
    """Views that a prior is shown beside those that it draws: clean latents (views, channels,
    height, width), their cameras, and one row of words for what they show, where it is known."""

    latents: Tensor
    cameras: Cameras
    text: TextEmbedding | None = None


class Opposed(NamedTuple):
    """Something to steer away from: one row a set, and how much it counts there, (sets,), at least
    zero."""

    text: TextEmbedding
    weight: Tensor


def predict_texts(
    prior: Prior, noisy: Tensor, t: Tensor, condition: Condition, texts: list[TextEmbedding]
) -> list[Prediction]:
    """One prediction a text, all in one batch; everything else as ``condition`` says."""
    times = len(texts)
    repeated = condition.repeat(times).with_text(TextEmbedding.join(texts))
    x0, eps = prior.predict(
        noisy.repeat(times, *[1] * (noisy.dim() - 1)), t.repeat(times, 1), repeated
    )
    return [Prediction(*pair) for pair in zip(x0.chunk(times), eps.chunk(times), strict=True)]


def predict_guided(
    prior: Prior,
    noisy: Tensor,
    t: Tensor,
    condition: Condition,
    negative: TextEmbedding,
    scale: float,
    *,
    both: bool = False,
) -> Guided:
    """Classifier-free guidance from ``negative`` (the empty or a negative prompt, as many rows as
    ``condition.text``) toward ``condition.text``; at scale 1 one evaluation is enough, unless
    ``both`` predictions are wanted."""
    if condition.text is None:
        raise ValueError("guidance wants a text to guide toward")
    if scale == 1 and not both:
        cond = prior.predict(noisy, t, condition)
        return Guided(*cond, cond)
    uncond, cond = predict_texts(prior, noisy, t, condition, [negative, condition.text])
    return _guided(uncond, cond, scale)


def _guided(uncond: Prediction, cond: Prediction, scale: float) -> Guided:
    x0, eps = guide(uncond.x0, cond.x0, scale), guide(uncond.eps, cond.eps, scale)
    return Guided(x0, eps, cond, uncond)


def predict_perp_neg(
    prior: Prior,
    noisy: Tensor,
    t: Tensor,
    condition: Condition,
    negative: TextEmbedding,
    opposed: list[Opposed],
    scale: float,
) -> Guided:
    """Perp-Neg (Armandpour et al., arXiv 2304.04968): guidance from ``negative`` toward
    ``condition.text``, and away from what is ``opposed`` where that does not weaken it."""
    if condition.text is None:
        raise ValueError("guidance wants a text to guide toward")
    texts = [negative, condition.text, *(entry.text for entry in opposed)]
    uncond, cond, *others = predict_texts(prior, noisy, t, condition, texts)
    weights = [entry.weight.to(noisy) for entry in opposed]
    x0 = perp_neg(uncond.x0, cond.x0, [other.x0 for other in others], weights, scale)
    eps = perp_neg(uncond.eps, cond.eps, [other.eps for other in others], weights, scale)
    return Guided(x0, eps, cond, uncond)


def predict_beside(
    prior: Prior,
    given: GivenViews,
    noisy: Tensor,
    t: Tensor,
    condition: Condition,
    scale: float,
    *,
    both: bool = False,
) -> Guided:
    """Guidance toward ``given`` views, the same for all sets: from the views of ``noisy`` alone, of
    which ``condition`` tells, to the same views beside those (Zero-1-to-3, section 3.2; it drops
    the picture in training for this). At scale 1 one evaluation is enough, unless ``both``
    predictions are wanted."""
    count = len(given.latents)
    shown = prior.predict(*_beside(given, noisy, t, condition))
    cond = Prediction(shown.x0[:, count:], shown.eps[:, count:])
    if scale == 1 and not both:
        return Guided(*cond, cond)
    return _guided(prior.predict(noisy, t, condition), cond, scale)


def _beside(
    given: GivenViews, noisy: Tensor, t: Tensor, condition: Condition
) -> tuple[Tensor, Tensor, Condition]:
    """What :meth:`Prior.predict` is asked where given views stand before each set's own."""
    sets, views = t.shape
    count = len(given.latents)
    mask = (torch.arange(count + views, device=t.device) < count).expand(sets, -1)
    clean = given.latents.to(noisy).expand(sets, *given.latents.shape)
    domain = condition.domain
    if domain is not None:
        domain = torch.cat([domain.new_full((sets, count), COLOR), domain], 1)
    text = condition.text if given.text is None else given.text.repeat(sets)
    cameras = _among(given.cameras, condition.cameras, sets)
    told = replace(condition, text=text, cameras=cameras, given=mask, domain=domain)
    return torch.cat([clean, noisy], 1), torch.cat([t.new_zeros(sets, count), t], 1), told


def _among(given: Cameras, cameras: Cameras | None, sets: int) -> Cameras:
    """Set after set, the given cameras before the set's own."""
    if cameras is None:
        raise ValueError("a prior that is shown views wants to know where the others stand")
    count, views = len(given), len(cameras) // sets
    index = [
        place for one in range(sets)
        for place in (*range(count), *range(count + one * views, count + (one + 1) * views))
    ]
    return Cameras.join([given.resized(cameras.height, cameras.width), cameras])[index]


def predict_x0(
    prior: Prior,
    noisy: Tensor,
    t: Tensor,
    condition: Condition,
    negative: TextEmbedding,
    scale: float,
    rescale: float,
) -> Tensor:
    """The guided clean latents, held to the contrast of the plain prediction by ``rescale``, phi of
    :func:`rescale_x0`."""
    guided = predict_guided(prior, noisy, t, condition, negative, scale)
    return guided.x0 if rescale == 0 else rescale_x0(guided.x0, guided.cond.x0, rescale)


def predict_instruction(
    prior: Prior,
    noisy: Tensor,
    t: Tensor,
    condition: Condition,
    negative: TextEmbedding,
    image_scale: float,
    text_scale: float,
) -> Guided:
    """Guidance of an instruction editor over two scales (InstructPix2Pix, equation 3): from nothing
    to ``condition.source``, from there to the instruction ``condition.text`` as well."""
    if condition.text is None or condition.source is None:
        raise ValueError("an instruction editor wants an instruction and a source")
    nothing = replace(condition, source=None).with_text(negative)
    uncond = prior.predict(noisy, t, nothing)
    image, both = predict_texts(prior, noisy, t, condition, [negative, condition.text])
    scales = (image_scale, text_scale)
    return Guided(
        guide_instruction(uncond.x0, image.x0, both.x0, *scales),
        guide_instruction(uncond.eps, image.eps, both.eps, *scales),
        both,
    )
