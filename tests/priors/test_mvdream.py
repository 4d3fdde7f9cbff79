"""The adapter on a tiny random checkpoint in the published layout, beside a network of its own."""

import json
import math
from pathlib import Path

import pytest
import torch
from diffusers.models.attention_processor import AttnProcessor2_0
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, scaled_dot_product_attention

from backend.diffusion.conversions import from_eps
from backend.diffusion.schedules import expand_like
from backend.distillation.prompts import ConditionalText
from backend.multiview.views import ViewSampler, ViewSet
from backend.priors.base import Condition
from backend.priors.library import find_prior, settings_path
from backend.priors.mvdream import MVDreamPrior, camera_numbers
from backend.rendering.cameras import orbit_cameras
from backend.studio import Studio
from protocol.errors import InputError

from .tiny_models import make_scheduler, make_text_encoder, make_vae, write_tokenizer

CPU, WORDS, HEAD = torch.device("cpu"), 16, 16
CAMERAS = orbit_cameras([0.0, 90.0, 180.0, 270.0], 15.0, 3.0, 40.0, 16)
CONFIG = {
    "_class_name": "MultiViewUNetModel", "image_size": 8, "in_channels": 4, "out_channels": 4,
    "model_channels": 32, "attention_resolutions": [2, 1], "num_res_blocks": 1,
    "channel_mult": [1, 2, 2], "num_head_channels": HEAD, "transformer_depth": 1,
    "context_dim": WORDS, "camera_dim": 16, "use_checkpoint": False,
}


class Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        norm, again = nn.GroupNorm(32, inputs), nn.GroupNorm(32, outputs)
        first, second = (nn.Conv2d(n, outputs, 3, padding=1) for n in (inputs, outputs))
        self.in_layers = nn.Sequential(norm, nn.SiLU(), first)
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(128, outputs))
        self.out_layers = nn.Sequential(again, nn.SiLU(), nn.Dropout(0.0), second)
        self.skip_connection = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, told: "Told") -> Tensor:
        h = self.in_layers(x) + self.emb_layers(told.embedding)[..., None, None]
        return self.skip_connection(x) + self.out_layers(h)


class Told:
    def __init__(self, embedding: Tensor, words: Tensor, views: int) -> None:
        self.embedding, self.words, self.views = embedding, words, views


class Attention(nn.Module):
    def __init__(self, width: int, seen: int) -> None:
        super().__init__()
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k, self.to_v = (nn.Linear(seen, width, bias=False) for _ in "kv")
        self.to_out = nn.Sequential(nn.Linear(width, width), nn.Dropout(0.0))

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        q, k, v = (
            part.unflatten(-1, (-1, HEAD)).transpose(1, 2)
            for part in (self.to_q(x), self.to_k(seen), self.to_v(seen))
        )
        return self.to_out(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Gated(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 8 * width)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, -1)
        return value * gelu(gate)


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.attn1, self.attn2 = Attention(width, width), Attention(width, WORDS)
        self.ff = nn.Module()
        self.ff.net = nn.Sequential(Gated(width), nn.Dropout(0.0), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, told: Told) -> Tensor:
        every = x.reshape(-1, told.views * x.shape[1], x.shape[2])  # all tokens of a set
        normed = self.norm1(every)
        x = (every + self.attn1(normed, normed)).reshape(x.shape)
        x = x + self.attn2(self.norm2(x), told.words)
        return x + self.ff.net(self.norm3(x))


class Transformer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.proj_in, self.proj_out = nn.Linear(width, width), nn.Linear(width, width)
        self.transformer_blocks = nn.ModuleList([Block(width)])

    def forward(self, x: Tensor, told: Told) -> Tensor:
        tokens = self.proj_in(self.norm(x).flatten(2).transpose(1, 2))
        tokens = self.proj_out(self.transformer_blocks[0](tokens, told))
        return x + tokens.transpose(1, 2).reshape(x.shape)


class Shrink(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor, told: Told) -> Tensor:
        return self.op(x)


class Grow(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, told: Told) -> Tensor:
        return self.conv(interpolate(x, scale_factor=2.0))


class Enter(nn.Conv2d):
    def forward(self, x: Tensor, told: Told) -> Tensor:
        return super().forward(x)


class Network(nn.Module):
    """The published network of CONFIG, with the published names: three levels of one residual block
    each, attention in the first two and in the middle."""

    def __init__(self) -> None:
        super().__init__()
        stages = nn.ModuleList
        self.time_embed, self.camera_embed = (
            nn.Sequential(nn.Linear(n, 128), nn.SiLU(), nn.Linear(128, 128)) for n in (32, 16)
        )
        self.input_blocks = stages([
            stages([Enter(4, 32, 3, padding=1)]),
            stages([Residual(32, 32), Transformer(32)]), stages([Shrink(32)]),
            stages([Residual(32, 64), Transformer(64)]), stages([Shrink(64)]),
            stages([Residual(64, 64)]),
        ])
        self.middle_block = stages([Residual(64, 64), Transformer(64), Residual(64, 64)])
        self.output_blocks = stages([
            stages([Residual(128, 64)]), stages([Residual(128, 64), Grow(64)]),
            stages([Residual(128, 64), Transformer(64)]),
            stages([Residual(96, 64), Transformer(64), Grow(64)]),
            stages([Residual(96, 32), Transformer(32)]),
            stages([Residual(64, 32), Transformer(32)]),
        ])
        self.out = nn.Sequential(nn.GroupNorm(32, 32), nn.SiLU(), nn.Conv2d(32, 4, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor, words: Tensor, poses: Tensor, views: int) -> Tensor:
        rates = torch.exp(-math.log(10000) * torch.arange(16) / 16)
        waves = t[:, None] * rates
        time = self.time_embed(torch.cat([waves.cos(), waves.sin()], 1))
        told, kept = Told(time + self.camera_embed(poses), words, views), []
        for stage in self.input_blocks:
            for layer in stage:
                x = layer(x, told)
            kept.append(x)
        for layer in self.middle_block:
            x = layer(x, told)
        for stage in self.output_blocks:
            x = torch.cat([x, kept.pop()], 1)
            for layer in stage:
                x = layer(x, told)
        return self.out(x)


def write_checkpoint(folder: Path, network: Network, **changes: object) -> Path:
    from safetensors.torch import save_file

    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / "config.json").write_text(json.dumps(CONFIG | changes))
    save_file(network.state_dict(), folder / "unet" / "diffusion_pytorch_model.safetensors")
    make_vae().save_pretrained(folder / "vae")
    make_text_encoder(WORDS).save_pretrained(folder / "text_encoder")
    write_tokenizer(folder / "words").save_pretrained(folder / "tokenizer")
    make_scheduler(set_alpha_to_one=False).save_pretrained(folder / "scheduler")
    return folder


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return Network().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def folder(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("model"), network)


@pytest.fixture(scope="module")
def prior(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> MVDreamPrior:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTILLERY_CACHE", str(tmp_path_factory.mktemp("cache")))
        return MVDreamPrior.load(str(folder), CPU)


def randn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_the_folder_says_what_it_is(prior: MVDreamPrior) -> None:
    spec = prior.spec
    assert (spec.resolution, spec.latent, spec.views) == (16, (4, 8, 8), 4)
    assert (spec.capabilities, spec.prediction) == ({"text+cameras"}, "eps")


def test_prediction_is_that_of_the_published_network(
    prior: MVDreamPrior, network: Network
) -> None:
    """Two sets of four views, each with its own words."""
    noisy, t = randn(2, 4, 4, 8, 8), torch.tensor([[0.3], [0.8]]).expand(2, 4)
    text = prior.embed_text(["a b", "c"])
    cameras = CAMERAS[[0, 1, 2, 3] * 2]
    x0, eps = prior.predict(noisy, t, Condition(text, cameras))
    output = network(
        noisy.flatten(0, 1), torch.tensor([300] * 4 + [799] * 4),
        text.tokens.repeat_interleave(4, 0), camera_numbers(cameras), 4,
    ).view_as(noisy)
    alpha, sigma = (expand_like(value, noisy) for value in prior.schedule.alpha_sigma(t))
    expected = from_eps(noisy, output, alpha, sigma)
    assert torch.allclose(x0, expected[0], atol=1e-4)
    assert torch.allclose(eps, expected[1], atol=1e-5)


def test_views_see_each_other_within_their_set(prior: MVDreamPrior) -> None:
    noisy, t = randn(2, 4, 4, 8, 8), torch.full((2, 4), 0.5)
    condition = Condition(prior.embed_text(["a", "a"]), CAMERAS[[0, 1, 2, 3] * 2])
    before = prior.predict(noisy, t, condition).eps
    noisy[0, 0] += 1
    change = (prior.predict(noisy, t, condition).eps - before).abs().flatten(2).amax(-1)
    assert (change[0] > 1e-4).all() and (change[1] == 0).all()
    order = [2, 0, 3, 1]
    turned = prior.predict(
        noisy[:, order], t, Condition(condition.text, CAMERAS[order * 2])
    ).eps
    assert torch.allclose(turned, prior.predict(noisy, t, condition).eps[:, order], atol=1e-5)


def test_alone_a_view_is_seen_as_by_stable_diffusion(prior: MVDreamPrior) -> None:
    """With one view a set the attention is the single-image network's."""
    noisy, t = randn(4, 1, 4, 8, 8), torch.full((4, 1), 0.5)
    text = prior.embed_text(["a"]).repeat(4)
    one = prior.predict(noisy, t, Condition(text, CAMERAS)).eps
    joint = prior.unet.attn_processors
    prior.unet.set_attn_processor(AttnProcessor2_0())
    plain = prior.unet(
        noisy[:, 0], torch.full((4,), 500), text.tokens, class_labels=camera_numbers(CAMERAS)
    ).sample
    prior.unet.set_attn_processor(joint)
    assert torch.allclose(one[:, 0], plain, atol=1e-5)


def test_cameras_stand_at_one_from_the_object_that_faces_along_x() -> None:
    """In its training world the front is at +x, and azimuth grows counter-clockwise from above."""
    numbers = camera_numbers(CAMERAS).view(4, 4, 4)
    rise, out = math.sin(math.radians(15)), math.cos(math.radians(15))
    places = [[out, 0, rise], [0, out, rise], [-out, 0, rise], [0, -out, rise]]
    assert torch.allclose(numbers[:, :3, 3], torch.tensor(places), atol=1e-5)
    # They look at the object down their own -z, and the rest is a rotation.
    assert torch.allclose(numbers[:, :3, 2], numbers[:, :3, 3], atol=1e-5)
    rotation = numbers[:, :3, :3]
    assert torch.allclose(rotation @ rotation.mT, torch.eye(3).expand(4, 3, 3), atol=1e-5)
    assert torch.equal(numbers[:, 3], torch.tensor([[0.0, 0, 0, 1]]).expand(4, 4))


def test_four_views_are_drawn_jointly(prior: MVDreamPrior, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "job", tmp_path / "cache", 0, lambda name: prior, {})
    sampler = ViewSampler(prior, ConditionalText.embed(prior, "a b"), steps=3, scale=7.5)
    views = ViewSet.empty(prior, CAMERAS)
    for progress in sampler.draw(views, studio):
        assert progress.preview is not None
    assert views.drawn.all() and views.latents.isfinite().all()
    assert prior.decode(views.latents)[0].shape == (4, 16, 16, 3)


def test_without_cameras_it_does_not_guess(prior: MVDreamPrior) -> None:
    with pytest.raises(ValueError, match="where its views stand"):
        prior.predict(randn(1, 4, 4, 8, 8), torch.full((1, 4), 0.5), Condition())


def test_settings_lead_to_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_CONFIG", str(tmp_path))
    settings_path().write_text(
        json.dumps({"text+cameras": {"adapter": "mvdream", "model": str(folder)}})
    )
    assert isinstance(find_prior("text+cameras"), MVDreamPrior)


def test_what_is_something_else_is_refused(network: Network, tmp_path: Path) -> None:
    image = write_checkpoint(tmp_path / "image", network, ip_dim=16)  # ImageDream
    larger = write_checkpoint(tmp_path / "larger", network, model_channels=64)
    for model, said in (
        (tmp_path, "it has no unet"), (image, "other things than text and cameras"),
        (larger, "size mismatch|loading state_dict"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            MVDreamPrior.load(str(model), CPU)
        assert caught.value.problem.code == "model_unusable"
