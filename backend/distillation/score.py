"""Score distillation: a prior's opinion of renders as an ordinary scalar loss.

For latents x of renders, z = alpha x + sigma eps and the prior's guided guess (x0_hat, eps_hat):

- form ``sds`` (DreamFusion, equation 3): residual g = w(t) (eps_hat - eps);
- form ``x0`` (MVDream, section 3.3): residual g = x - x0_hat, which is sds with w = sigma / alpha
  but lets x0_hat be changed (guidance rescale, several denoising steps) before it is a target.

The loss is 1/2 |x - stop(x - g)|**2, whose gradient is g: the prior is never differentiated.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from backend.diffusion.annealing import Number, value_at
from backend.diffusion.conversions import from_x0
from backend.diffusion.samplers import ddim
from backend.diffusion.schedules import add_noise, expand_like
from backend.distillation.prompts import ConditionalText
from backend.priors.base import Condition, Prior, TextEmbedding
from backend.priors.guidance import predict_guided, predict_x0
from backend.rendering.cameras import Cameras

Weighting = Literal["sigma_squared", "uniform", "fantasia"]
Form = Literal["sds", "x0"]
Reduction = Literal["sum", "mean"]


@dataclass(frozen=True)
class ScoreDistillation:
    """The score loss of one prior, prompt and set of choices.

    ``scale``: guidance, in the convention uncond + scale * (cond - uncond). ``weighting``: w(t) of
    form ``sds``: sigma**2 (DreamFusion), 1, or alpha * sigma**2 (Fantasia3D); form ``x0`` has none.
    ``t_range``: lowest and highest fraction of the noise process, numbers or schedules.
    ``rescale``: phi of :func:`rescale_x0`. ``reduction``: ``sum`` over the values of an image and
    mean over images, as published; ``mean`` over all values, which is smaller by channels * height
    * width. ``denoising_steps``: above 1, x0_hat is the end of that many deterministic DDIM steps
    from z (form ``x0``). ``condition``: what else the prior is told; ``see_cameras`` tells it the
    cameras too.
    """

    prior: Prior
    text: ConditionalText
    scale: float
    form: Form = "sds"
    weighting: Weighting = "sigma_squared"
    t_range: tuple[Number, Number] = (0.02, 0.98)
    rescale: float = 0.0
    reduction: Reduction = "sum"
    denoising_steps: int = 1
    see_cameras: bool = False
    condition: Condition = field(default_factory=Condition)

    def __post_init__(self) -> None:
        if self.form == "sds" and self.denoising_steps > 1:
            raise ValueError("several denoising steps need the x0 form")

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
        """What the latents are drawn to: x - w (eps_hat - eps), or x0_hat. Without gradient."""
        t, noise = t.to(latents.device), noise.to(latents.device)
        noisy = add_noise(self.prior.schedule, latents, noise, t)
        condition, negative = self.conditions(latents, cameras)
        if self.denoising_steps > 1:
            return self._denoise(noisy, t, condition, negative)
        x0 = self._predict_x0(noisy, t, condition, negative)
        if self.form == "x0":
            return x0
        alpha, sigma = (expand_like(v, latents) for v in self.prior.schedule.alpha_sigma(t))
        eps = from_x0(noisy, x0, alpha, sigma)[1]
        return latents - weight(self.weighting, alpha, sigma) * (eps - noise)

    def conditions(self, latents: Tensor, cameras: Cameras) -> tuple[Condition, TextEmbedding]:
        """What the prior is told of these views, and the text to steer away from."""
        positive, negative = self.text.rows(cameras, len(latents))
        seen = cameras if self.see_cameras else None
        return replace(self.condition, text=positive, cameras=seen), negative

    def _predict_x0(
        self, noisy: Tensor, t: Tensor, condition: Condition, negative: TextEmbedding
    ) -> Tensor:
        return predict_x0(
            self.prior, noisy, t, condition, negative, self.scale, self.rescale
        )

    def _denoise(
        self, noisy: Tensor, t: Tensor, condition: Condition, negative: TextEmbedding
    ) -> Tensor:
        """Several steps of DDIM from each set's own noise level."""

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            return self._predict_x0(noisy, t, condition, negative)

        x0 = noisy
        for step in ddim(
            predict, self.prior.schedule, noisy, steps=self.denoising_steps, t_start=t
        ):
            x0 = step.x0
        return x0


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
