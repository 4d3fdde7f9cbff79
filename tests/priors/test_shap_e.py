"""The adapter on a tiny random checkpoint in the published layout, written here, whose network of
space is planted: a slab of one color."""

from pathlib import Path

import pytest
import torch

from backend.priors.base import Condition
from backend.priors.library import find_prior, settings_path
from backend.priors.shap_e import FILL, ShapEPrior
from protocol.errors import InputError

from .tiny_models import TEXT, write_tokenizer

CPU = torch.device("cpu")
NOISE = torch.randn(2, 200, 6, generator=torch.Generator().manual_seed(0))
WIDTH, HIDDEN = 8, 4
COLOR = torch.tensor([0.9, 0.2, 0.4])


def write_checkpoint(folder: Path, *, solid: bool = True, seed: int = 0) -> Path:
    """A ShapEPipeline of a few thousand weights, which draws a flat slab whatever it is told."""
    from diffusers import HeunDiscreteScheduler, PriorTransformer, ShapEPipeline
    from diffusers.pipelines.shap_e import ShapERenderer
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    torch.manual_seed(seed)
    renderer = ShapERenderer(
        param_names=("nerstf.mlp.0.weight",), param_shapes=((HIDDEN, 93),), d_latent=WIDTH,
        d_hidden=HIDDEN, n_hidden_layers=1, insert_direction_at=None,
    )
    plant_slab(renderer, solid)
    ShapEPipeline(
        prior=PriorTransformer(
            num_attention_heads=2, attention_head_dim=4, num_layers=1, embedding_dim=WIDTH,
            num_embeddings=HIDDEN, additional_embeddings=0, time_embed_act_fn="gelu",
            norm_in_type="layer", embedding_proj_norm_type=None, encoder_hid_proj_type=None,
            added_emb_type=None, clip_embed_dim=2 * WIDTH, embedding_proj_dim=16,
            time_embed_dim=16,
        ),
        text_encoder=CLIPTextModelWithProjection(CLIPTextConfig(
            hidden_size=16, projection_dim=16, **TEXT,
        )),
        tokenizer=write_tokenizer(folder / "words"),
        scheduler=HeunDiscreteScheduler(
            beta_schedule="exp", num_train_timesteps=64, prediction_type="sample",
            use_karras_sigmas=True, clip_sample=True, clip_sample_range=1.0,
        ),
        shap_e_renderer=renderer,
    ).save_pretrained(folder / "model")
    return folder / "model"


@torch.no_grad()
def plant_slab(renderer: torch.nn.Module, solid: bool) -> None:
    """What latents add is normed away to their bias: two units that see z rise and fall. Inside is
    where |z| < 1/4 or so, and x and y end with the ball around the cube."""
    channels = renderer.params_proj.projections["nerstf__mlp__0__weight"]
    channels.norm.weight.zero_()
    channels.norm.bias.zero_()
    weights = torch.zeros(HIDDEN, 93)
    weights[0, 2], weights[1, 2] = 20.0, -20.0
    channels.proj.bias.copy_(weights.flatten())
    for layer in renderer.mlp.mlp:
        layer.weight.zero_()
        layer.bias.zero_()
    last = renderer.mlp.mlp[-1]
    last.weight[0, :2] = -0.2
    last.bias[0] = 1.0 if solid else -1.0
    last.bias[3:6] = COLOR.logit()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("shap_e"))


@pytest.fixture(scope="module")
def prior(folder: Path) -> ShapEPrior:
    prior = ShapEPrior.load(str(folder), CPU)
    prior.cells = 24
    return prior


def test_points_lie_on_the_surface_in_its_colors(prior: ShapEPrior) -> None:
    points = prior.sample_points(["a b", "c"], NOISE)
    assert points.shape == (2, 200, 6)
    places, colors = points.split(3, -1)
    assert torch.allclose(colors, COLOR.expand(2, 200, 3), atol=1e-5)
    assert places.norm(dim=-1).amax(1) == pytest.approx([FILL, FILL], abs=1e-4)
    # The two faces, 1/4 from the middle of a ball of root 3, have 78 % of a slab's area.
    height = FILL * 0.25 / 3**0.5
    flat = (places[..., 2].abs() - height).abs() < 0.02
    assert float(flat.float().mean()) == pytest.approx(0.78, abs=0.1)
    assert (places[..., :2].abs().amax((0, 1)) > 0.6).all()


def test_the_same_noise_gives_the_same_points(prior: ShapEPrior) -> None:
    noise = NOISE[:1]
    first, again, other = (
        prior.sample_points(["a"], each) for each in (noise, noise.clone(), noise + 1)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_nothing_solid_is_said(tmp_path: Path) -> None:
    prior = ShapEPrior.load(str(write_checkpoint(tmp_path, solid=False)), CPU)
    prior.cells = 16
    with pytest.raises(InputError, match="nothing solid") as caught:
        prior.sample_points(["a"], NOISE[:1])
    assert caught.value.problem.code == "points_empty"


def test_it_answers_points_alone(prior: ShapEPrior) -> None:
    assert prior.spec.capabilities == {"points"} and prior.spec.license == "MIT"
    pictures = torch.zeros(1, 1, 3, 8, 8)
    for ask in (
        lambda: prior.embed_text(["a"]), lambda: prior.encode(pictures[0]),
        lambda: prior.decode(pictures[0]),
        lambda: prior.predict(pictures, torch.zeros(1, 1), Condition()),
    ):
        with pytest.raises(InputError, match="no pictures"):
            ask()


def test_settings_lead_to_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILLERY_CONFIG", str(tmp_path))
    settings_path().write_text(f'{{"points": {{"adapter": "shap-e", "model": "{folder}"}}}}')
    assert isinstance(find_prior("points"), ShapEPrior)


def test_a_folder_that_is_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it has no prior") as caught:
        ShapEPrior.load(str(tmp_path), CPU)
    assert caught.value.problem.code == "model_unusable"
