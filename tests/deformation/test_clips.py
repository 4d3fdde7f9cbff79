"""Windows of time, and the motion amplifier."""

import pytest
import torch

from backend.deformation.clips import ClipDistillation, amplify, draw_window
from backend.distillation.prompts import ConditionalText
from backend.priors.oracle import DrawnWorld, OraclePrior
from backend.priors.worlds import sphere
from backend.rendering.cameras import orbit_cameras


def test_windows_are_even_and_lie_in_the_clip() -> None:
    windows = [draw_window(5, 0.4, torch.Generator().manual_seed(seed)) for seed in range(200)]
    for window in windows:
        assert 0 <= window[0] and window[-1] <= 1 + 1e-6
        assert torch.allclose(window.diff(), window.diff()[:1], atol=1e-6)
    lengths = torch.tensor([float(window[-1] - window[0]) for window in windows])
    assert lengths.min() < 0.45 and lengths.max() > 0.95


def test_the_amplifier_keeps_the_mean_and_stretches_what_differs() -> None:
    residuals = torch.randn(2, 6, 4, 3, 3, generator=torch.Generator().manual_seed(0)).double()
    louder = amplify(residuals, 12.0)
    mean = residuals.mean(1, keepdim=True)
    assert torch.allclose(louder.mean(1, keepdim=True), mean, atol=1e-14)
    assert torch.allclose((louder - mean) / (residuals - mean), torch.tensor(13.0).double())
    assert torch.equal(amplify(residuals, 0.0), residuals)


def test_the_score_of_a_clip_is_amplified_and_knows_its_times() -> None:
    moving = DrawnWorld(sphere(), 16, lambda frame: frame[:, None] * torch.tensor([0.4, 0, 0]))
    still = DrawnWorld(sphere(), 16)
    prior = OraclePrior([moving, still], resolution=16)
    text = ConditionalText(prior.embed_text(["sphere"]), prior.embed_text([""]))
    times, cameras = torch.tensor([0.0, 0.5, 1.0]), orbit_cameras([0.0] * 3, 0.0, 4.0, 40.0, 16)
    choices = {"form": "sds", "see_cameras": True}
    plain = ClipDistillation(prior, text, 1.0, **choices).at(times, 1.0)
    loud = ClipDistillation(prior, text, 1.0, **choices, amplification=3.0).at(times, 1.0)
    assert plain.condition.frame.tolist() == [[0.0, 0.5, 1.0]]
    assert plain.condition.motion.tolist() == [[1.0, 1.0, 1.0]]
    latents = torch.zeros(1, 3, 4, 16, 16)
    noise = torch.randn(1, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    t = torch.full((1, 3), 0.5)
    residuals = [latents - score.target(latents, cameras, t, noise) for score in (plain, loud)]
    assert torch.allclose(residuals[1], amplify(residuals[0], 3.0), atol=1e-5)
    apart = [(r - r.mean(1, keepdim=True)).norm() for r in residuals]
    assert apart[0] > 0.1
    assert float(apart[1] / apart[0]) == pytest.approx(4.0, rel=1e-3)
