"""Score distillation against closed forms: its gradient, and the KL divergence that it descends."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from backend.diffusion.annealing import Schedule
from backend.diffusion.guidance import rescale_x0
from backend.diffusion.samplers import ddim
from backend.diffusion.schedules import CosineSchedule, add_noise, expand_like
from backend.distillation.prompts import ConditionalText
from backend.distillation.score import PictureDistillation, ScoreDistillation, diffusion_loss
from backend.priors.base import Condition, Prediction
from backend.priors.guidance import GivenViews, predict_guided
from backend.priors.oracle import OraclePrior, StoredViews
from backend.rendering.cameras import orbit_cameras

VIEWS, SHAPE = 2, (3, 2, 4, 5, 5)  # three sets of two views
CAMERAS = orbit_cameras([0.0, 90.0] * 3, 10.0, 3.0, 45.0, 5)
T = torch.tensor([[0.2], [0.5], [0.9]]).expand(3, VIEWS)


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


NOISE, LATENTS = randn(*SHAPE, seed=1), randn(*SHAPE, seed=2)


def oracle(worlds: int = 1, deviation: float = 0.0) -> OraclePrior:
    stored = [StoredViews(f"w{k}", randn(*SHAPE[1:], seed=10 + k)) for k in range(worlds)]
    return OraclePrior(stored, deviation)


def distillation(prior: Any, scale: float = 1.0, **choices: Any) -> ScoreDistillation:
    text = ConditionalText.embed(prior, "w0")
    return ScoreDistillation(prior, text, scale, **choices)


def gradient(score: ScoreDistillation, latents: Tensor = LATENTS) -> Tensor:
    """Times the number of images, over which the sum is averaged."""
    start = latents.clone().requires_grad_()
    score.loss(start, CAMERAS, T, NOISE).backward()
    assert start.grad is not None
    return start.grad * SHAPE[0] * SHAPE[1]


def levels() -> tuple[Tensor, Tensor]:
    alpha, sigma = CosineSchedule().alpha_sigma(T.double())
    return expand_like(alpha, NOISE), expand_like(sigma, NOISE)


@pytest.mark.parametrize("weighting", ["sigma_squared", "uniform", "fantasia"])
def test_the_gradient_is_the_published_residual(weighting: Any) -> None:
    """With eps_hat = (z - alpha m) / sigma the residual w (eps_hat - eps) is
    w alpha / sigma (x - m), whatever the noise."""
    prior = oracle()
    alpha, sigma = levels()
    w = {"sigma_squared": sigma**2, "uniform": sigma**0, "fantasia": alpha * sigma**2}[weighting]
    expected = w * alpha / sigma * (LATENTS - prior.components[0].views)
    assert torch.allclose(
        gradient(distillation(prior, weighting=weighting)), expected, rtol=1e-5, atol=1e-5
    )


def test_no_gradient_at_the_mode() -> None:
    prior = oracle()
    mode = prior.components[0].views.expand(SHAPE)
    for form in ("sds", "x0"):
        assert gradient(distillation(prior, form=form), mode).abs().max() < 1e-5


def test_the_x0_form_is_sds_with_weight_sigma_over_alpha() -> None:
    prior = oracle(3, deviation=0.3)
    score = distillation(prior, scale=4.0)
    alpha, sigma = levels()
    plain = gradient(replace(score, weighting="uniform"))
    assert torch.allclose(gradient(replace(score, form="x0")), sigma / alpha * plain, atol=1e-4)


def test_guidance_enters_in_the_stated_convention() -> None:
    prior = oracle(3, deviation=0.3)
    score = distillation(prior, scale=8.5, weighting="uniform")
    condition, negative = score.conditions(LATENTS, CAMERAS)
    noisy = add_noise(prior.schedule, LATENTS, NOISE, T)
    cond = prior.predict(noisy, T, condition).eps
    uncond = prior.predict(noisy, T, condition.with_text(negative)).eps
    papers_form = cond + 7.5 * (cond - uncond)
    assert torch.allclose(gradient(score), papers_form - NOISE, atol=1e-4)


def test_reductions_differ_by_the_values_of_an_image() -> None:
    prior = oracle(2)
    summed, mean = (
        distillation(prior, reduction=reduction).loss(LATENTS, CAMERAS, T, NOISE)
        for reduction in ("sum", "mean")
    )
    assert float(summed / mean) == pytest.approx(4 * 5 * 5)


def test_the_rescaled_target_has_the_contrast_of_the_plain_one() -> None:
    prior = oracle(3, deviation=0.3)
    score = distillation(prior, scale=20.0, form="x0", rescale=1.0)
    condition, negative = score.conditions(LATENTS, CAMERAS)
    noisy = add_noise(prior.schedule, LATENTS, NOISE, T)
    guided = predict_guided(prior, noisy, T, condition, negative, 20.0)
    target = score.target(LATENTS, CAMERAS, T, NOISE)
    assert torch.allclose(target, rescale_x0(guided.x0, guided.cond.x0, 1.0))
    assert torch.allclose(target.flatten(1).std(1), guided.cond.x0.flatten(1).std(1))


def test_several_denoising_steps_are_a_sample_from_the_same_noise() -> None:
    prior = oracle(3, deviation=0.3)
    score = distillation(prior, form="x0", denoising_steps=5)
    condition, _ = score.conditions(LATENTS, CAMERAS)
    noisy = add_noise(prior.schedule, LATENTS, NOISE, T)
    *_, last = ddim(
        lambda z, t: prior.predict(z, t, condition).x0, prior.schedule, noisy, steps=5, t_start=T
    )
    assert torch.allclose(score.target(LATENTS, CAMERAS, T, NOISE), last.x0)
    with pytest.raises(ValueError, match="x0 form"):
        distillation(prior, denoising_steps=5)


@dataclass
class Network:
    """A prior that can be trained, and that knows whether it was recorded."""

    schedule: CosineSchedule = field(default_factory=CosineSchedule)
    recorded: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.layer = torch.nn.Conv2d(4, 4, 3, padding=1).double()
        self.embed_text = oracle().embed_text

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        eps = self.layer(noisy.flatten(0, 1)).view_as(noisy)
        self.recorded.append(eps.requires_grad)
        alpha, sigma = (expand_like(value, noisy) for value in self.schedule.alpha_sigma(t))
        return Prediction((noisy - sigma * eps) / alpha, eps)


@pytest.mark.parametrize(
    "choices", [{}, {"form": "x0", "rescale": 0.5}, {"form": "x0", "denoising_steps": 3}]
)
def test_nothing_ever_goes_back_through_the_prior(choices: dict[str, Any]) -> None:
    prior = Network()
    start = LATENTS.clone().requires_grad_()
    distillation(prior, scale=3.0, **choices).loss(start, CAMERAS, T, NOISE).backward()
    assert prior.recorded
    assert not any(prior.recorded)
    assert all(entry.grad is None for entry in prior.layer.parameters())
    assert start.grad is not None


def test_the_full_loss_does_go_back_through_the_prior() -> None:
    """It is the derivative of the loss itself, which score distillation's gradient is not."""
    score = distillation(Network(), weighting="uniform")
    start = LATENTS.clone().requires_grad_()

    def full(latents: Tensor) -> Tensor:
        return diffusion_loss(score, latents, CAMERAS, T, NOISE)

    [found] = torch.autograd.grad(full(start), start)
    nudge = 1e-5 * randn(*SHAPE, seed=3)
    difference = full(LATENTS + nudge) - full(LATENTS - nudge)
    assert float((found * nudge).sum() * 2) == pytest.approx(float(difference.detach()), rel=1e-4)
    assert not torch.allclose(found * SHAPE[0] * SHAPE[1], gradient(score), rtol=0.1)


@pytest.mark.parametrize("deviation", [0.0, 0.5])
def test_the_expected_gradient_is_that_of_the_kl_divergence(deviation: float) -> None:
    """KL(q(z_t | x) || p(z_t)) of two Gaussians is closed-form; score distillation with
    w = alpha / sigma descends exactly it (DreamFusion, appendix A.4). Antithetic noise makes the
    expectation exact, since eps_hat is linear in z."""
    prior = oracle(deviation=deviation)
    mean = prior.components[0].views
    alpha, sigma = levels()
    spread = alpha**2 * deviation**2 + sigma**2
    x = LATENTS.clone().requires_grad_()
    kl = 0.5 * (sigma**2 / spread + alpha**2 * (x - mean) ** 2 / spread - 1
                + (spread / sigma**2).log()).sum()
    [expected] = torch.autograd.grad(kl, x)
    score = distillation(prior, weighting="uniform")
    both = [LATENTS - score.target(LATENTS, CAMERAS, T, noise) for noise in (NOISE, -NOISE)]
    assert torch.allclose(alpha / sigma * (both[0] + both[1]) / 2, expected, atol=1e-5)


def test_the_kl_of_a_mixture_by_quadrature() -> None:
    """One pixel, two modes: no closed form, so integrate."""
    modes, t = torch.tensor([-1.0, 0.6]).double(), torch.tensor([[0.55]]).double()
    stored = [StoredViews("w0", mode.reshape(1, 1, 1, 1)) for mode in modes]
    score = distillation(OraclePrior(stored), weighting="uniform")
    alpha, sigma = CosineSchedule().alpha_sigma(t)
    eps = torch.linspace(-8, 8, 4001).double()
    density = torch.exp(-(eps**2) / 2)
    density = density / density.sum()

    def kl(x: Tensor) -> Tensor:
        z = alpha * x + sigma * eps
        log_q = -(eps**2) / 2
        log_p = torch.logsumexp(-((z[..., None] - alpha * modes) ** 2) / (2 * sigma**2), -1)
        return (density * (log_q - log_p)).sum()

    x = torch.tensor(0.1).double().requires_grad_()
    [expected] = torch.autograd.grad(kl(x), x)
    latents = torch.full((len(eps), 1, 1, 1, 1), 0.1).double()
    cameras = CAMERAS[[0] * len(eps)]
    residual = latents - score.target(
        latents, cameras, t.expand(len(eps), 1), eps.reshape(-1, 1, 1, 1, 1)
    )
    found = alpha / sigma * (density * residual.flatten()).sum()
    assert float(found) == pytest.approx(float(expected), abs=1e-5)


def test_noise_levels_are_shared_by_a_set_and_follow_the_schedule() -> None:
    score = distillation(
        oracle(), t_range=(Schedule(0.98, 0.02, end=0.8), Schedule(0.98, 0.5, end=0.8))
    )
    generator = torch.Generator().manual_seed(0)
    assert (score.sample_t(5, 4, 0.0, generator) == 0.98).all()
    t = score.sample_t(4000, 4, 0.9, generator)
    assert (t == t[:, :1]).all()
    assert float(t.min()) == pytest.approx(0.02, abs=0.01)
    assert float(t.max()) == pytest.approx(0.5, abs=0.01)
    assert float(t.mean()) == pytest.approx(0.26, abs=0.01)


def test_cameras_are_told_only_where_asked_for() -> None:
    score = distillation(oracle())
    assert score.conditions(LATENTS, CAMERAS)[0].cameras is None
    told = replace(score, see_cameras=True).conditions(LATENTS, CAMERAS)[0]
    assert told.cameras is CAMERAS
    assert told.text is not None
    assert len(told.text) == 3


def test_sjc_is_the_difference_quotient_of_the_denoiser() -> None:
    """(y - D(y)) / s with y = x + s eps; for a prior of one picture D is that picture."""
    prior = oracle()
    alpha, sigma = levels()
    s, mode = sigma / alpha, prior.components[0].views
    score = distillation(prior, form="sjc")
    assert torch.allclose(gradient(score), (LATENTS - mode) / s, rtol=1e-5, atol=1e-5)
    plain = gradient(replace(score, variance_reduced=False))
    assert torch.allclose(plain, (LATENTS + s * NOISE - mode) / s, rtol=1e-5, atol=1e-5)


def test_sjc_with_less_variance_is_uniform_sds() -> None:
    score = distillation(oracle(3, deviation=0.3), scale=4.0, weighting="uniform")
    sjc = gradient(replace(score, form="sjc"))
    assert torch.allclose(sjc, gradient(score), atol=1e-4)
    noisy = gradient(replace(score, form="sjc", variance_reduced=False))
    assert torch.allclose(noisy - sjc, NOISE, atol=1e-4)  # of mean zero


def test_csd_is_what_guidance_adds_alone() -> None:
    """sds at scale s is sds toward the negative text plus s times the classifier score."""
    score = distillation(oracle(3, deviation=0.3), scale=6.0)
    once = gradient(replace(score, form="csd", scale=1.0))
    assert torch.allclose(gradient(replace(score, form="csd")), 6 * once, atol=1e-4)
    toward_negative = gradient(replace(score, scale=0.0))
    assert torch.allclose(gradient(score) - toward_negative, 6 * once, atol=1e-4)
    assert gradient(replace(score, form="csd", scale=0.0)).abs().max() == 0


def test_csd_is_nothing_where_the_words_say_nothing() -> None:
    assert gradient(distillation(oracle(1), scale=5.0, form="csd")).abs().max() < 1e-5
    with pytest.raises(ValueError, match="rescaled"):
        distillation(oracle(), form="csd", rescale=0.5)


class OfViews:
    """For each view its camera's azimuth, and nothing where no picture is given."""

    schedule = CosineSchedule()

    def __init__(self) -> None:
        self.asked: list[tuple[Tensor, Tensor, Condition]] = []

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        self.asked.append((noisy, t, condition))
        x, y, _ = condition.cameras.positions.unbind(-1)
        turned = torch.atan2(x, -y).view(t.shape)
        shown = condition.given is not None
        x0 = torch.ones_like(noisy) * expand_like(turned, noisy).to(noisy) * shown
        alpha, sigma = (expand_like(v, noisy) for v in self.schedule.alpha_sigma(t))
        return Prediction(x0, (noisy - alpha * x0) / sigma.clamp_min(1e-6))


GIVEN = GivenViews(randn(1, *SHAPE[2:], seed=30), orbit_cameras([30.0], 5.0, 3.0, 45.0, 8))


def test_a_picture_stands_clean_before_each_set() -> None:
    prior = OfViews()
    score = PictureDistillation(prior, GIVEN, 3.0)
    score.target(LATENTS, CAMERAS, T, NOISE)
    (noisy, t, condition), (alone, _, without) = prior.asked
    assert torch.equal(noisy[:, 0], GIVEN.latents.expand(3, -1, -1, -1))
    assert torch.equal(noisy[:, 1:], alone)
    assert (t[:, 0] == 0).all() and torch.equal(t[:, 1:], T)
    assert condition.given.tolist() == [[True, False, False]] * 3
    positions = condition.cameras.positions.unflatten(0, (3, 3))
    assert torch.equal(positions[:, 0], GIVEN.cameras.positions.expand(3, -1))
    assert torch.equal(positions[:, 1:].flatten(0, 1), CAMERAS.positions)
    assert without.given is None and len(without.cameras) == 6


def test_guidance_toward_a_picture_is_from_the_views_alone() -> None:
    """The stub draws 0 alone and the azimuth beside a picture, so guided it draws scale times
    that."""
    score = PictureDistillation(OfViews(), GIVEN, 3.0, form="x0")
    target = score.target(LATENTS, CAMERAS, T, NOISE)
    assert torch.allclose(target[:, 0].abs().max(), torch.tensor(0.0, dtype=torch.float64))
    assert torch.allclose(target[:, 1], torch.full_like(target[:, 1], 3 * torch.pi / 2))
    plain = score.predict_plain(LATENTS, T, CAMERAS).x0
    assert torch.allclose(plain[:, 1], torch.full_like(plain[:, 1], torch.pi / 2))


def test_perp_neg_changes_what_lies_across_alone() -> None:
    prior = oracle(4, deviation=0.3)
    words = ConditionalText(
        prior.embed_text(["w0", "w1", "w2", "w3"]), prior.embed_text(["w0 w1 w2 w3"])
    )
    shape, cameras = (2, 1, *SHAPE[2:]), orbit_cameras([20.0, 120.0], 10.0, 3.0, 45.0, 5)
    latents, t = randn(*shape, seed=4), torch.tensor([[0.5], [0.8]])
    prior.components = [replace(each, views=each.views[:1]) for each in prior.components]
    plain = ScoreDistillation(prior, words, 5.0)
    guided = replace(plain, perp_neg=True).predict(latents, t, cameras)
    usual = plain.predict(latents, t, cameras)
    moved, positive = guided.eps - usual.eps, usual.cond.eps - usual.uncond.eps
    along = (moved * positive).flatten(1).sum(1) / (positive**2).flatten(1).sum(1)
    assert along.abs().max() < 1e-5
    assert moved.flatten(1).norm(dim=1).min() > 1e-3
