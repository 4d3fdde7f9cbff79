"""The adapter on a tiny random checkpoint in the published layout."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from backend.diffusion.conversions import from_eps
from backend.diffusion.schedules import expand_like
from backend.editing.inpainting import Inpainter
from backend.priors.base import Condition, KnownPixels
from backend.priors.library import find_prior, settings_path
from backend.priors.stable_diffusion_inpaint import GRAY, StableDiffusionInpaintPrior
from backend.rendering.cameras import orbit_cameras
from backend.studio import Studio
from protocol.errors import InputError

from .tiny_models import write_stable_diffusion

CPU = torch.device("cpu")
PIPELINE = "StableDiffusionInpaintPipeline"
NOISY, T = torch.randn(1, 2, 4, 8, 8), torch.full((1, 2), 0.6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stable_diffusion(tmp_path_factory.mktemp("model"), pipeline=PIPELINE, channels=9)


@pytest.fixture(scope="module")
def prior(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> StableDiffusionInpaintPrior:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTILLERY_CACHE", str(tmp_path_factory.mktemp("cache")))
        return StableDiffusionInpaintPrior.load(str(folder), CPU)


def half_known() -> KnownPixels:
    """The upper half of two pictures."""
    mask = torch.zeros(1, 2, 1, 8, 8)
    mask[..., :4, :] = 1
    return KnownPixels(torch.randn(1, 2, 4, 8, 8), mask)


def seen_by(prior: StableDiffusionInpaintPrior, condition: Condition) -> Tensor:
    seen: list[Tensor] = []
    hook = prior.unet.register_forward_pre_hook(lambda _, told: seen.append(told[0]))
    prior.predict(NOISY, T, condition)
    hook.remove()
    return seen[0]


def test_the_folder_says_what_it_is(prior: StableDiffusionInpaintPrior) -> None:
    assert prior.spec.capabilities == {"inpaint"}
    assert prior.spec.latent == (4, 8, 8) and prior.spec.views == 1


def test_nine_channels_in_the_published_order(prior: StableDiffusionInpaintPrior) -> None:
    """Noisy latents, the mask of what is wanted, the picture with gray there; scaled."""
    known = half_known()
    seen = seen_by(prior, Condition(prior.embed_text(["a"]), known=known))
    assert torch.equal(seen[:, :4], NOISY[0])
    assert torch.equal(seen[:, 4:5], 1 - known.mask[0])
    color = prior.decode(known.latents[0])[0]
    color[:, 8:] = GRAY  # zero, where pictures are told in [-1, 1]
    assert torch.allclose(seen[:, 5:], prior.encode(color), atol=1e-5)


def test_what_is_known_comes_back_as_it_is(prior: StableDiffusionInpaintPrior) -> None:
    """And the rest is what the network says."""
    known, text = half_known(), prior.embed_text(["a"])
    x0, eps = prior.predict(NOISY, T, Condition(text, known=known))
    assert torch.equal(x0[..., :4, :], known.latents[..., :4, :])
    alpha, sigma = (expand_like(value, NOISY) for value in prior.schedule.alpha_sigma(T))
    assert torch.allclose(alpha * x0 + sigma * eps, NOISY, atol=1e-4)
    seen = seen_by(prior, Condition(text, known=known))
    output = prior.unet(seen, torch.tensor([599, 599]), text.tokens[[0, 0]]).sample[None]
    free = from_eps(NOISY, output, alpha, sigma)[0]
    assert torch.allclose(x0[..., 4:, :], free[..., 4:, :], atol=1e-4)


def test_without_anything_known_all_is_wanted(prior: StableDiffusionInpaintPrior) -> None:
    seen = seen_by(prior, Condition(prior.embed_text(["a"])))
    assert (seen[:, 4] == 1).all()


def test_the_inpainter_fills_holes_only(
    prior: StableDiffusionInpaintPrior, tmp_path: Path
) -> None:
    studio = Studio(tmp_path / "job", tmp_path / "cache", 3, lambda capability: prior, {})
    holes = torch.zeros(2, 16, 16)
    holes[:, 4:10, 4:10] = 1
    text = prior.embed_text(["a", ""])
    inpainter = Inpainter(prior, text[:1], text[1:], studio, 7.5, 2)
    pictures, cameras = torch.rand(2, 16, 16, 3), orbit_cameras([0.0, 90.0], 10.0, 3.0, 40.0, 16)
    filled = inpainter(pictures, pictures, holes, cameras, 0)
    outside = holes == 0
    assert torch.equal(filled[outside], pictures[outside])
    assert not torch.allclose(filled[~outside], pictures[~outside], atol=0.01)


def test_settings_lead_to_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_CONFIG", str(tmp_path))
    choice = {"adapter": "stable-diffusion-inpaint", "model": str(folder)}
    settings_path().write_text(json.dumps({"inpaint": choice}))
    assert isinstance(find_prior("inpaint"), StableDiffusionInpaintPrior)


def test_an_instruction_editor_is_refused(tmp_path: Path) -> None:
    folder = write_stable_diffusion(tmp_path, channels=8)
    with pytest.raises(InputError, match="8: an instruction editor"):
        StableDiffusionInpaintPrior.load(str(folder), CPU)
