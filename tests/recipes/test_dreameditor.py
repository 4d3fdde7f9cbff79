"""DreamEditor: what the region holds changes, by word or as given; the rest does not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.diffusion.annealing import value_at
from backend.distillation.prompts import ConditionalText
from backend.editing.locating import faces_of, find_word
from backend.meshing.texturing import with_texture
from backend.personalization.lora import Lora
from backend.personalization.training import Subject, personalize
from backend.pocket.network import PocketConfig, PocketNetwork
from backend.priors.base import Prior
from backend.priors.pocket import PocketPrior
from backend.recipes import dreameditor, personal, registry
from backend.recipes.dreameditor import noise_range
from backend.regions.placed import place_region
from backend.rendering.textures import sample_texture
from protocol.assets import Mesh, Region
from protocol.errors import InputError

from .conftest import Spy
from .edits import GREEN, Edit, above, ball, ball_prior, make_edit

OPTIONS = {
    "fit_steps": 3, "steps": 40, "learning_rate": 0.15, "texture_size": 128, "lora_steps": 0,
    "strength": 0.02,
}
TRAINED = {
    "fit_steps": 1, "steps": 1, "lora_steps": 3, "lora_rank": 2, "texture_size": 64,
    "preservation": 0.0, "subject": "hat",
}


def pocket() -> PocketPrior:
    """A network of the pocket prior's shape that has learned nothing."""
    torch.manual_seed(0)
    network = PocketNetwork(PocketConfig(widths=(8, 8, 16), blocks=1, heads=2))
    return PocketPrior(network.requires_grad_(False))


def trained_edit() -> Edit:
    mesh = ball(1)
    return Edit(pocket(), "a green hat", mesh, above(mesh), TRAINED)


def edit_of(region: Region, **options: Any) -> Edit:
    return Edit(Spy(ball_prior()), "a green hat", ball(), region, {**OPTIONS, **options})


def colors_at_faces(mesh: Mesh) -> np.ndarray:
    uvs = torch.from_numpy(mesh.uvs.mean(1))
    texels = torch.from_numpy(mesh.material.base_color_map.pixels).float() / 255
    return sample_texture(texels, uvs).numpy()


@pytest.fixture(scope="module")
def spied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Edit, Any, list]:
    edit = edit_of(above(ball()))
    asset, said = make_edit("dreameditor", edit, tmp_path_factory.mktemp("edit"))
    return edit, asset, said


def test_inside_the_region_reaches_what_the_prompt_says(spied: tuple) -> None:
    edit, asset, _ = spied
    height = edit.mesh.positions[edit.mesh.faces][..., 2].min(1)
    colors = colors_at_faces(asset.mesh)[height > 0.3]
    assert np.abs(colors - GREEN).mean() < 0.1


def test_outside_texels_vertices_and_faces_keep_their_bits(spied: tuple) -> None:
    edit, asset, _ = spied
    before = with_texture(edit.mesh, OPTIONS["texture_size"])
    placed = place_region(edit.region, before)
    outside = placed.most_on_faces() == 0
    assert np.array_equal(colors_at_faces(before)[outside], colors_at_faces(asset.mesh)[outside])
    still = placed.at_vertices() == 0
    assert np.array_equal(asset.mesh.positions[still], edit.mesh.positions[still])
    assert (asset.mesh.positions[~still] != edit.mesh.positions[~still]).any()
    assert np.array_equal(asset.mesh.uvs, before.uvs)


def test_noise_levels_fall_and_the_prior_is_not_differentiated(spied: tuple) -> None:
    questions = spied[0].prior.questions
    levels = [float(question.t.max()) for question in questions]
    steps = OPTIONS["steps"]
    for number, level in enumerate(levels):
        progress = number / len(levels)
        assert 0.02 <= level <= 0.98 * (0.25 + 0.75 * (1 - progress)) + 1e-6
    assert len(levels) % steps == 0
    assert not any(question.grad_enabled for question in questions)


def test_a_run_of_strong_edits_stays_where_noise_is_strong() -> None:
    low, high = noise_range(0.02)
    assert low == 0.02
    assert [value_at(high, progress) for progress in (0, 1)] == pytest.approx([0.98, 0.245])
    assert noise_range(0.5) == (0.5, 0.98)


def test_a_word_finds_the_same_region() -> None:
    """By the oracle's attention to the red places: intersection over union above 0.9."""
    mesh = ball()
    found = faces_of(mesh, find_word(ball_prior(), mesh, "hat", "a green hat"), "hat").faces
    wanted = mesh.positions[mesh.faces].mean(1)[:, 2] > 0
    assert (found & wanted).sum() / (found | wanted).sum() > 0.9


def test_a_word_that_is_nowhere_is_said_early(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        make_edit("dreameditor", edit_of(Region(word="wheel")), tmp_path)
    assert caught.value.problem.code == "word_not_found"


def test_without_geometry_no_vertex_moves(tmp_path: Path) -> None:
    edit = edit_of(above(ball()), geometry=False, steps=4)
    asset, _ = make_edit("dreameditor", edit, tmp_path)
    assert np.array_equal(asset.mesh.positions, edit.mesh.positions)


def test_a_killed_job_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    edit = replace(edit_of(above(ball()), steps=6), prior=ball_prior())
    whole, said = make_edit("dreameditor", edit, tmp_path / "whole")
    at = next(n for n, entry in enumerate(said) if entry.stage == "edit") + 3
    make_edit("dreameditor", edit, tmp_path / "killed", stop_after=at)
    resumed, again = make_edit("dreameditor", edit, tmp_path / "killed")
    assert len(again) < len(said)
    assert np.array_equal(whole.mesh.positions, resumed.mesh.positions)
    pixels = [entry.mesh.material.base_color_map.pixels for entry in (whole, resumed)]
    assert np.array_equal(*pixels)


def test_the_prior_learns_this_object_by_a_name_and_the_edit_says_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit, judges, told, real = trained_edit(), [], [], ConditionalText.embed
    prior = edit.prior
    before = {name: value.clone() for name, value in prior.network.state_dict().items()}

    def embed(prior: Prior, prompt: str, negative: str) -> ConditionalText:
        judges.append(prior)
        told.append(prompt)
        return real(prior, prompt, negative)

    def learn(patch: Lora, subject: Subject, *rest: Any, **numbers: Any) -> Any:
        told.append(subject.prompt)
        assert len(subject.images) == len(subject.cameras) == 9 and numbers["steps"] == 3
        return (yield from personalize(patch, subject, *rest, **numbers))

    monkeypatch.setattr(dreameditor.ConditionalText, "embed", embed)
    monkeypatch.setattr(personal, "personalize", learn)
    _, said = make_edit("dreameditor", edit, tmp_path)
    assert told == ["a photo of sks hat", "a green sks hat"]
    assert judges[0].spec.fingerprint != prior.spec.fingerprint
    assert [entry.step for entry in said if entry.stage == "personalize"] == [1, 2, 3]
    after = prior.network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_prior_without_a_network_is_refused_before_anything_is_fitted(tmp_path: Path) -> None:
    edit = edit_of(above(ball()), lora_steps=2)
    with pytest.raises(InputError) as caught:
        make_edit("dreameditor", edit, tmp_path)
    assert caught.value.problem.code == "prior_fixed" and not edit.prior.questions


def test_a_job_killed_while_the_prior_learns_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    edit = trained_edit()
    whole, said = make_edit("dreameditor", edit, tmp_path / "whole")
    at = next(n for n, entry in enumerate(said) if entry.stage == "personalize") + 2
    make_edit("dreameditor", edit, tmp_path / "killed", stop_after=at)
    resumed, again = make_edit("dreameditor", edit, tmp_path / "killed")
    assert sum(entry.stage == "personalize" for entry in again) == 1
    assert np.array_equal(whole.mesh.positions, resumed.mesh.positions)
    pixels = [entry.mesh.material.base_color_map.pixels for entry in (whole, resumed)]
    assert np.array_equal(*pixels)
    another = replace(edit, prompt="a red hat")
    _, other = make_edit("dreameditor", another, tmp_path / "whole", stop_after=3)
    assert [entry.stage for entry in other] == ["locate", "locate", "edit"]


def test_a_thing_is_called_by_its_name_or_the_prompt_that_made_it() -> None:
    assert personal.noun_of("Toy_Dog.001") == "toy dog"
    assert personal.noun_of("a red snowman") == "red snowman" and personal.noun_of("") == "object"
    named = personal.with_identifier("a Snowman beside a snowman", "snowman")
    assert named == "a sks Snowman beside a snowman"
    assert personal.with_identifier("a manor", "man") == "a manor"


def test_another_prompt_finds_the_fit_again(tmp_path: Path) -> None:
    edit = edit_of(above(ball()), steps=2)
    _, first = make_edit("dreameditor", edit, tmp_path)
    _, second = make_edit("dreameditor", replace(edit, prompt="a red hat"), tmp_path)
    fits = [[entry for entry in said if entry.stage == "fit"] for said in (first, second)]
    assert len(fits[0]) == OPTIONS["fit_steps"] and not fits[1]


def test_it_asks_for_a_mesh_and_a_region() -> None:
    recipe = registry.get("dreameditor")
    assert recipe.task == "edit" and {"mesh", "region"} <= set(recipe.inputs) - set(recipe.optional)
