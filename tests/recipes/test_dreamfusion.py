"""DreamFusion's signature: words by view, random lights and textureless shading, w = sigma**2."""

from dataclasses import replace

import pytest
import torch

from backend.distillation.score import ScoreDistillation
from backend.priors.oracle import OraclePrior, StoredViews
from backend.priors.pixels import encode_pixels
from backend.recipes import dreamfusion
from backend.rendering.shading import Shading
from backend.representations.background import Background
from backend.representations.volume import Volume

from .conftest import Drive, Spy

SIDE = 16
TINY = {
    "steps": 12, "views": 2, "grid_resolution": 16, "samples": 16, "faces": 2000,
    "texture_size": 64, "albedo_until": 0.25,
}


def red_disk(cut_out: bool = False) -> OraclePrior:
    """Single pictures of a red ball over gray, the same from everywhere: photographs, or cut out
    (with alpha)."""
    axis = torch.linspace(-1, 1, SIDE)
    inside = ((axis[:, None] ** 2 + axis**2) < 0.5**2).float()[None, ..., None]
    picture = inside * torch.tensor([0.9, 0.1, 0.1]) + (1 - inside) * 0.5
    ball = StoredViews("ball", encode_pixels(picture, inside if cut_out else None, SIDE))
    oracle = OraclePrior([ball], joint=False, resolution=SIDE)
    if not cut_out:
        oracle.spec = replace(oracle.spec, background=None)
    return oracle


def test_words_tell_the_view_and_every_view_is_seen_alone(drive: Drive) -> None:
    spy = Spy(red_disk())
    drive(spy, "dreamfusion", "a ball", **TINY)
    assert spy.prompts == [
        "a ball, front view", "a ball, side view", "a ball, back view", "a ball, overhead view", "",
    ]
    # The curve's probe is eight views.
    assert {tuple(question.t.shape) for question in spy.questions} == {(2, 1), (8, 1)}
    assert all(question.condition.cameras is None for question in spy.questions)
    assert not any(question.condition.alpha_known for question in spy.questions)
    assert not any(question.grad_enabled for question in spy.questions)


def test_words_can_leave_the_view_out_to_compare(drive: Drive) -> None:
    spy = Spy(red_disk())
    drive(spy, "dreamfusion", "a ball", **{**TINY, "steps": 1, "view_dependent": False})
    assert spy.prompts == ["a ball", ""]


@pytest.mark.parametrize("cut_out", [False, True])
def test_only_a_prior_of_photographs_sees_a_learned_background(
    cut_out: bool, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[tuple[Background | None, torch.Tensor | None]] = []
    render = Volume.render

    def watched(self: Volume, *args: object, **choices: object) -> object:
        if torch.is_grad_enabled():
            rendered.append((self.background, choices["background"]))  # type: ignore[arg-type]
        return render(self, *args, **choices)  # type: ignore[arg-type]

    monkeypatch.setattr(Volume, "render", watched)
    spy = Spy(red_disk(cut_out))
    drive(spy, "dreamfusion", "a ball", **TINY)
    assert all(question.condition.alpha_known == cut_out for question in spy.questions)
    learned, given = rendered[-1]
    if cut_out:
        assert learned is None and given is not None and (given == 0.5).all()
    else:
        assert learned is not None and given is None
        assert learned.coefficients.abs().max() > 0


def test_shading_comes_after_albedo_and_half_of_it_is_textureless(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Shading | None] = []
    render = Volume.render

    def watched(self: Volume, *args: object, **choices: object) -> object:
        if torch.is_grad_enabled():
            seen.append(choices.get("shading"))  # type: ignore[arg-type]
        return render(self, *args, **choices)  # type: ignore[arg-type]

    monkeypatch.setattr(Volume, "render", watched)
    drive(Spy(red_disk()), "dreamfusion", "a ball", **{**TINY, "steps": 48})
    assert len(seen) == 48 and not any(seen[:12])
    shaded = [shading for shading in seen[12:] if shading is not None]
    assert 0.5 < len(shaded) / 36 < 0.95
    assert 0.25 < sum(shading.textureless for shading in shaded) / len(shaded) < 0.75


@pytest.mark.parametrize("cut_out", [False, True])
def test_a_red_ball_grows_from_pictures_of_one(cut_out: bool, drive: Drive) -> None:
    options = {**TINY, "steps": 100, "views": 4}
    asset, _ = drive(red_disk(cut_out), "dreamfusion", "a ball", **options)
    extent = asset.mesh.positions.max(0) - asset.mesh.positions.min(0)
    assert extent.min() > 0.5 and extent.max() / extent.min() < 1.5
    texels = asset.mesh.material.base_color_map.pixels.reshape(-1, 3)
    red, green, blue = texels.mean(0)
    assert red > 1.5 * max(green, blue)


def test_the_published_weighting_is_the_default() -> None:
    assert ScoreDistillation.__dataclass_fields__["weighting"].default == "sigma_squared"
    assert dreamfusion.RECIPE.presets["high"] == {}
    assert dreamfusion.Options().steps == 10000
