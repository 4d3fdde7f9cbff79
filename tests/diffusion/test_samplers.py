"""DDIM against data whose denoiser and whose probability-flow solution are known."""

import pytest
import torch
from torch import Tensor

from backend.diffusion.samplers import ddim
from backend.diffusion.schedules import CosineSchedule, expand_like

SCHEDULE = CosineSchedule()
MEAN, DEVIATION = 0.4, 0.3
START = torch.randn(3, 2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def gaussian(noisy: Tensor, t: Tensor) -> Tensor:
    """E[x0 | z] for x0 ~ N(MEAN, DEVIATION**2)."""
    alpha, sigma = (expand_like(value, noisy) for value in SCHEDULE.alpha_sigma(t))
    variance = alpha**2 * DEVIATION**2 + sigma**2
    return (DEVIATION**2 * alpha * noisy + sigma**2 * MEAN) / variance


def sample(steps: int, **choices: object) -> Tensor:
    return list(ddim(gaussian, SCHEDULE, START, steps=steps, **choices))[-1].x0


def test_many_steps_solve_the_probability_flow() -> None:
    """For Gaussian data z_t - alpha mean stays the same number of deviations from 0."""
    exact = MEAN + DEVIATION * START
    error = [float((sample(steps) - exact).abs().max()) for steps in (25, 100, 400)]
    assert error[2] < 0.01
    assert error[1] < error[0] / 3.5  # first order: a quarter for four times the steps
    assert error[2] < error[1] / 3.5


def test_start_from_the_middle() -> None:
    t = torch.tensor([[0.3], [0.6], [0.9]]).expand(3, 2)
    alpha, sigma = (expand_like(value, START) for value in SCHEDULE.alpha_sigma(t))
    spread = (alpha**2 * DEVIATION**2 + sigma**2).sqrt()
    noisy = alpha * MEAN + spread * START
    end = list(ddim(gaussian, SCHEDULE, noisy, steps=400, t_start=t))[-1].x0
    assert torch.allclose(end, MEAN + DEVIATION * START, atol=0.01)


def test_it_is_deterministic_and_one_step_is_the_denoiser() -> None:
    assert torch.equal(sample(10), sample(10))
    assert torch.equal(sample(1), gaussian(START, torch.ones(3, 2)))


def test_ancestral_samples_have_the_right_spread() -> None:
    """The mean of the renewed noise must not shrink or grow the distribution."""
    generator = torch.Generator().manual_seed(1)
    drawn = sample(
        200, eta=1.0, noise=lambda step: torch.randn(START.shape, generator=generator)
    )
    assert float(drawn.mean()) == pytest.approx(MEAN, abs=0.05)
    assert float(drawn.std()) == pytest.approx(DEVIATION, abs=0.03)
    assert not torch.allclose(drawn, sample(200), atol=0.1)


def test_eta_wants_noise() -> None:
    with pytest.raises(ValueError, match="noise"):
        next(ddim(gaussian, SCHEDULE, START, steps=2, eta=0.5))


def test_given_views_stay_clean_and_are_shown_as_such() -> None:
    given = torch.tensor([[True, False]]).expand(3, 2)
    seen: list[Tensor] = []

    def predict(noisy: Tensor, t: Tensor) -> Tensor:
        seen.append(t)
        assert torch.equal(noisy[:, 0], START[:, 0])
        return gaussian(noisy, t)

    steps = list(ddim(predict, SCHEDULE, START, steps=5, given=given))
    assert all(torch.equal(step.noisy[:, 0], START[:, 0]) for step in steps)
    assert torch.equal(steps[-1].x0[:, 0], START[:, 0])
    assert all((t[:, 0] == 0).all() and (t[:, 1] > 0).all() for t in seen)
    assert [step.progress for step in steps] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_sampler_waits_between_steps() -> None:
    calls = 0

    def predict(noisy: Tensor, t: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return gaussian(noisy, t)

    running = ddim(predict, SCHEDULE, START, steps=50)
    next(running)
    next(running)
    assert calls == 2
