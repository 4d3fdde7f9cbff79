"""Score distillation: a prior's opinion of renders as an ordinary scalar loss.

For latents x of renders, z = alpha x + sigma eps and the prior's guided guess (x0_hat, eps_hat):

- form ``sds`` (DreamFusion, equation 3): residual g = w(t) (eps_hat - eps);
- form ``x0`` (MVDream, section 3.3): residual g = x - x0_hat, which is sds with w = sigma / alpha
  but lets x0_hat be changed (guidance rescale, several denoising steps) before it is a target;
- form ``sjc`` (Wang et al., Score Jacobian Chaining, arXiv 2212.00774, section 4): x is perturbed
  to y = x + s eps with s = sigma / alpha, and the score at x is the mean of the score at y: g =
  (y - x0_hat) / s, or with less variance and the same mean g = (x - x0_hat) / s;
- form ``csd`` (Yu et al., Classifier Score Distillation, arXiv 2310.19415): g = w(t) (eps_hat -
  eps_uncond), which is scale * w(t) * (eps_cond - eps_uncond): what the prompt adds, alone.

The loss is 1/2 |x - stop(x - g)|**2, whose gradient is g: the prior is never differentiated.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from backend.diffusion.annealing import Number, value_at
from backend.diffusion.conversions import SMALLEST, from_x0
from backend.diffusion.guidance import rescale_x0
from backend.diffusion.samplers import ddim
from backend.diffusion.schedules import add_noise, expand_like
from backend.distillation.prompts import ConditionalText
from backend.priors.base import Condition, Prediction, Prior, TextEmbedding
from backend.priors.guidance import (
    GivenViews,
    Guided,
    predict_beside,
    predict_guided,
    predict_perp_neg,
)
from backend.rendering.cameras import Cameras

Weighting = Literal["sigma_squared", "uniform", "fantasia"]
Form = Literal["sds", "x0", "sjc", "csd"]
Reduction = Literal["sum", "mean"]


@dataclass(frozen=True, kw_only=True)
class Score(ABC):
    """The score loss of one prior and set of choices; what the prior is told, and how it is
    guided, is the subclasses' business.

    ``weighting``: w(t) of forms ``sds`` and ``csd``: sigma**2 (DreamFusion), 1, or alpha * sigma**2
    (Fantasia3D); the others have none. ``t_range``: lowest and highest fraction of the noise
    process, numbers or schedules. ``rescale``: phi of :func:`rescale_x0`. ``reduction``: ``sum``
    over the values of an image and mean over images, as published; ``mean`` over all values, which
    is smaller by channels * height * width. ``denoising_steps``: above 1, x0_hat is the end of that
    many deterministic DDIM steps from z (form ``x0``). ``variance_reduced``: of form ``sjc``.
    ``most_residual``: single values of g are held within it (forms other than ``x0``).
    """

    prior: Prior
    form: Form = "sds"
    weighting: Weighting = "sigma_squared"
    t_range: tuple[Number, Number] = (0.02, 0.98)
    rescale: float = 0.0
    reduction: Reduction = "sum"
    denoising_steps: int = 1
    variance_reduced: bool = True
    most_residual: float = math.inf

    def __post_init__(self) -> None:
        if self.form != "x0" and self.denoising_steps > 1:
            raise ValueError("several denoising steps need the x0 form")
        if self.form == "csd" and self.rescale > 0:
            raise ValueError("the classifier score has no x0 that could be rescaled")

    @abstractmethod
    def predict(self, noisy: Tensor, t: Tensor, cameras: Cameras) -> Guided:
        """The guided guess for noisy latents (sets, views, channels, height, width) of views."""

    @abstractmethod
    def predict_plain(self, noisy: Tensor, t: Tensor, cameras: Cameras) -> Prediction:
        """The guess without guidance."""

    def sample_t(
        self, sets: int, views: int, progress: float, generator: torch.Generator
    ) -> Tensor:
        """Noise levels (sets, views), uniform in the range at the fraction ``progress`` of the
        run; the views of a set share one."""
        low, high = (value_at(bound, progress) for bound in self.t_range)
        t = low + (high - low) * torch.rand(sets, 1, generator=generator)
        return t.expand(sets, views)

    def loss(self, latents: Tensor, cameras: Cameras, t: Tensor, noise: Tensor) -> Tensor:
        """The scalar whose gradient is the residual.

        ``latents``: (sets, views, channels, height, width), encoded renders of ``cameras``
        (sets * views of them). ``t``: (sets, views). ``noise``: as latents.
        """
        target = self.target(latents, cameras, t, noise)
        return reduce_squares(0.5 * (latents - target) ** 2, self.reduction)

    @torch.no_grad()
    def target(self, latents: Tensor, cameras: Cameras, t: Tensor, noise: Tensor) -> Tensor:
        """What the latents are drawn to: x - g, or x0_hat. Without gradient."""
        t, noise = t.to(latents.device), noise.to(latents.device)
        noisy = add_noise(self.prior.schedule, latents, noise, t)
        if self.denoising_steps > 1:
            return self._denoise(noisy, t, cameras)
        guided = self.predict(noisy, t, cameras)
        if self.form == "x0":
            return self._x0(guided)
        residual = self._residual(guided, latents, noisy, t, noise)
        return latents - residual.clamp(-self.most_residual, self.most_residual)

    def _residual(
        self, guided: Guided, latents: Tensor, noisy: Tensor, t: Tensor, noise: Tensor
    ) -> Tensor:
        alpha, sigma = (expand_like(v, latents) for v in self.prior.schedule.alpha_sigma(t))
        w, x0 = weight(self.weighting, alpha, sigma), self._x0(guided)
        if self.form == "csd":
            assert guided.uncond is not None
            return w * (guided.eps - guided.uncond.eps)
        if self.form == "sjc":
            seen = latents if self.variance_reduced else noisy / alpha.clamp_min(SMALLEST)
            return (seen - x0) * alpha / sigma.clamp_min(SMALLEST)
        return w * (from_x0(noisy, x0, alpha, sigma)[1] - noise)

    def _x0(self, guided: Guided) -> Tensor:
        return guided.x0 if self.rescale == 0 else rescale_x0(
            guided.x0, guided.cond.x0, self.rescale
        )

    def _denoise(self, noisy: Tensor, t: Tensor, cameras: Cameras) -> Tensor:
        """Several steps of DDIM from each set's own noise level."""

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            return self._x0(self.predict(noisy, t, cameras))

        x0 = noisy
        for step in ddim(
            predict, self.prior.schedule, noisy, steps=self.denoising_steps, t_start=t
        ):
            x0 = step.x0
        return x0


@dataclass(frozen=True)
class ScoreDistillation(Score):
    """The score loss of a prompt.

    ``scale``: guidance, in the convention uncond + scale * (cond - uncond). ``condition``: what
    else the prior is told; ``see_cameras`` tells it the cameras too. ``perp_neg``: steer away from
    the words of the views next to a view's own, across the direction of those
    (:func:`predict_perp_neg`); wants view-dependent text and sets of one view.
    """

    prior: Prior
    text: ConditionalText
    scale: float
    see_cameras: bool = field(default=False, kw_only=True)
    condition: Condition = field(default_factory=Condition, kw_only=True)
    perp_neg: bool = field(default=False, kw_only=True)

    def predict(self, noisy: Tensor, t: Tensor, cameras: Cameras) -> Guided:
        """From the negative text toward the positive one."""
        condition, negative = self.conditions(noisy, cameras)
        if self.perp_neg:
            opposed = self.text.opposed(cameras)
            return predict_perp_neg(self.prior, noisy, t, condition, negative, opposed, self.scale)
        both = self.form == "csd"
        return predict_guided(self.prior, noisy, t, condition, negative, self.scale, both=both)

    def predict_plain(self, noisy: Tensor, t: Tensor, cameras: Cameras) -> Prediction:
        """Told the positive text alone."""
        return self.prior.predict(noisy, t, self.conditions(noisy, cameras)[0])

    def conditions(self, latents: Tensor, cameras: Cameras) -> tuple[Condition, TextEmbedding]:
        """What the prior is told of these views, and the text to steer away from."""
        positive, negative = self.text.rows(cameras, len(latents))
        seen = cameras if self.see_cameras else None
        return replace(self.condition, text=positive, cameras=seen), negative


@dataclass(frozen=True)
class PictureDistillation(Score):
    """The score loss of one picture, through a prior of new views (Zero-1-to-3, section 3.2).

    ``given``: the picture's latents and camera, shown beside every set. ``scale``: guidance, from
    the views alone toward the same beside the picture. ``condition``: what else the prior is told.
    """

    prior: Prior
    given: GivenViews
    scale: float
    condition: Condition = field(default_factory=Condition, kw_only=True)

    def predict(self, noisy: Tensor, t: Tensor, cameras: Cameras) -> Guided:
        """From any object's views toward those of the picture's object."""
        return self._predict(noisy, t, cameras, self.scale)

    def predict_plain(self, noisy: Tensor, t: Tensor, cameras: Cameras) -> Prediction:
        """Shown the picture."""
        return self._predict(noisy, t, cameras, 1.0).cond

    def _predict(self, noisy: Tensor, t: Tensor, cameras: Cameras, scale: float) -> Guided:
        return predict_beside(
            self.prior, self.given, noisy, t, replace(self.condition, cameras=cameras), scale,
            both=self.form == "csd",
        )


def weight(weighting: Weighting, alpha: Tensor, sigma: Tensor) -> Tensor:
    """w(t) of score distillation."""
    match weighting:
        case "sigma_squared":
            return sigma**2
        case "uniform":
            return torch.ones_like(sigma)
        case "fantasia":
            return alpha * sigma**2


def diffusion_loss(
    distillation: ScoreDistillation, latents: Tensor, cameras: Cameras, t: Tensor, noise: Tensor
) -> Tensor:
    """1/2 w(t) |eps_hat(z) - eps|**2 differentiated all the way, through the prior as well
    (DreamFusion, equation 2): the comparison that score distillation is set against, not a loss
    that recipes use (docs/distillation.md). Same arguments and reduction as
    :meth:`ScoreDistillation.loss`.
    """
    prior = distillation.prior
    noisy = add_noise(prior.schedule, latents, noise, t)
    condition, negative = distillation.conditions(latents, cameras)
    eps = predict_guided(prior, noisy, t, condition, negative, distillation.scale).eps
    alpha, sigma = (expand_like(v, latents) for v in prior.schedule.alpha_sigma(t))
    squares = 0.5 * weight(distillation.weighting, alpha, sigma) * (eps - noise) ** 2
    return reduce_squares(squares, distillation.reduction)


def reduce_squares(squares: Tensor, reduction: Reduction) -> Tensor:
    """Values (sets, views, channels, height, width) to a scalar: ``sum`` over the values of an
    image and mean over images, or ``mean`` over everything."""
    return squares.mean() if reduction == "mean" else squares.flatten(2).sum(-1).mean()
