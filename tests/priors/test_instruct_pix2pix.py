"""The adapter on a tiny random checkpoint in the published layout."""

import json
from pathlib import Path

import pytest
import torch

from backend.diffusion.conversions import from_eps
from backend.diffusion.schedules import expand_like
from backend.editing.instruction import InstructionEditor
from backend.priors.base import Condition
from backend.priors.guidance import predict_instruction
from backend.priors.instruct_pix2pix import InstructPix2PixPrior
from backend.priors.library import find_prior, settings_path
from backend.rendering.cameras import orbit_cameras
from backend.studio import Studio
from protocol.errors import InputError

from .tiny_models import write_stable_diffusion

CPU = torch.device("cpu")
PIPELINE = "StableDiffusionInstructPix2PixPipeline"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stable_diffusion(tmp_path_factory.mktemp("model"), pipeline=PIPELINE, channels=8)


@pytest.fixture(scope="module")
def prior(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> InstructPix2PixPrior:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTILLERY_CACHE", str(tmp_path_factory.mktemp("cache")))
        return InstructPix2PixPrior.load(str(folder), CPU)


def test_the_folder_says_what_it_is(prior: InstructPix2PixPrior) -> None:
    assert prior.spec.capabilities == {"instruction"}
    assert prior.spec.latent == (4, 8, 8)
    assert prior.spec.instruction_scales == (7.5, 1.5)
    assert prior.spec.name == "instruct-pix2pix model" and "MIT" in prior.spec.license


def test_the_source_stands_beside_the_noisy_latents_unscaled(prior: InstructPix2PixPrior) -> None:
    """As the VAE gives it, before the factor that latents are scaled with."""
    pictures = torch.rand(2, 16, 16, 3)
    source = prior.encode(pictures)[:, None]
    noisy, t = torch.randn(2, 1, 4, 8, 8), torch.full((2, 1), 0.6)
    text = prior.embed_text(["a", "b"])
    found = prior.predict(noisy, t, Condition(text, source=source))
    picture = prior.vae.encode(pictures.permute(0, 3, 1, 2) * 2 - 1).latent_dist.mode()
    output = prior.unet(
        torch.cat([noisy[:, 0], picture], 1), torch.tensor([599, 599]), text.tokens
    ).sample[:, None]
    alpha, sigma = (expand_like(value, noisy) for value in prior.schedule.alpha_sigma(t))
    assert torch.allclose(found.x0, from_eps(noisy, output, alpha, sigma)[0], atol=1e-4)


def test_two_scales_ask_as_the_published_pipeline_does(prior: InstructPix2PixPrior) -> None:
    """Text and picture, the picture alone, and neither: for that the picture is zeros."""
    noisy, t = torch.randn(1, 1, 4, 8, 8), torch.full((1, 1), 0.4)
    source = torch.randn(1, 1, 4, 8, 8)
    text, nothing = prior.embed_text(["make it red"]), prior.embed_text([""])
    picture = source[:, 0] / prior.vae.config.scaling_factor
    stacked = torch.cat([noisy[:, 0]] * 3), torch.cat([picture, picture, picture * 0])
    tokens = torch.cat([text.tokens, nothing.tokens, nothing.tokens])
    both, image, neither = prior.unet(
        torch.cat(stacked, 1), torch.tensor([400] * 3), tokens
    ).sample.chunk(3)
    expected = neither + 7.5 * (both - image) + 1.5 * (image - neither)
    guided = predict_instruction(
        prior, noisy, t, Condition(text, source=source), nothing, 1.5, 7.5
    )
    assert torch.allclose(guided.eps[:, 0], expected, atol=1e-4)


def test_the_editor_edits_each_picture_alone(prior: InstructPix2PixPrior, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "job", tmp_path / "cache", 3, lambda capability: prior, {})
    editor = InstructionEditor.embed(prior, "make it red", studio, steps=2)
    pictures, cameras = torch.rand(2, 24, 24, 3), orbit_cameras([0.0, 90.0], 10.0, 3.0, 40.0, 24)
    edited = editor(pictures, pictures, torch.ones(2, 24, 24), cameras, 0)
    assert edited.shape == pictures.shape and torch.isfinite(edited).all()
    assert not torch.allclose(edited, pictures, atol=0.01)


def test_settings_lead_to_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_CONFIG", str(tmp_path))
    choice = {"adapter": "instruct-pix2pix", "model": str(folder)}
    settings_path().write_text(json.dumps({"instruction": choice}))
    assert isinstance(find_prior("instruction"), InstructPix2PixPrior)


def test_a_model_for_text_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sees 4 channels, not 8"):
        InstructPix2PixPrior.load(str(write_stable_diffusion(tmp_path)), CPU)
