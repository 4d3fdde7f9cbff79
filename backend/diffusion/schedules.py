"""Noise schedules: how much signal and noise there is at the fraction ``t`` of the process."""

import math
from typing import Protocol

import torch
from torch import Tensor


class NoiseSchedule(Protocol):
    """z_t = alpha_t x0 + sigma_t eps, with alpha_t**2 + sigma_t**2 = 1."""

    def alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(alpha, sigma), each of the shape of ``t`` in [0, 1]; 0 is the clean end."""
        ...


class CosineSchedule:
    """alpha = cos(pi t / 2), sigma = sin(pi t / 2) (Nichol & Dhariwal 2021, without the offset)."""

    def alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(alpha, sigma); exactly (1, 0) at t = 0 and (0, 1) at t = 1."""
        angle = t * (math.pi / 2)
        # cos(pi / 2) is -4e-8 in float32; a signal must not be negative.
        return angle.cos().clamp_min(0), angle.sin()


class DiscreteSchedule:
    """The schedule of a checkpoint that was trained on numbered steps (DDPM).

    ``alphas_cumprod``: (steps,), the product of 1 - beta; index = round((steps - 1) * t).
    """

    def __init__(self, alphas_cumprod: Tensor) -> None:
        self.alphas_cumprod = alphas_cumprod.double()

    @classmethod
    def from_betas(cls, betas: Tensor) -> "DiscreteSchedule":
        """From the noise variances of single steps."""
        return cls((1 - betas.double()).cumprod(0))

    @classmethod
    def scaled_linear(
        cls, first: float = 0.00085, last: float = 0.012, steps: int = 1000
    ) -> "DiscreteSchedule":
        """Betas whose square roots are evenly spaced; the defaults are Stable Diffusion's."""
        roots = torch.linspace(first**0.5, last**0.5, steps, dtype=torch.float64)
        return cls.from_betas(roots**2)

    def index(self, t: Tensor) -> Tensor:
        """The checkpoint's number of step for the fraction ``t``, int64."""
        return (t.double() * (len(self.alphas_cumprod) - 1)).round().long()

    def alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(alpha, sigma) of the nearest numbered step; never quite (1, 0) at t = 0."""
        kept = self.alphas_cumprod.to(t.device)[self.index(t)]
        return kept.sqrt().to(t), (1 - kept).sqrt().to(t)


def expand_like(values: Tensor, latents: Tensor) -> Tensor:
    """Numbers (batch, views) with trailing axes, so that they multiply ``latents``."""
    return values.reshape(values.shape + (1,) * (latents.dim() - values.dim()))


def add_noise(schedule: NoiseSchedule, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """z_t = alpha_t x0 + sigma_t noise for latents (batch, views, ...) and t (batch, views)."""
    alpha, sigma = (expand_like(value, x0) for value in schedule.alpha_sigma(t))
    return alpha * x0 + sigma * noise
