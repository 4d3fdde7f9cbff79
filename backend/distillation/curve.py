"""The curve of a report: how far renders are from what the prior believes, at fixed noise.

1/2 w(t) |eps_hat - eps|**2, summed over the values of an image, mean over images, on a set of
(t, eps, cameras) that never changes. eps_hat is the conditional prediction without guidance: with
w = 1 and a prior of one image this is KL(q(z_t | x) || p(z_t)) with equal variances (DreamFusion,
appendix A.4); guidance would leave a residual that no render can bring to zero.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.diffusion.schedules import add_noise, expand_like
from backend.distillation.renders import render_latents
from backend.distillation.score import Score, reduce_squares, weight
from backend.rendering.cameras import Cameras
from backend.representations.base import Representation


@dataclass(frozen=True)
class Probe:
    """The fixed noise levels (sets, views), noise (sets, views, ...) and cameras of a curve."""

    cameras: Cameras
    t: Tensor
    noise: Tensor

    @classmethod
    def spread(
        cls, score: Score, cameras: Cameras, sets: int, generator: torch.Generator
    ) -> "Probe":
        """Noise levels spread evenly over 0.1 to 0.9, one a set of ``cameras``."""
        views = len(cameras) // sets
        t = 0.1 + 0.8 * (torch.arange(sets)[:, None] + 0.5) / sets
        noise = torch.randn(sets, views, *score.prior.spec.latent, generator=generator)
        return cls(cameras, t.expand(sets, views), noise)


@dataclass(frozen=True)
class Curve:
    """One point of the curve whenever it is called; the same renders give the same value."""

    score: Score
    thing: Representation
    probe: Probe
    own_background: bool = False

    @torch.no_grad()
    def __call__(self) -> float:
        """Render the probe's cameras and measure."""
        latents, _ = render_latents(
            self.score.prior, self.thing, self.probe.cameras, torch.Generator().manual_seed(0),
            own_background=self.own_background,
        )
        return curve_value(self.score, latents.unflatten(0, self.probe.t.shape), self.probe)


@torch.no_grad()
def curve_value(score: Score, latents: Tensor, probe: Probe) -> float:
    """The value for encoded renders (sets, views, ...) of the probe's cameras."""
    prior, device = score.prior, latents.device
    t, noise = probe.t.to(device), probe.noise.to(device)
    noisy = add_noise(prior.schedule, latents, noise, t)
    eps = score.predict_plain(noisy, t, probe.cameras).eps
    alpha, sigma = (expand_like(v, latents) for v in prior.schedule.alpha_sigma(t))
    squares = 0.5 * weight(score.weighting, alpha, sigma) * (eps - noise) ** 2
    return float(reduce_squares(squares, "sum"))
