"""Samplers that stop between steps: whoever draws a sample may look, save or cancel."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from backend.diffusion.conversions import from_x0
from backend.diffusion.schedules import NoiseSchedule, expand_like

PredictX0 = Callable[[Tensor, Tensor], Tensor]
"""(noisy (batch, views, ...), t (batch, views)) -> the guided clean latents."""


class Step(NamedTuple):
    """After one step: the clean latents as now predicted, the latents still noisy, and the
    fraction of steps done. The last step's ``x0`` is the sample."""

    x0: Tensor
    noisy: Tensor
    progress: float


def ddim(
    predict: PredictX0,
    schedule: NoiseSchedule,
    noisy: Tensor,
    *,
    steps: int,
    t_start: float | Tensor = 1.0,
    given: Tensor | None = None,
    eta: float = 0.0,
    noise: Callable[[int], Tensor] | None = None,
) -> Iterator[Step]:
    """DDIM (Song et al. 2021) from ``noisy`` (batch, views, ...) at ``t_start``, one number or
    (batch, views), down to t = 0 in even steps.

    ``given``: (batch, views) bool, views that are known: they stand clean in ``noisy``, are shown
    to ``predict`` with t = 0 and come back unchanged. ``eta``: 0 is deterministic, 1 ancestral;
    above zero ``noise(step)`` gives standard normal numbers shaped as ``noisy``.
    """
    if eta > 0 and noise is None:
        raise ValueError("a sampler with eta above 0 needs noise")
    known = noisy
    start = torch.as_tensor(t_start, dtype=torch.float32, device=noisy.device)
    start = start.expand(noisy.shape[:2])
    if given is not None:
        start = start.masked_fill(given, 0.0)
    for step in range(steps):
        t, t_next = start * (1 - step / steps), start * (1 - (step + 1) / steps)
        x0 = _keep(predict(noisy, t), known, given)
        fresh = noise(step) if noise is not None and eta > 0 else None
        last = step + 1 == steps
        noisy = x0 if last else _keep(
            _ddim_step(schedule, noisy, x0, t, t_next, eta, fresh), known, given
        )
        yield Step(x0, noisy, (step + 1) / steps)


def _keep(latents: Tensor, known: Tensor, given: Tensor | None) -> Tensor:
    return latents if given is None else torch.where(expand_like(given, latents), known, latents)


def _ddim_step(
    schedule: NoiseSchedule,
    noisy: Tensor,
    x0: Tensor,
    t: Tensor,
    t_next: Tensor,
    eta: float,
    fresh: Tensor | None,
) -> Tensor:
    alpha, sigma = (expand_like(value, noisy) for value in schedule.alpha_sigma(t))
    alpha_next, sigma_next = (expand_like(value, noisy) for value in schedule.alpha_sigma(t_next))
    eps = from_x0(noisy, x0, alpha, sigma)[1]
    if fresh is None:
        return alpha_next * x0 + sigma_next * eps
    # Equation 16 of the paper: how much of the noise to come is drawn anew.
    lost = 1 - (alpha / alpha_next.clamp_min(1e-6)) ** 2
    renewed = eta * (sigma_next / sigma.clamp_min(1e-6)) * lost.clamp_min(0).sqrt()
    kept = (sigma_next**2 - renewed**2).clamp_min(0).sqrt()
    return alpha_next * x0 + kept * eps + renewed * fresh
