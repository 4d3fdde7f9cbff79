"""The report's curve: a KL divergence at fixed noise."""

from dataclasses import replace

import pytest
import torch

from backend.diffusion.schedules import CosineSchedule, expand_like
from backend.distillation.curve import Curve, Probe, curve_value
from backend.distillation.prompts import ConditionalText
from backend.distillation.score import ScoreDistillation
from backend.priors.oracle import OraclePrior, StoredViews
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import orbit_cameras

CAMERAS = orbit_cameras([0.0, 90.0] * 3, 10.0, 3.0, 45.0, 5)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(2)


@pytest.fixture
def score() -> ScoreDistillation:
    views = torch.rand(2, 4, 5, 5, generator=generator()) * 2 - 1
    prior = OraclePrior([StoredViews("w0", views)], resolution=5)
    return ScoreDistillation(prior, ConditionalText.embed(prior, "w0"), 9.0, weighting="uniform")


def test_it_is_the_kl_of_equal_variances(score: ScoreDistillation) -> None:
    """For a prior of one image: 1/2 |eps_hat - eps|**2 = alpha**2 |x - m|**2 / (2 sigma**2)."""
    mode = score.prior.components[0].views
    latents = torch.randn(3, 2, 4, 5, 5, generator=generator())
    probe = Probe.spread(score, CAMERAS, 3, generator())
    alpha, sigma = (expand_like(v, latents) for v in CosineSchedule().alpha_sigma(probe.t))
    kl = 0.5 * (alpha / sigma * (latents - mode)) ** 2
    value = curve_value(score, latents, probe)
    assert value == pytest.approx(float(kl.flatten(2).sum(-1).mean()), rel=1e-4)
    assert curve_value(score, (latents + mode) / 2, probe) == pytest.approx(value / 4, rel=1e-3)


def test_guidance_does_not_enter(score: ScoreDistillation) -> None:
    latents, probe = torch.zeros(3, 2, 4, 5, 5), Probe.spread(score, CAMERAS, 3, generator())
    strong = replace(score, scale=50.0)
    assert curve_value(score, latents, probe) == curve_value(strong, latents, probe)


def test_noise_levels_are_spread(score: ScoreDistillation) -> None:
    t = Probe.spread(score, CAMERAS, 3, generator()).t
    assert t[:, 0].tolist() == pytest.approx([0.1 + 0.8 / 6, 0.5, 0.9 - 0.8 / 6])
    assert (t == t[:, :1]).all()


class Renders:
    """A representation that shows what the prior believes, more or less."""

    def __init__(self, score: ScoreDistillation, blend: float) -> None:
        color, alpha = score.prior.decode(score.prior.components[0].views.repeat(3, 1, 1, 1))
        self.color, self.alpha = color * blend + 0.5 * (1 - blend), alpha * blend

    def render(self, cameras: object, **wanted: object) -> Buffers:
        return Buffers(color=self.color, alpha=self.alpha)


def test_the_curve_of_a_thing_falls_as_it_comes_closer(score: ScoreDistillation) -> None:
    probe = Probe.spread(score, CAMERAS, 3, generator())
    values = [Curve(score, Renders(score, blend), probe)() for blend in (0.0, 0.5, 1.0)]
    assert values[0] > values[1] > values[2]
    assert values[2] == pytest.approx(0, abs=1e-6)
    assert values[0] == Curve(score, Renders(score, 0.0), probe)()
