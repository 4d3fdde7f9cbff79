"""Guided evaluations: several conditions in one batch, combined by the algebra of guidance."""

from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from backend.diffusion.guidance import guide, guide_instruction, rescale_x0
from backend.priors.base import Condition, Prediction, Prior, TextEmbedding


class Guided(NamedTuple):
    """The guided clean latents and noise, and the conditional prediction before guidance."""

    x0: Tensor
    eps: Tensor
    cond: Prediction


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
) -> Guided:
    """Classifier-free guidance from ``negative`` (the empty or a negative prompt, as many rows as
    ``condition.text``) toward ``condition.text``; at scale 1 one evaluation is enough."""
    if condition.text is None:
        raise ValueError("guidance wants a text to guide toward")
    if scale == 1:
        cond = prior.predict(noisy, t, condition)
        return Guided(*cond, cond)
    uncond, cond = predict_texts(prior, noisy, t, condition, [negative, condition.text])
    return Guided(guide(uncond.x0, cond.x0, scale), guide(uncond.eps, cond.eps, scale), cond)


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
