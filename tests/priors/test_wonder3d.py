"""The adapter on a tiny random checkpoint in the published layout, and its attention by hand."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from backend.diffusion.conversions import from_eps
from backend.diffusion.schedules import expand_like
from backend.multiview.domains import CrossDomainSampler
from backend.multiview.rigs import six_views
from backend.priors.base import COLOR, NORMAL, Condition
from backend.priors.cross_domain import CrossDomainBlock
from backend.priors.guidance import GivenViews
from backend.priors.library import find_prior, settings_path
from backend.priors.wonder3d import Wonder3DPrior, pose_labels
from backend.recipes.recipe import Inputs
from backend.recipes.wonder3d import RECIPE, Options
from backend.rendering.cameras import Cameras
from backend.studio import Studio
from protocol.assets import Asset, Image
from protocol.errors import InputError

from .tiny_models import make_picture_encoder, make_scheduler, make_unet, make_vae

CPU, WIDTH, HEADS = torch.device("cpu"), 16, 4
SIX = six_views(0.0, 16)
BESIDE = Cameras.join([SIX[[0]], SIX, SIX])
DOMAIN = torch.tensor([[COLOR] * 7 + [NORMAL] * 6])
GIVEN = torch.arange(13)[None] == 0


def write_checkpoint(
    folder: Path, joint: str = "_mid", channels: int = 8, suffix: str = "safetensors"
) -> Path:
    """8 x 8 latents of 16 x 16 pixels; ``joint`` ends the name of the attention across domains,
    which all transformer blocks have; without it none has."""
    from diffusers.models.attention import BasicTransformerBlock
    from safetensors.torch import save_file

    torch.manual_seed(0)
    unet = make_unet(
        WIDTH, in_channels=channels, attention_head_dim=HEADS, class_embed_type="projection",
        projection_class_embeddings_input_dim=10,
    )
    state = unet.state_dict()
    for name, block in unet.named_modules():
        if isinstance(block, BasicTransformerBlock) and joint:
            for part, source in (("attn", block.attn1), ("norm", block.norm1)):
                state |= {
                    f"{name}.{part}_joint{joint}.{key}": torch.randn_like(value)
                    for key, value in source.state_dict().items()
                }
    (folder / "unet").mkdir(parents=True)
    config = json.loads(unet.to_json_string()) | {
        "_class_name": "UNetMV2DConditionModel", "num_views": 6, "cd_attention_mid": True,
        "mid_block_type": "UNetMidBlockMV2DCrossAttn",
        "down_block_types": ["CrossAttnDownBlockMV2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlockMV2D"],
    }
    (folder / "unet" / "config.json").write_text(json.dumps(config))
    file = folder / "unet" / f"diffusion_pytorch_model.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(state, file)
    make_vae().save_pretrained(folder / "vae")
    make_picture_encoder(WIDTH).save_pretrained(folder / "image_encoder")
    make_scheduler().save_pretrained(folder / "scheduler")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def prior(folder: Path) -> Wonder3DPrior:
    return Wonder3DPrior.load(str(folder), CPU)


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def beside(noisy: Tensor, t: float = 0.6) -> tuple[Tensor, Tensor, Condition]:
    """Sets of the picture and its twelve views."""
    sets = len(noisy)
    levels = torch.full((sets, 13), t)
    levels[:, 0] = 0
    cameras = BESIDE[list(range(13)) * sets]
    return noisy, levels, Condition(
        cameras=cameras, domain=DOMAIN.expand(sets, -1), given=GIVEN.expand(sets, -1)
    )


def test_the_folder_says_what_it_is(prior: Wonder3DPrior) -> None:
    spec = prior.spec
    assert (spec.resolution, spec.latent, spec.views) == (16, (4, 8, 8), 12)
    assert (spec.capabilities, spec.background, spec.normals_of) == ({"normals"}, 1.0, "picture")
    with pytest.raises(InputError, match="no words"):
        prior.embed_text(["a cat"])


def test_poses_and_domains_as_the_released_pipeline_tells_them() -> None:
    """Sines, then cosines, of (0, difference of polar angle, of azimuth, normals, colors)."""
    labels = pose_labels()
    assert labels.shape == (2, 6, 10)
    assert labels[0, 0].tolist() == pytest.approx(
        [0, 0, 0, math.sin(1), 0, 1, 1, 1, math.cos(1), 1]
    )
    assert labels[1, 2, [2, 7]].tolist() == pytest.approx([math.sin(1.6934), math.cos(1.6934)])
    same = [0, 1, 2, 5, 6, 7]
    assert torch.equal(labels[0][:, same], labels[1][:, same])  # the switch is in the others
    assert not torch.equal(labels[0], labels[1])


def test_prediction_is_the_network_on_normals_then_colors(prior: Wonder3DPrior) -> None:
    """Of two sets: the picture's scaled latents beside each view, one token of its CLIP."""
    noisy, t, condition = beside(randn(2, 13, 4, 8, 8))
    x0, eps = prior.predict(noisy, t, condition)
    order = [(one, view) for part in (range(7, 13), range(1, 7)) for one in (0, 1) for view in part]
    rows = torch.stack([noisy[one, view] for one, view in order])
    pictures = torch.stack([noisy[one, 0] for one, _ in order])
    tokens = torch.stack([prior.look_at(noisy[:, 0])[one] for one, _ in order])[:, None]
    labels = torch.cat([pose_labels()[domain] for domain in (0, 0, 1, 1)])
    output = prior.unet(
        torch.cat([rows, pictures], 1), torch.full((24,), 599), tokens, class_labels=labels,
        cross_attention_kwargs={"views": 6},
    ).sample
    levels = prior.schedule.alpha_sigma(torch.full((24,), 0.6))
    alpha, sigma = (expand_like(value, rows) for value in levels)
    expected = from_eps(rows, output, alpha, sigma)
    for index, (one, view) in enumerate(order):
        assert torch.allclose(x0[one, view], expected[0][index], atol=1e-4)
        assert torch.allclose(eps[one, view], expected[1][index], atol=1e-5)
    assert torch.equal(x0[:, 0], noisy[:, 0]) and eps[:, 0].abs().max() == 0


def test_a_set_sees_itself_and_nothing_else(prior: Wonder3DPrior) -> None:
    noisy, t, condition = beside(randn(2, 13, 4, 8, 8))
    before = prior.predict(noisy, t, condition).eps
    noisy[0, 7] += 1  # the front's normals
    change = (prior.predict(noisy, t, condition).eps - before).abs().flatten(2).amax(-1)
    assert (change[0, 1:] > 1e-5).all() and change[1].max() == 0


def attention(layer: Any, x: Tensor, seen: Tensor) -> Tensor:
    q, k, v = (
        part.unflatten(-1, (HEADS, -1)).transpose(0, 1)
        for part in (layer.to_q(x), layer.to_k(seen), layer.to_v(seen))
    )
    return layer.to_out[0](scaled_dot_product_attention(q, k, v).transpose(0, 1).flatten(1))


def test_the_block_by_hand(prior: Wonder3DPrior) -> None:
    """View after view: all views of the domain, then both domains of the view, then the picture."""
    block = next(b for b in prior.unet.modules() if isinstance(b, CrossDomainBlock))
    tokens, words = randn(12, 5, 8), randn(12, 1, WIDTH)
    found = block(tokens, words, {"views": 6})
    seen = block.norm1(tokens)
    domains = [seen[:6].flatten(0, 1), seen[6:].flatten(0, 1)]
    first = torch.stack([
        tokens[row] + attention(block.attn1, seen[row], domains[row // 6]) for row in range(12)
    ])
    normed = block.norm_joint_mid(first)
    joint = torch.stack([
        first[row] + attention(
            block.attn_joint_mid, normed[row], torch.cat([normed[row % 6], normed[row % 6 + 6]])
        )
        for row in range(12)
    ])
    normed = block.norm2(joint)
    told = torch.stack([
        joint[row] + attention(block.attn2, normed[row], words[row]) for row in range(12)
    ])
    assert torch.allclose(found, told + block.ff(block.norm3(told)), atol=1e-5)


def test_without_a_picture_token_and_channels_are_zero(prior: Wonder3DPrior) -> None:
    noisy, t = randn(1, 12, 4, 8, 8), torch.full((1, 12), 0.5)
    eps = prior.predict(noisy, t, Condition(cameras=BESIDE[1:], domain=DOMAIN[:, 1:])).eps
    rows = torch.cat([noisy[0, 6:], noisy[0, :6]])
    output = prior.unet(
        torch.cat([rows, torch.zeros(12, 4, 8, 8)], 1), torch.full((12,), 500),
        torch.zeros(12, 1, WIDTH), class_labels=pose_labels().flatten(0, 1),
        cross_attention_kwargs={"views": 6},
    ).sample
    assert torch.allclose(eps[0], torch.cat([output[6:], output[:6]]), atol=1e-5)


def test_other_views_are_refused(prior: Wonder3DPrior) -> None:
    noisy, t, _ = beside(randn(1, 13, 4, 8, 8))
    raised = Cameras.join([six_views(20.0, 16)[[0]], *[six_views(20.0, 16)] * 2])
    with pytest.raises(InputError, match="level with the picture"):
        prior.predict(noisy, t, Condition(cameras=raised, domain=DOMAIN, given=GIVEN))
    for wrong in (
        Condition(cameras=BESIDE, domain=DOMAIN.flip(1), given=GIVEN), Condition(cameras=BESIDE),
    ):
        with pytest.raises(InputError, match="its six views"):
            prior.predict(noisy, t, wrong)


def ball() -> tuple[Tensor, Tensor]:
    """A red ball of radius 0.6 of half the frame, over white, and its normals as right, up and
    toward: (16, 16, 3) each, no normal where it is not."""
    place = (torch.arange(16) + 0.5) / 8 - 1
    up, right = torch.meshgrid(-place, place, indexing="ij")
    toward = (0.36 - up**2 - right**2).clamp_min(0).sqrt()
    inside = (up**2 + right**2 < 0.36)[..., None]
    normals = torch.stack([right, up, toward], -1) / 0.6 * inside
    return torch.where(inside, torch.tensor([0.8, 0.1, 0.1]), 1.0), normals


def test_normals_in_the_pictures_frame_and_views_over_white_become_targets(
    prior: Wonder3DPrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    color, normals = ball()
    inside = normals.norm(dim=-1) > 0
    rotation = SIX.c2w[:, :3, :3]
    world = torch.einsum("vij,hwj->vhwi", rotation, normals)
    told = world @ rotation[0]  # in the axes of the front camera
    drawn = [color.expand(6, -1, -1, -1), torch.where(inside[..., None], told / 2 + 0.5, 1.0)]
    monkeypatch.setattr(prior, "decode", lambda latents: (torch.cat(drawn), None))
    sampler = CrossDomainSampler(prior, GivenViews(randn(1, 4, 8, 8), SIX[[0]]), [SIX], steps=4)
    targets = sampler.targets(sampler.empty(), torch.ones(6))
    assert torch.allclose(targets.alpha[..., 0], inside.float().expand(6, -1, -1))
    assert torch.allclose(targets.normals[:, inside], world[:, inside], atol=1e-5)
    assert torch.allclose(targets.premultiplied, color * inside[..., None], atol=1e-5)


def test_what_fills_the_frame_is_no_result(prior: Wonder3DPrior, tmp_path: Path) -> None:
    """The recipe on weights that draw noise."""
    pixels = np.full((48, 48, 3), 255, np.uint8)
    pixels[12:36, 12:36] = [200, 30, 30]
    studio = Studio(tmp_path / "j", tmp_path / "c", 0, lambda name: prior, {}, RECIPE.stages)
    inputs = Inputs(assets={"image": Asset("picture", images={"image": Image(pixels)})})
    with pytest.raises(InputError, match="plain background") as caught:
        for _ in RECIPE.run(inputs, Options(view_steps=4), studio):
            pass
    assert caught.value.problem.code == "views_background" and caught.value.problem.hint


def test_the_attention_by_its_older_name_and_weights_that_torch_wrote(tmp_path: Path) -> None:
    older = write_checkpoint(tmp_path / "older", joint="_twice", suffix="bin")
    newer = write_checkpoint(tmp_path / "newer")
    one, two = (Wonder3DPrior.load(str(path), CPU) for path in (older, newer))
    noisy, t, condition = beside(randn(1, 13, 4, 8, 8))
    assert torch.equal(one.predict(noisy, t, condition).x0, two.predict(noisy, t, condition).x0)
    assert one.spec.fingerprint != two.spec.fingerprint


def test_settings_lead_to_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_CONFIG", str(tmp_path))
    settings_path().write_text(
        json.dumps({"normals": {"adapter": "wonder3d", "model": str(folder)}})
    )
    assert isinstance(find_prior("normals"), Wonder3DPrior)


def test_what_is_something_else_is_refused(tmp_path: Path) -> None:
    alone = write_checkpoint(tmp_path / "alone", joint="")
    late = write_checkpoint(tmp_path / "late", joint="_last")
    plain = write_checkpoint(tmp_path / "plain", channels=4)
    for model, said in (
        (tmp_path, "it has no unet"), (alone, "without attention across domains"),
        (late, "loading state_dict"), (plain, "beside noisy latents"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            Wonder3DPrior.load(str(model), CPU)
        assert caught.value.problem.code == "model_unusable"
