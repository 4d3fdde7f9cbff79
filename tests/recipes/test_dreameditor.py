"""DreamEditor: what the region holds changes, by word or as given; the rest does not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.editing.locating import locate_word
from backend.meshing.texturing import with_texture
from backend.recipes import registry
from backend.regions.placed import place_region
from backend.rendering.textures import sample_texture
from protocol.assets import Mesh, Region
from protocol.errors import InputError

from .conftest import Spy
from .edits import GREEN, Edit, above, ball, ball_prior, make_edit

OPTIONS = {"fit_steps": 3, "steps": 40, "learning_rate": 0.15, "texture_size": 128}


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


def test_a_word_finds_the_same_region() -> None:
    """By the oracle's attention to the red places: intersection over union above 0.9."""
    mesh = ball()
    found = locate_word(ball_prior(), mesh, "hat", "a green hat").faces
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


def test_another_prompt_finds_the_fit_again(tmp_path: Path) -> None:
    edit = edit_of(above(ball()), steps=2)
    _, first = make_edit("dreameditor", edit, tmp_path)
    _, second = make_edit("dreameditor", replace(edit, prompt="a red hat"), tmp_path)
    fits = [[entry for entry in said if entry.stage == "fit"] for said in (first, second)]
    assert len(fits[0]) == OPTIONS["fit_steps"] and not fits[1]


def test_it_asks_for_a_mesh_and_a_region() -> None:
    recipe = registry.get("dreameditor")
    assert recipe.task == "edit" and {"mesh", "region"} <= set(recipe.inputs) - set(recipe.optional)
