"""Prompts without a known word are refused, with the nearest words by spelling and by meaning."""

import numpy as np
import pytest

from backend.pocket.prompts import check_instruction, check_prompt, nearest_kinds
from backend.pocket.world.edits import OPERATIONS, draw_edit
from protocol.errors import InputError

KINDS = ("dog", "car", "mug", "church", "penguin")


@pytest.mark.parametrize("prompt", ["a red mug", "Some KITTENS", "three crimson things"])
def test_a_known_word_is_enough(prompt: str) -> None:
    check_prompt(prompt)


@pytest.mark.parametrize(
    ("prompt", "near"), [("a penguine", "penguin"), ("a corgi", "dog"), ("a cathedral", "church")]
)
def test_without_a_known_word(prompt: str, near: str) -> None:
    with pytest.raises(InputError) as caught:
        check_prompt(prompt, KINDS)
    assert caught.value.problem.code == "prompt_unknown"
    assert caught.value.problem.hint.split(": ")[1].startswith(near)


def test_nothing_at_all() -> None:
    with pytest.raises(InputError):
        check_prompt("   ", KINDS)


def test_meaning() -> None:
    assert nearest_kinds("a cappuccino", KINDS, 1) == ["mug"]
    assert len(nearest_kinds("a limousine", KINDS, 2)) == 2


def test_every_instruction_of_the_world_is_one() -> None:
    rng = np.random.default_rng(0)
    for operation in OPERATIONS:
        check_instruction(draw_edit(rng, operations=(operation,)).instruction)


@pytest.mark.parametrize(
    ("prompt", "code"),
    [("a green hat", "instruction_unclear"), ("", "instruction_unclear"),
     ("make it glorious", "prompt_unknown")],
)
def test_what_is_no_instruction(prompt: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        check_instruction(prompt, KINDS)
    assert caught.value.problem.code == code and caught.value.problem.hint


@pytest.mark.parametrize("prompt", ["Remove the chimney!", "the wheels should be bigger"])
def test_parts_need_no_known_word(prompt: str) -> None:
    check_instruction(prompt, KINDS)
