import math

import pytest
import torch

from backend.diffusion.schedules import CosineSchedule, DiscreteSchedule, add_noise

SCHEDULES = [CosineSchedule(), DiscreteSchedule.scaled_linear()]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_variance_is_preserved_and_noise_grows(schedule: CosineSchedule) -> None:
    alpha, sigma = schedule.alpha_sigma(torch.linspace(0, 1, 1000).reshape(2, 500))
    assert alpha.shape == (2, 500)
    assert torch.allclose(alpha**2 + sigma**2, torch.ones(2, 500), atol=1e-6)
    assert (sigma.flatten().diff() > 0).all()
    assert (alpha.flatten().diff() < 0).all()


def test_the_cosine_schedule_has_clean_ends() -> None:
    alpha, sigma = CosineSchedule().alpha_sigma(torch.tensor([0.0, 0.5, 1.0]))
    assert alpha.tolist() == [1.0, pytest.approx(math.sqrt(0.5)), pytest.approx(0.0, abs=1e-12)]
    assert sigma.tolist() == [0.0, pytest.approx(math.sqrt(0.5)), 1.0]


def test_stable_diffusions_schedule_has_the_published_end() -> None:
    """sqrt of the last alpha_cumprod of SD 1.x is 0.0683 (the known 'terminal SNR' flaw)."""
    schedule = DiscreteSchedule.scaled_linear()
    alpha, _ = schedule.alpha_sigma(torch.tensor([1.0]))
    assert float(alpha) == pytest.approx(0.0683, abs=1e-4)
    assert float(schedule.alphas_cumprod[0]) == pytest.approx(1 - 0.00085)


def test_fractions_mean_the_nearest_step() -> None:
    schedule = DiscreteSchedule.scaled_linear()
    t = torch.tensor([0.0, 0.02, 0.5, 0.98, 1.0])
    assert schedule.index(t).tolist() == [0, 20, 500, 979, 999]


def test_noise_is_added_by_view() -> None:
    x0, noise = torch.ones(1, 2, 1, 1, 1), torch.full((1, 2, 1, 1, 1), 3.0)
    noisy = add_noise(CosineSchedule(), x0, noise, torch.tensor([[0.0, 1.0]]))
    assert noisy.flatten().tolist() == [1.0, pytest.approx(3.0)]
