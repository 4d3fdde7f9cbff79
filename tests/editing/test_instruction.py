"""The instruction editor against the oracle, which knows what every edit should give."""

from pathlib import Path

import pytest
import torch

from backend.editing.instruction import InstructionEditor
from backend.priors.base import Condition, Prediction
from backend.priors.oracle import DrawnWorld, OraclePrior
from backend.priors.worlds import animal, cube, sphere
from backend.rendering.cameras import orbit_cameras
from backend.studio import Studio

SIDE = 16
WORLDS = [DrawnWorld(world, SIDE) for world in (sphere(), cube(), animal())]
CAMERAS = orbit_cameras([0.0, 140.0], 20.0, 3.5, 35.0, SIDE)
ALL = torch.ones(2, SIDE, SIDE)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path, tmp_path, seed=1, find_prior=lambda name: None, identity={})  # type: ignore[arg-type, return-value]


@pytest.fixture
def prior() -> OraclePrior:
    return OraclePrior(WORLDS, resolution=SIDE, capabilities=frozenset({"instruction"}))


def pictures(prior: OraclePrior, world: int) -> torch.Tensor:
    color, alpha = prior.decode(WORLDS[world].latents(CAMERAS))
    return torch.cat([color, alpha], -1)


def test_the_instruction_is_followed(prior: OraclePrior, studio: Studio) -> None:
    """The oracle knows three worlds, so the text alone decides once image_scale is 1."""
    ball = pictures(prior, 0)
    editor = InstructionEditor.embed(
        prior, "make it a cube", studio, image_scale=1.0, text_scale=1.0, steps=4
    )
    edited = editor(ball, ball, ALL, CAMERAS, 0)
    assert torch.allclose(edited, pictures(prior, 1), atol=1e-4)


def test_without_an_instruction_the_original_stays(prior: OraclePrior, studio: Studio) -> None:
    animal_pictures, ball = pictures(prior, 2), pictures(prior, 0)
    editor = InstructionEditor.embed(
        prior, "", studio, image_scale=1.0, text_scale=1.0, t_range=(0.9, 0.9), steps=4
    )
    edited = editor(ball, animal_pictures, ALL, CAMERAS, 0)
    assert torch.allclose(edited, animal_pictures, atol=1e-4)


def test_the_same_number_gives_the_same_edit(prior: OraclePrior, studio: Studio) -> None:
    prior.deviation = 0.3
    ball = pictures(prior, 0)
    editor = InstructionEditor.embed(prior, "a cube", studio, steps=2)
    first, again, other = (editor(ball, ball, ALL, CAMERAS, number) for number in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_pictures_without_alpha_and_of_another_size(prior: OraclePrior, studio: Studio) -> None:
    editor = InstructionEditor.embed(prior, "a cube", studio, steps=2)
    picture = torch.rand(1, 24, 24, 3, generator=torch.Generator().manual_seed(0))
    everywhere = torch.ones(1, 24, 24)
    assert editor(picture, picture, everywhere, CAMERAS[0], 0).shape == (1, 24, 24, 3)


def test_the_prior_is_told_the_place_of_each_picture(
    prior: OraclePrior, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Condition] = []
    predict = prior.predict

    def listen(noisy: torch.Tensor, t: torch.Tensor, condition: Condition) -> Prediction:
        asked.append(condition)
        return predict(noisy, t, condition)

    monkeypatch.setattr(prior, "predict", listen)
    places = torch.zeros(2, SIDE, SIDE)
    places[1, 3, 5] = 1
    ball = pictures(prior, 0)
    InstructionEditor.embed(prior, "a cube", studio, steps=1)(ball, ball, places, CAMERAS, 0)
    told = [place for condition in asked if (place := condition.place) is not None]
    assert told and all(torch.equal(place[-1, :, 0], places) for place in told)
