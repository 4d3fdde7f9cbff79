"""The adapter on a tiny random checkpoint in the published layout, written here."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.diffusion.conversions import from_eps
from backend.diffusion.schedules import add_noise, expand_like
from backend.distillation.score import PictureDistillation
from backend.priors.base import Condition
from backend.priors.guidance import GivenViews
from backend.priors.library import find_prior, settings_path
from backend.priors.zero123 import Zero123Prior, relative_pose
from backend.recipes.recipe import Inputs
from backend.recipes.zero123 import RECIPE, Options
from backend.rendering.cameras import orbit_cameras
from backend.studio import Studio
from protocol.assets import Asset, Image
from protocol.errors import InputError

from .tiny_models import make_picture_encoder, make_scheduler, make_unet, make_vae

CPU, WIDTH = torch.device("cpu"), 16
CAMERAS = orbit_cameras([0.0, 90.0, 0.0, -30.0], [10.0, 10.0, 10.0, 55.0], 3.0, 40.0, 16)
"""Two sets: the given view in front, and another."""
GIVEN = torch.tensor([[True, False]]).expand(2, 2)


def write_checkpoint(folder: Path, seed: int = 0, channels: int = 8, older: bool = False) -> Path:
    """8 x 8 latents of 16 x 16 pixels; ``older``: the layout of the community pipeline."""
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    make_unet(WIDTH, in_channels=channels).save_pretrained(folder / "unet")
    make_vae().save_pretrained(folder / "vae")
    make_picture_encoder(WIDTH).save_pretrained(folder / "image_encoder")
    make_scheduler().save_pretrained(folder / "scheduler")
    weight, bias = torch.randn(WIDTH, WIDTH + 4), torch.randn(WIDTH)
    if older:
        (folder / "cc_projection").mkdir()
        torch.save({"projection.weight": weight, "projection.bias": bias},
                   folder / "cc_projection" / "diffusion_pytorch_model.bin")
    else:
        part = folder / "clip_camera_projection"
        part.mkdir()
        (part / "config.json").write_text(json.dumps(
            {"_class_name": "CLIPCameraProjection", "embedding_dim": WIDTH,
             "additional_embeddings": 4}
        ))
        save_file({"proj.weight": weight, "proj.bias": bias},
                  part / "diffusion_pytorch_model.safetensors")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def prior(folder: Path) -> Zero123Prior:
    return Zero123Prior.load(str(folder), CPU)


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_folder_says_what_it_is(prior: Zero123Prior) -> None:
    spec = prior.spec
    assert (spec.resolution, spec.latent, spec.views) == (16, (4, 8, 8), 1)
    assert (spec.capabilities, spec.guidance_scale) == ({"image+pose"}, 3.0)
    with pytest.raises(InputError, match="no words"):
        prior.embed_text(["a cat"])


def test_the_pose_of_no_turn_and_of_a_full_one() -> None:
    assert relative_pose(CAMERAS[0], CAMERAS[0]).tolist() == [[0, 0, 1, 0]]
    turned = orbit_cameras([360.0], 10.0, 3.0, 40.0, 16)
    assert torch.allclose(
        relative_pose(CAMERAS[0], turned), torch.tensor([[0.0, 0, 1, 0]]), atol=1e-5
    )


def test_the_pose_tells_angles_and_distance() -> None:
    """Higher is a smaller polar angle; counter-clockwise from above is a larger azimuth."""
    source = orbit_cameras([20.0], 10.0, 2.0, 49.1, 16)
    target = orbit_cameras([80.0], 40.0, 3.0, 49.1, 16)
    expected = [-math.radians(30), math.sin(math.pi / 3), 0.5, 0.5]
    assert relative_pose(source, target)[0].tolist() == pytest.approx(expected, abs=1e-5)
    wide, narrow = (orbit_cameras([0.0], 0.0, r, fov, 16) for r, fov in ((1.0, 90.0), (5.0, 22.62)))
    assert relative_pose(wide, narrow)[0, 3] == pytest.approx(0, abs=1e-3)  # as large in both
    parallel = wide.orthographic(2.0)
    assert relative_pose(wide, parallel)[0, 3] == pytest.approx(0, abs=1e-5)


def test_two_turns_are_one_after_the_other() -> None:
    first, second, third = (orbit_cameras([a], 0.0, 2.0, 40.0, 16) for a in (0.0, 50.0, 130.0))
    angles = [
        math.atan2(*relative_pose(a, b)[0, 1:3].tolist())
        for a, b in ((first, second), (second, third), (first, third))
    ]
    assert angles[0] + angles[1] == pytest.approx(angles[2], abs=1e-5)


def test_prediction_is_the_network_beside_the_picture(prior: Zero123Prior) -> None:
    """Noisy latents, then the unscaled latents of the picture; one token of its CLIP embedding and
    the pose."""
    noisy, t = randn(2, 2, 4, 8, 8), torch.tensor([[0.0, 0.3], [0.0, 0.8]])
    x0, eps = prior.predict(noisy, t, Condition(cameras=CAMERAS, given=GIVEN))
    picture = noisy[:, 0] / 0.18215
    images = ((prior.vae.decode(picture).sample + 1) / 2).clamp(0, 1)
    planes = torch.nn.functional.interpolate(images, (28, 28), mode="bicubic", antialias=True)
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
    deviation = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
    seen = prior.image_encoder((planes - mean) / deviation).image_embeds
    pose = torch.tensor([[0, 1.0, 0, 0], [-math.pi / 4, -0.5, math.sqrt(0.75), 0]])
    token = prior.projection(torch.cat([seen, pose], 1))[:, None]
    output = prior.unet(
        torch.cat([noisy[:, 1], picture], 1), torch.tensor([300, 799]), token
    ).sample
    alpha, sigma = (expand_like(v, output) for v in prior.schedule.alpha_sigma(t[:, 1]))
    expected = from_eps(noisy[:, 1], output, alpha, sigma)
    assert torch.allclose(x0[:, 1], expected[0], atol=1e-4)
    assert torch.allclose(eps[:, 1], expected[1], atol=1e-5)
    assert torch.equal(x0[:, 0], noisy[:, 0]) and eps[:, 0].abs().max() == 0


def test_without_a_picture_token_and_channels_are_zero(prior: Zero123Prior) -> None:
    noisy, t = randn(2, 1, 4, 8, 8), torch.full((2, 1), 0.5)
    eps = prior.predict(noisy, t, Condition(cameras=CAMERAS[[1, 3]])).eps
    output = prior.unet(
        torch.cat([noisy[:, 0], torch.zeros(2, 4, 8, 8)], 1), torch.tensor([500, 500]),
        torch.zeros(2, 1, WIDTH),
    ).sample
    assert torch.allclose(eps[:, 0], output, atol=1e-5)


def test_the_picture_is_looked_at_once(
    prior: Zero123Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, decode = [], prior.decode
    monkeypatch.setattr(prior, "decode", lambda z: (looks.append(len(z)), decode(z))[1])
    noisy, t = randn(2, 2, 4, 8, 8, seed=5), torch.tensor([[0.0, 0.3], [0.0, 0.8]])
    noisy[1, 0] = noisy[0, 0]
    for _ in range(3):
        prior.predict(noisy, t, Condition(cameras=CAMERAS, given=GIVEN))
    assert looks == [1]
    noisy[:, 0] += 1
    prior.predict(noisy, t, Condition(cameras=CAMERAS, given=GIVEN))
    assert looks == [1, 1]


def test_sets_without_one_given_view_are_refused(prior: Zero123Prior) -> None:
    noisy, t = randn(2, 2, 4, 8, 8), torch.full((2, 2), 0.5)
    for given in (torch.ones(2, 2).bool(), torch.zeros(2, 2).bool()):
        with pytest.raises(ValueError, match="one given view"):
            prior.predict(noisy, t, Condition(cameras=CAMERAS, given=given))


def test_one_step_of_distillation(prior: Zero123Prior) -> None:
    """The gradient at the image is the guided residual, carried back through the encoder alone."""
    given = GivenViews(randn(1, 4, 8, 8, seed=3), CAMERAS[0])
    score = PictureDistillation(prior, given, 3.0)
    images = torch.rand(1, 16, 16, 3, requires_grad=True)
    latents = prior.encode(images)[:, None]
    t, noise = torch.tensor([[0.4]]), randn(1, 1, 4, 8, 8, seed=4)
    score.loss(latents, CAMERAS[1], t, noise).backward()

    noisy = add_noise(prior.schedule, latents.detach(), noise, t)
    beside = torch.cat([given.latents[None], noisy], 1)
    cond = prior.predict(beside, torch.tensor([[0.0, 0.4]]),
                         Condition(cameras=CAMERAS[[0, 1]], given=GIVEN[:1])).eps[:, 1:]
    uncond = prior.predict(noisy, t, Condition(cameras=CAMERAS[1])).eps
    sigma = expand_like(prior.schedule.alpha_sigma(t)[1], noisy)
    residual = sigma**2 * (uncond + 3 * (cond - uncond) - noise)
    again = images.detach().requires_grad_()
    [expected] = torch.autograd.grad(prior.encode(again)[:, None], again, grad_outputs=residual)
    assert torch.allclose(images.grad, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))
    parts = (prior.unet, prior.vae, prior.image_encoder, prior.projection)
    assert all(entry.grad is None for part in parts for entry in part.parameters())


def test_the_recipe_runs_on_it(prior: Zero123Prior, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "j", tmp_path / "c", 0, lambda name: prior, {}, RECIPE.stages)
    pixels = np.full((48, 48, 3), 255, np.uint8)
    pixels[12:36, 12:36] = [200, 30, 30]
    options = Options(
        start="blob", steps=2, views=2, novel_views=2, view_steps=4, grid_resolution=16, samples=16,
        faces=500, texture_size=64,
    )
    inputs = Inputs(assets={"image": Asset("picture", images={"image": Image(pixels)})})
    run = RECIPE.run(inputs, options, studio)
    while True:
        try:
            next(run)
        except StopIteration as end:
            asset = end.value
            break
    assert asset.mesh is not None and len(asset.views) == 2
    assert asset.views[0].image.pixels.shape == (16, 16, 3)


def test_the_older_layout_and_the_fingerprint(folder: Path, tmp_path: Path) -> None:
    older = write_checkpoint(tmp_path / "older", older=True)
    other = write_checkpoint(tmp_path / "other", seed=1)
    loaded = [Zero123Prior.load(str(path), CPU) for path in (folder, folder, older, other)]
    assert torch.equal(loaded[0].projection.weight, loaded[2].projection.weight)
    marks = [each.spec.fingerprint for each in loaded]
    assert marks[0] == marks[1] and len(set(marks)) == 3


def test_settings_lead_to_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_CONFIG", str(tmp_path))
    settings_path().write_text(
        json.dumps({"image+pose": {"adapter": "zero123", "model": str(folder)}})
    )
    assert isinstance(find_prior("image+pose"), Zero123Prior)


def test_what_is_something_else_is_refused(tmp_path: Path) -> None:
    for part in ("unet", "vae", "image_encoder", "scheduler"):
        (tmp_path / "half" / part).mkdir(parents=True)
    plain = write_checkpoint(tmp_path / "plain", channels=4)
    for model, said in (
        (tmp_path, "it has no unet"), (tmp_path / "half", "clip_camera_projection or"),
        (plain, "beside noisy latents"), (tmp_path / "none", "no such folder"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            Zero123Prior.load(str(model), CPU)
        assert caught.value.problem.code == "model_unusable"
