"""The benchmark of recipes: what is kept, what is made anew, what is counted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.evaluation.judge import load_judge
from backend.evaluation.recipes import Made, cases, make_all, summarize, vocabulary_of
from backend.pocket.vocabulary import Vocabulary
from backend.pocket.world import is_held_out
from backend.priors.oracle import DrawnWorld, OraclePrior
from backend.priors.worlds import World, cube, sphere
from backend.recipes import registry, volumes

WORDS = load_judge().vocabulary
TINY = {
    "view_steps": 4, "fit_steps": 20, "steps": 0, "grid_resolution": 16, "samples": 16,
    "faces": 400, "texture_size": 64,
}


@pytest.fixture(autouse=True)
def small_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contact sheets that cost nothing."""
    monkeypatch.setattr(volumes, "SHEET_PIXELS", 8)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The prompts of the objects that were really made."""
    made: list[str] = []
    start = registry.start

    def noted(spec: Any, *rest: Any) -> Any:
        made.append(spec.prompt)
        return start(spec, *rest)

    monkeypatch.setattr(registry, "start", noted)
    return made


def bench(folder: Path, world: World, **options: Any) -> list[Made]:
    prior = OraclePrior([DrawnWorld(world, 16)], resolution=16)
    chosen = {**TINY, **options}
    return list(make_all("mvdream", cases(1, WORDS), lambda name: prior, folder, options=chosen))


def test_cases_are_held_out_and_always_the_same() -> None:
    assert cases(20, WORDS) == cases(20, WORDS) and cases(5, WORDS) == cases(20, WORDS)[:5]
    assert all(is_held_out(case.kind, case.color) for case in cases(20, WORDS))


def test_cases_are_of_words_that_judge_and_prior_both_know() -> None:
    few = OraclePrior([DrawnWorld(cube())])
    assert vocabulary_of("mvdream", lambda name: few) == WORDS
    few.spec = replace(few.spec, vocabulary=Vocabulary(("dog", "mug"), ("red",)))
    assert vocabulary_of("mvdream", lambda name: few) == Vocabulary(("mug", "dog"), ("red",))


def test_what_was_made_is_kept_until_anything_that_decides_it_changes(
    tmp_path: Path, starts: list[str]
) -> None:
    first = bench(tmp_path, cube())
    again = bench(tmp_path, cube())
    assert len(starts) == 1 and torch.equal(first[0].images, again[0].images)
    bench(tmp_path, cube(), fit_steps=10)
    other_prior = bench(tmp_path, sphere())
    assert len(starts) == 3 and not torch.equal(first[0].images, other_prior[0].images)


def test_figures_count_every_object() -> None:
    gray = torch.full((8, 64, 64, 3), 0.5)
    figures = summarize("mvdream", [Made(case, gray, 2.0) for case in cases(3, WORDS)])
    assert figures["seconds"] == {"mean": 2.0, "interval": 0.0, "cases": 3}
    assert figures["r_precision"]["both"]["cases"] == 3
