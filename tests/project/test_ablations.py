"""The table of ablations: every recipe has one, and its options are the recipe's."""

from pathlib import Path
from typing import Any

import pytest

from backend.evaluation.bench.cases import Bench, Case
from backend.evaluation.bench.making import Made
from backend.recipes import registry
from benchmarks import ablations
from benchmarks.ablations import ABLATIONS, Ablation, compare
from protocol.messages import JobSpec


def test_every_recipe_is_compared_with_itself() -> None:
    assert {each.recipe for each in ABLATIONS} == set(registry.recipes())


@pytest.mark.parametrize("ablation", ABLATIONS, ids=lambda each: f"{each.recipe}: {each.idea}")
def test_both_columns_are_options_of_the_recipe_and_differ(ablation: Ablation) -> None:
    asked = {
        name: registry.check(JobSpec(recipe=ablation.recipe, prompt="a mug", options=options))
        for name, options in (
            ("with", ablation.both), ("without", {**ablation.both, **ablation.without})
        )
    }
    assert asked["with"] != asked["without"]


def test_both_columns_are_the_same_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(bench: Bench, chosen: list[Case], folder: Path) -> list[Made]:
        return [Made(case, 0, {"steps": float(bench.options.get("steps", -1))}) for case in chosen]

    monkeypatch.setattr(ablations, "make_all", made)
    monkeypatch.setattr(ablations, "cases", lambda bench, count: ["a mug", "a dog"][:count])
    told: dict[str, Any] = compare(Ablation("mvdream", "it", {"steps": 0}), 2, tmp_path)
    assert {name: each["figures"]["steps"]["mean"] for name, each in told.items()} == {
        "with": -1.0, "without": 0.0,
    }
    assert [each["cases"] for each in told.values()] == [2, 2]
