"""The adapter on a tiny random checkpoint in the published layout, written here."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from backend.deformation.clips import ClipDistillation
from backend.diffusion.conversions import from_eps
from backend.diffusion.schedules import expand_like
from backend.distillation.prompts import ConditionalText
from backend.priors.base import Condition
from backend.priors.library import find_prior, settings_path
from backend.priors.stable_diffusion import StableDiffusionPrior
from backend.priors.text_to_video import TextToVideoPrior
from backend.recipes.align_your_gaussians import RECIPE, Options
from backend.recipes.recipe import Inputs
from backend.rendering.cameras import orbit_cameras
from backend.studio import Studio
from protocol.assets import Asset, Mesh
from protocol.errors import InputError

from .tiny_models import (
    BLOCKS,
    make_scheduler,
    make_text_encoder,
    make_vae,
    write_stable_diffusion,
    write_tokenizer,
)

CPU = torch.device("cpu")


def write_video_checkpoint(folder: Path) -> Path:
    """8 x 8 latents of 16 x 16 pixels, any number of frames."""
    from diffusers import TextToVideoSDPipeline, UNet3DConditionModel

    torch.manual_seed(0)
    TextToVideoSDPipeline(
        unet=UNet3DConditionModel(
            sample_size=8, cross_attention_dim=16, attention_head_dim=4,
            down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
            up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"), **BLOCKS,
        ),
        vae=make_vae(), text_encoder=make_text_encoder(),
        tokenizer=write_tokenizer(folder / "words"), scheduler=make_scheduler(steps_offset=0),
    ).save_pretrained(folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video_checkpoint(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def prior(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TextToVideoPrior:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTILLERY_CACHE", str(tmp_path_factory.mktemp("cache")))
        loaded = TextToVideoPrior.load(str(folder), CPU)
    lively(loaded.unet)
    return loaded


def lively(unet: torch.nn.Module) -> None:
    """Layers across time begin at zero: those of a trained network do not."""
    with torch.no_grad():
        for parameter in unet.parameters():
            if parameter.abs().max() == 0:
                parameter.normal_(0, 0.2)


def test_the_folder_says_what_it_is(prior: TextToVideoPrior) -> None:
    spec = prior.spec
    assert (spec.capabilities, spec.views) == ({"video"}, 0)
    assert (spec.resolution, spec.latent) == (16, (4, 8, 8))
    assert spec.name == "text-to-video model" and "not for commercial use" in spec.license


def test_prediction_is_the_networks_for_all_frames_of_each_clip(prior: TextToVideoPrior) -> None:
    noisy, t = torch.randn(2, 5, 4, 8, 8), torch.tensor([[0.3], [0.8]]).expand(2, 5)
    text = prior.embed_text(["a b", "c"])
    found = prior.predict(noisy, t, Condition(text))
    for clip, level in enumerate((300, 799)):
        frames = noisy[clip].transpose(0, 1)[None]
        output = prior.unet(frames, level, text.tokens[[clip]]).sample[0].transpose(0, 1)
        alpha, sigma = (expand_like(v, output) for v in prior.schedule.alpha_sigma(t[clip]))
        x0, eps = from_eps(noisy[clip], output, alpha, sigma)
        assert torch.allclose(found.x0[clip], x0, atol=1e-4)
        assert torch.allclose(found.eps[clip], eps, atol=1e-5)


def test_frames_know_of_each_other_and_clips_do_not(prior: TextToVideoPrior) -> None:
    noisy, t = torch.randn(2, 4, 4, 8, 8), torch.full((2, 4), 0.5)
    text = prior.embed_text(["a", "b"])
    before = prior.predict(noisy, t, Condition(text)).eps
    noisy[0, 3] += 1
    after = prior.predict(noisy, t, Condition(text)).eps
    assert (before[0, 0] - after[0, 0]).abs().max() > 1e-4
    assert torch.equal(before[1], after[1])


def test_one_clip_has_one_level_and_one_text(prior: TextToVideoPrior) -> None:
    noisy, t = torch.randn(1, 2, 4, 8, 8), torch.tensor([[0.2, 0.4]])
    for levels, prompts in ((t, ["a"]), (t[:, :1].expand(1, 2), ["a", "b"])):
        with pytest.raises(ValueError, match="share"):
            prior.predict(noisy, levels, Condition(prior.embed_text(prompts)))


def test_one_step_of_the_amplified_classifier_score(prior: TextToVideoPrior) -> None:
    text = ConditionalText.embed(prior, "a cat", "still")
    score = ClipDistillation(prior, text, 1.0, form="csd", amplification=4.0)
    latents = torch.randn(1, 3, 4, 8, 8, requires_grad=True)
    t, noise = torch.full((1, 3), 0.5), torch.randn(1, 3, 4, 8, 8)
    cameras = orbit_cameras([0.0] * 3, 10.0, 3.0, 45.0, 16)
    score.at(torch.linspace(0, 1, 3), 1.0).loss(latents, cameras, t, noise).backward()
    alpha, sigma = prior.schedule.alpha_sigma(t[0, 0])
    noisy = alpha * latents.detach() + sigma * noise
    told, still = (
        prior.predict(noisy, t, Condition(prior.embed_text([words]))).eps
        for words in ("a cat", "still")
    )
    residual = sigma**2 * (told - still)
    residual = residual + 4 * (residual - residual.mean(1, keepdim=True))
    assert torch.allclose(latents.grad, residual / 3, atol=1e-4)  # the mean over frames
    assert all(parameter.grad is None for parameter in prior.unet.parameters())


def test_the_recipe_runs_on_it(prior: TextToVideoPrior, tmp_path: Path) -> None:
    pictures = StableDiffusionPrior.load(str(write_stable_diffusion(tmp_path)), CPU)
    priors = {"video": prior, "text": pictures}
    studio = Studio(tmp_path / "j", tmp_path / "c", 0, priors.__getitem__, {}, RECIPE.stages)
    ball = trimesh.creation.icosphere(1, 0.5)
    mesh = Mesh(np.array(ball.vertices, np.float32), np.array(ball.faces, np.int32))
    options = Options(steps=2, views=3, gaussians=64, fit_steps=2, width=8, frames=4)
    run = RECIPE.run(Inputs("a cat", assets={"mesh": Asset("ball", mesh=mesh)}), options, studio)
    while True:
        try:
            next(run)
        except StopIteration as end:
            asset = end.value
            break
    assert asset.motion.positions.shape == (4, 42, 3)
    assert asset.motion.positions[0].tobytes() == mesh.positions.tobytes()
    assert np.abs(asset.motion.positions[-1] - mesh.positions).max() > 0


def test_settings_lead_to_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_CONFIG", str(tmp_path))
    settings_path().write_text(
        json.dumps({"video": {"adapter": "text-to-video", "model": str(folder)}})
    )
    assert isinstance(find_prior("video"), TextToVideoPrior)


def test_a_model_of_pictures_is_refused(tmp_path: Path) -> None:
    pictures = write_stable_diffusion(tmp_path)
    for model, said in ((pictures, "single pictures|cannot be used"), (tmp_path, "has no unet")):
        with pytest.raises(InputError, match=said) as caught:
            TextToVideoPrior.load(str(model), CPU)
        assert caught.value.problem.code == "model_unusable"
