import pytest
import torch
from torch import Tensor

from backend.diffusion.conversions import (
    flow_input,
    from_edm,
    from_eps,
    from_flow,
    from_v,
    from_x0,
)
from backend.diffusion.schedules import CosineSchedule

X0, EPS = (torch.randn(2, 3, 4, 4, 4, dtype=torch.float64) for _ in range(2))


def levels() -> tuple[Tensor, Tensor, Tensor]:
    """Noisy latents at six levels between 0.05 and 0.95."""
    t = torch.linspace(0.05, 0.95, 6, dtype=torch.float64).reshape(2, 3, 1, 1, 1)
    alpha, sigma = CosineSchedule().alpha_sigma(t)
    return alpha * X0 + sigma * EPS, alpha, sigma


def edm_output(alpha: Tensor, sigma: Tensor, data: float = 0.5) -> Tensor:
    """F of Karras et al., table 1, that stands for X0: (x0 - c_skip z) / c_out."""
    ratio = sigma / alpha
    skip = data**2 / (ratio**2 + data**2)
    out = ratio * data / (ratio**2 + data**2).sqrt()
    return (X0 - skip * (X0 + ratio * EPS)) / out


@pytest.mark.parametrize("kind", ["eps", "x0", "v", "flow", "edm"])
def test_every_prediction_means_the_same(kind: str) -> None:
    noisy, alpha, sigma = levels()
    convert, output = {
        "eps": (from_eps, EPS),
        "x0": (from_x0, X0),
        "v": (from_v, alpha * EPS - sigma * X0),
        "flow": (from_flow, EPS - X0),
        "edm": (from_edm, edm_output(alpha, sigma)),
    }[kind]
    x0, eps = convert(noisy, output, alpha, sigma)
    assert torch.allclose(x0, X0, atol=1e-9)
    assert torch.allclose(eps, EPS, atol=1e-9)


def test_flow_networks_are_asked_on_the_straight_path() -> None:
    noisy, alpha, sigma = levels()
    straight, s = flow_input(noisy, alpha, sigma)
    assert torch.allclose(straight, (1 - s) * X0 + s * EPS)
    assert torch.allclose(s / (1 - s), sigma / alpha)


@pytest.mark.parametrize("convert", [from_eps, from_x0, from_v, from_flow, from_edm])
@pytest.mark.parametrize("t", [0.0, 1.0])
def test_the_ends_stay_finite(convert: object, t: float) -> None:
    alpha, sigma = CosineSchedule().alpha_sigma(torch.tensor(t))
    noisy = alpha * X0.float() + sigma * EPS.float()
    assert all(part.isfinite().all() for part in convert(noisy, EPS.float(), alpha, sigma))
