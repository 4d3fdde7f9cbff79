"""Options: what is described is what is checked."""

from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.recipes.options import check_options, describe_options, option
from protocol.errors import InputError


@dataclass(frozen=True)
class Options:
    steps: int = option(10, "How many steps", low=1, high=100)
    scale: float = option(2.0, "Guidance", low=0.0, high=50.0)
    mode: Literal["fast", "slow"] = option("fast", "How")
    smooth: bool = option(True, "Whether to smooth", advanced=True)


def test_described_options_carry_kind_range_and_help() -> None:
    steps, scale, mode, smooth = describe_options(Options)
    assert (steps.kind, steps.low, steps.high, steps.default) == ("int", 1, 100, 10)
    assert (scale.kind, mode.kind, mode.choices) == ("float", "choice", ("fast", "slow"))
    assert smooth.advanced and smooth.help == "Whether to smooth"


@given(st.integers(1, 100), st.floats(0, 50), st.sampled_from(["fast", "slow"]), st.booleans())
def test_values_in_range_are_taken(steps: int, scale: float, mode: str, smooth: bool) -> None:
    values = {"steps": steps, "scale": scale, "mode": mode, "smooth": smooth}
    assert vars(check_options(Options, values)) == values


def test_a_whole_number_serves_as_float() -> None:
    assert isinstance(check_options(Options, {"scale": 3}).scale, float)


@pytest.mark.parametrize(
    "values",
    [
        {"step": 3},
        {"steps": 0},
        {"steps": 101},
        {"steps": 2.5},
        {"steps": True},
        {"scale": "3"},
        {"scale": float("nan")},
        {"mode": "medium"},
        {"smooth": 1},
    ],
)
def test_wrong_values_are_refused_with_a_hint(values: dict) -> None:
    with pytest.raises(InputError) as caught:
        check_options(Options, values)
    assert caught.value.problem.hint


def test_a_refused_value_offers_its_default_as_fix() -> None:
    with pytest.raises(InputError) as caught:
        check_options(Options, {"steps": 0})
    fix = caught.value.problem.fix
    assert fix is not None and (fix.action, fix.field, fix.value) == ("set_option", "steps", 10)
