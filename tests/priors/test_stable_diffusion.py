"""The adapter on a tiny random checkpoint in the published layout, written here."""

import json
from pathlib import Path

import pytest
import torch

from backend.diffusion.conversions import from_eps, from_v
from backend.diffusion.schedules import DiscreteSchedule, add_noise, expand_like
from backend.distillation.prompts import ConditionalText
from backend.distillation.score import ScoreDistillation
from backend.priors.base import Condition
from backend.priors.library import find_prior, settings_path
from backend.priors.stable_diffusion import StableDiffusionPrior
from backend.rendering.cameras import orbit_cameras
from protocol.errors import InputError

from .tiny_models import write_stable_diffusion

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stable_diffusion(tmp_path_factory.mktemp("eps"))


@pytest.fixture(scope="module")
def prior(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> StableDiffusionPrior:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTILLERY_CACHE", str(tmp_path_factory.mktemp("cache")))
        return StableDiffusionPrior.load(str(folder), CPU)


def test_the_folder_says_what_it_is(prior: StableDiffusionPrior) -> None:
    spec = prior.spec
    assert (spec.resolution, spec.latent, spec.views) == (16, (4, 8, 8), 1)
    assert spec.prediction == "eps"
    assert spec.capabilities == {"text"}
    published = DiscreteSchedule.scaled_linear().alphas_cumprod
    assert torch.allclose(prior.schedule.alphas_cumprod, published, atol=1e-6)


@pytest.mark.parametrize(
    ("prediction", "convert"), [("epsilon", from_eps), ("v_prediction", from_v)]
)
def test_prediction_is_the_networks_output_converted(
    tmp_path: Path, prediction: str, convert: object
) -> None:
    prior = StableDiffusionPrior.load(str(write_stable_diffusion(tmp_path, prediction)), CPU)
    noisy, t = torch.randn(2, 3, 4, 8, 8), torch.tensor([[0.1, 0.5, 0.9]]).repeat(2, 1)
    text = prior.embed_text(["a b", "c"])
    x0, eps = prior.predict(noisy, t, Condition(text))
    output = prior.unet(
        noisy[1], torch.tensor([100, 500, 899]), text.tokens[[1, 1, 1]]
    ).sample
    alpha, sigma = (expand_like(value, noisy) for value in prior.schedule.alpha_sigma(t))
    expected = convert(noisy[1], output, alpha[1], sigma[1])
    assert torch.allclose(x0[1], expected[0], atol=1e-4)
    assert torch.allclose(eps[1], expected[1], atol=1e-5)


def test_encoding_scales_resizes_and_lets_gradients_through(prior: StableDiffusionPrior) -> None:
    images = torch.rand(2, 32, 32, 3, requires_grad=True)
    latents = prior.encode(images)
    small = torch.nn.functional.interpolate(
        images.permute(0, 3, 1, 2) * 2 - 1, (16, 16), mode="bilinear", antialias=True
    )
    assert torch.allclose(latents, prior.vae.encode(small).latent_dist.mean * 0.18215)
    latents.square().sum().backward()
    assert images.grad.abs().sum() > 0
    color, alpha = prior.decode(latents.detach())
    assert color.shape == (2, 16, 16, 3)
    assert alpha is None


def test_texts_may_be_one_a_view(prior: StableDiffusionPrior) -> None:
    noisy, t = torch.randn(1, 1, 4, 8, 8).repeat(1, 2, 1, 1, 1), torch.full((1, 2), 0.5)
    eps = prior.predict(noisy, t, Condition(prior.embed_text(["a", "b"]))).eps
    assert not torch.allclose(eps[0, 0], eps[0, 1])
    eps = prior.predict(noisy, t, Condition(prior.embed_text(["a"]))).eps
    assert torch.allclose(eps[0, 0], eps[0, 1], atol=1e-6)


def test_one_step_of_dreamfusion(prior: StableDiffusionPrior) -> None:
    """The gradient at the image is the residual, carried back through the encoder alone."""
    text = ConditionalText.embed(prior, "a cat", view_dependent=True)
    score = ScoreDistillation(prior, text, scale=100.0)
    cameras = orbit_cameras([0.0, 120.0], [10.0, 70.0], 3.0, 45.0, 24)
    images = torch.rand(2, 24, 24, 3, requires_grad=True)
    latents = prior.encode(images)[:, None]
    t, noise = torch.tensor([[0.4], [0.8]]), torch.randn(2, 1, 4, 8, 8)
    score.loss(latents, cameras, t, noise).backward()

    condition, negative = score.conditions(latents, cameras)
    noisy = add_noise(prior.schedule, latents.detach(), noise, t)
    cond = prior.predict(noisy, t, condition).eps
    uncond = prior.predict(noisy, t, Condition(negative)).eps
    sigma = expand_like(prior.schedule.alpha_sigma(t)[1], noisy)
    residual = sigma**2 * (uncond + 100 * (cond - uncond) - noise)
    again = images.detach().requires_grad_()
    [expected] = torch.autograd.grad(
        prior.encode(again)[:, None], again, grad_outputs=residual / 2
    )
    assert torch.allclose(images.grad, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))
    parts = (prior.unet, prior.vae, prior.text_encoder)
    assert all(entry.grad is None for part in parts for entry in part.parameters())


def test_the_fingerprint_changes_with_the_weights(folder: Path, tmp_path: Path) -> None:
    first, again, other = (
        StableDiffusionPrior.load(str(path), CPU).spec.fingerprint
        for path in (folder, folder, write_stable_diffusion(tmp_path, seed=1))
    )
    assert first == again != other


def test_settings_lead_to_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_CONFIG", str(tmp_path))
    settings_path().write_text(
        json.dumps({"text": {"adapter": "stable-diffusion", "model": str(folder)}})
    )
    assert isinstance(find_prior("text"), StableDiffusionPrior)


def test_a_folder_that_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(InputError, match="it has no unet") as caught:
        StableDiffusionPrior.load(str(tmp_path), CPU)
    assert caught.value.problem.code == "model_unusable"


def test_a_model_that_sees_more_is_refused(tmp_path: Path) -> None:
    folder = write_stable_diffusion(tmp_path, channels=9)
    with pytest.raises(InputError, match="9: an inpainting model"):
        StableDiffusionPrior.load(str(folder), CPU)
