"""Orders of edits that cannot be carried out: said before anything is fitted, with a hint."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.pocket.vocabulary import WORLD
from protocol.assets import Region
from protocol.errors import InputError

from .edits import CASES, Edit, instructed_prior, make_edit

EVERYWHERE = Region(box=np.eye(4, dtype=np.float32))
FAR = np.eye(4, dtype=np.float32)
FAR[:3, 3] = 9


class Knowing:
    """A prior that says it knows the words of the world only."""

    def __init__(self, prior: Any) -> None:
        self.prior, self.spec = prior, replace(prior.spec, vocabulary=WORLD)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.prior, name)


def order(recipe: str, **changes: Any) -> Edit:
    """The recipe's small edit, but for some fields."""
    edit = CASES[recipe]()
    edit.options |= changes.pop("options", {})
    for name, value in changes.items():
        setattr(edit, name, value)
    return edit


def code_of(recipe: str, edit: Edit, folder: Path) -> str:
    before = edit.mesh.positions.copy()
    with pytest.raises(InputError) as caught:
        make_edit(recipe, edit, folder)
    assert caught.value.problem.hint
    assert not list(folder.rglob("*.pt")), "something was fitted"
    assert np.array_equal(edit.mesh.positions, before)
    return caught.value.problem.code


@pytest.mark.parametrize("recipe", ["dreameditor", "gaussian_editor"])
@pytest.mark.parametrize(
    ("region", "code"),
    [
        (Region(vertices=np.zeros(642, np.float32)), "region_empty"),
        (Region(faces=np.zeros(1280, bool)), "region_empty"),
        (Region(vertices=np.ones(5, np.float32)), "region_of_another_mesh"),
        (Region(box=FAR), "region_outside"),
        (Region(), "region_invalid"),
        (Region(word="wheel"), "word_not_found"),
        (Region(word="..."), "word_not_found"),
        (None, "region_missing"),
    ],
)
def test_regions_that_are_no_place(
    recipe: str, region: Any, code: str, tmp_path: Path
) -> None:
    edit = order(recipe, region=region)
    assert code_of(recipe, edit, tmp_path) == code


@pytest.mark.parametrize(
    ("prompt", "operation", "code"),
    [
        ("", "edit", "instruction_missing"),
        ("a green hat", "edit", "instruction_unclear"),
        ("make it glorious", "edit", "prompt_unknown"),
        ("remove the hat", "delete", "prompt_is_order"),
        ("something glorious", "delete", "prompt_unknown"),
    ],
)
def test_words_that_are_no_instruction(
    prompt: str, operation: str, code: str, tmp_path: Path
) -> None:
    edit = order(
        "gaussian_editor", prompt=prompt, options={"operation": operation},
        prior=Knowing(instructed_prior()),
    )
    assert code_of("gaussian_editor", edit, tmp_path) == code


def test_dreameditor_is_told_what_shall_be_seen(tmp_path: Path) -> None:
    edit = order("dreameditor", prompt="make it green")
    assert code_of("dreameditor", edit, tmp_path) == "prompt_is_order"
    edit = order("dreameditor", prompt="a glorious thing")
    edit.prior = Knowing(edit.prior)
    assert code_of("dreameditor", edit, tmp_path) == "prompt_unknown"


def test_deleting_everything(tmp_path: Path) -> None:
    edit = order("gaussian_editor", prompt="", region=EVERYWHERE, options={"operation": "delete"})
    assert code_of("gaussian_editor", edit, tmp_path) == "region_everything"
