"""The adapter around a small network with random weights."""

import pytest
import torch

from backend.diffusion.schedules import expand_like
from backend.pocket.network import PocketConfig, PocketNetwork
from backend.priors.base import Condition, TextEmbedding
from backend.priors.pocket import PocketPrior, weights_hash
from backend.rendering.cameras import Cameras, orbit_cameras

WORDS = TextEmbedding(torch.randn(2, 3, 384), torch.ones(2, 3, dtype=torch.bool))
T = torch.full((2, 2), 0.6)


def network(seed: int = 0) -> PocketNetwork:
    torch.manual_seed(seed)
    made = PocketNetwork(PocketConfig(widths=(8, 16, 32), blocks=1, heads=2))
    with torch.no_grad():  # conditions start at zero: give them something to say
        for parameter in made.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return made


@pytest.fixture(scope="module")
def prior() -> PocketPrior:
    return PocketPrior(network())


def cameras(azimuth: float = 0.0) -> Cameras:
    return orbit_cameras([azimuth, 90.0, 0.0, 90.0], 15.0, 3.0, 40.0, 64)


def noisy() -> torch.Tensor:
    return torch.randn(2, 2, 4, 64, 64, generator=torch.Generator().manual_seed(1))


def test_prediction_is_consistent(prior: PocketPrior) -> None:
    x0, eps = prior.predict(noisy(), T, Condition(WORDS, cameras()))
    alpha, sigma = (expand_like(value, x0) for value in prior.schedule.alpha_sigma(T))
    assert torch.allclose(alpha * x0 + sigma * eps, noisy(), atol=1e-4)


def test_cameras_of_a_set_reach_its_views(prior: PocketPrior) -> None:
    first, second = (
        prior.predict(noisy(), T, Condition(WORDS, cameras(azimuth))).x0 for azimuth in (0.0, 45.0)
    )
    changed = (first - second).abs().amax((2, 3, 4))
    assert changed[0].min() > 1e-5  # the turned view, and through attention its neighbor
    assert changed[1].max() == 0  # the other set


def test_given_views_come_back_as_they_were(prior: PocketPrior) -> None:
    given = torch.tensor([[True, False], [False, False]])
    t = T.masked_fill(given, 0.0)
    x0, eps = prior.predict(noisy(), t, Condition(WORDS, cameras(), given))
    assert torch.equal(x0[0, 0], noisy()[0, 0])
    assert (eps[0, 0] == 0).all()


def test_unknown_alpha_and_missing_words_are_told_to_the_network(prior: PocketPrior) -> None:
    plain, unknown, silent = (
        prior.predict(noisy(), T, condition).x0
        for condition in (
            Condition(WORDS), Condition(WORDS, alpha_known=False),
            Condition(TextEmbedding(WORDS.tokens, torch.zeros_like(WORDS.mask))),
        )
    )
    assert not torch.equal(plain, unknown)
    assert not torch.equal(plain, silent)


def test_gradients_flow_where_the_caller_wants_them(prior: PocketPrior) -> None:
    start = noisy().requires_grad_()
    prior.predict(start, T, Condition(WORDS)).x0.sum().backward()
    assert start.grad is not None
    assert start.grad.abs().sum() > 0


def test_half_precision_stays_close(prior: PocketPrior) -> None:
    whole = prior.predict(noisy(), T, Condition(WORDS)).x0.detach()
    with torch.no_grad():
        half = prior.predict(noisy(), T, Condition(WORDS)).x0
    assert float((whole - half).norm() / whole.norm()) < 0.02


def test_one_text_a_set(prior: PocketPrior) -> None:
    with pytest.raises(ValueError, match="one text a set"):
        prior.predict(noisy(), T, Condition(WORDS.repeat(2)))


def test_the_fingerprint_is_that_of_the_weights(prior: PocketPrior) -> None:
    assert prior.spec.fingerprint == weights_hash(network())
    assert prior.spec.fingerprint != weights_hash(network(seed=1))
