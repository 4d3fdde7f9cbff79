"""What is kept, what is made anew, and what failed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.evaluation.bench import making
from backend.evaluation.bench.cases import Bench, Case
from backend.evaluation.bench.making import Made, keep, make_all, read
from backend.evaluation.bench.summary import summarize
from backend.priors.worlds import sphere
from backend.recipes import registry, volumes
from protocol.assets import Asset, Attribute, Mesh, Motion
from protocol.errors import InputError

from .benches import MAKES_LITTLE, bench, oracle


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


def one_case(measured: list[Asset] | None = None) -> list[Case]:
    def measure(asset: Asset) -> dict[str, float]:
        if measured is not None:
            measured.append(asset)
        return {"faces": float(len(asset.mesh.faces))}

    return [Case("a red mug", 7, measure, "a red mug")]


def make(on: Bench, folder: Path, cases: list[Case] | None = None) -> list[Made]:
    return list(make_all(on, cases or one_case(), folder))


def test_what_was_made_is_kept_until_anything_that_decides_it_changes(
    tmp_path: Path, starts: list[str]
) -> None:
    on = bench("mvdream", **MAKES_LITTLE)
    first, again = make(on, tmp_path)[0], make(on, tmp_path)[0]
    assert first == again and first.figures["faces"] > 10 and len(starts) == 1
    assert first.seconds > 0 and first.processor_seconds > 0 and first.peak_memory_bytes > 1e7
    make(bench("mvdream", **{**MAKES_LITTLE, "fit_steps": 10}), tmp_path)
    make(bench("mvdream", oracle(sphere()), **MAKES_LITTLE), tmp_path)
    assert len(starts) == 3


def test_figures_of_another_meaning_are_measured_but_not_made_again(
    tmp_path: Path, starts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on, measured = bench("mvdream", **MAKES_LITTLE), list[Asset]()
    first = make(on, tmp_path, one_case(measured))
    monkeypatch.setattr(making, "MEASURES", making.MEASURES + 1)
    second = make(on, tmp_path, one_case(measured))
    assert len(starts) == 1 and len(measured) == 2 and first == second


def test_other_inputs_are_another_case(tmp_path: Path) -> None:
    on = bench("apap")
    places = set()
    for height in (0.0, 0.5):
        mesh = Mesh(np.float32([[0, 0, height], [1, 0, 0], [0, 1, 0]]), np.int32([[0, 1, 2]]))
        case = Case("a thing", 0, lambda asset: {}, assets={"mesh": Asset("a", mesh=mesh)})
        places.add(making._studio(on, case, tmp_path).folder)
    assert len(places) == 2


def failing(error: Exception) -> list[Case]:
    def measure(asset: Asset) -> dict[str, float]:
        raise error

    return [Case("a blue mug", 1, measure, "a blue mug")]


def test_a_case_that_fails_is_told_and_tried_again(tmp_path: Path) -> None:
    on = bench("mvdream", **MAKES_LITTLE)
    found = make(on, tmp_path, [
        *failing(InputError("mesh_empty", "There is nothing.", "Try more steps.")),
        *failing(ZeroDivisionError("oh")), *one_case(),
    ])
    assert [each.failure for each in found] == [
        "mesh_empty: There is nothing. Try more steps.", "ZeroDivisionError: oh", "",
    ]
    summary = summarize(on, found)
    assert summary["cases"] == 3 and len(summary["failed"]) == 2
    assert summary["failed"][0]["case"] == "a blue mug"
    assert summary["figures"]["faces"]["cases"] == 1
    healed = [Case("a blue mug", 1, lambda asset: {"faces": 1.0}, "a blue mug")]
    assert make(on, tmp_path, healed)[0].figures == {"faces": 1.0}


def test_no_number_is_a_failure(tmp_path: Path) -> None:
    case = Case("a red mug", 7, lambda asset: {"chamfer": float("inf")}, "a red mug")
    found = make(bench("mvdream", **MAKES_LITTLE), tmp_path, [case])
    assert found[0].failure == "ArithmeticError: no finite chamfer" and not found[0].figures


def test_cases_that_cannot_be_told_are_one_failure(tmp_path: Path) -> None:
    def cases() -> Iterator[Case]:
        raise InputError("capability_missing", "The prior has no 'video'.")
        yield

    found = list(make_all(bench("mvdream"), cases(), tmp_path))
    assert [each.failure for each in found] == ["capability_missing: The prior has no 'video'."]


def test_an_interrupted_case_goes_on_and_tells_no_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = bench("mvdream", **MAKES_LITTLE)
    start = registry.start

    def stopped(*order: Any) -> Any:
        run = start(*order)
        for _ in range(10):
            yield next(run)
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "start", stopped)
    with pytest.raises(KeyboardInterrupt):
        make(on, tmp_path)
    assert list(tmp_path.glob("mvdream_*/*.pt"))
    monkeypatch.setattr(registry, "start", start)
    found = make(on, tmp_path)[0]
    assert not found.failure and found.seconds is None and found.peak_memory_bytes > 0
    assert not list(tmp_path.glob("mvdream_*/*.pt"))


def test_an_asset_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    positions = rng.random((4, 3), np.float32)
    mesh = Mesh(positions, np.int32([[0, 1, 2], [1, 2, 3]]))
    mesh.attributes["color"] = Attribute("point", rng.random((4, 4), np.float32))
    motion = Motion(rng.random((5, 4, 3), np.float32), 8.0)
    asset = Asset("thing", mesh=mesh, motion=motion, report={"curve": [[0, 1.5]], "seconds": None})
    keep(asset, tmp_path / "thing.npz")
    back = read(tmp_path / "thing.npz")
    assert back.report == asset.report and back.motion.frames_per_second == 8
    assert np.array_equal(back.mesh.positions, positions)
    assert np.array_equal(back.mesh.faces, mesh.faces)
    assert np.array_equal(back.mesh.attributes["color"].values, mesh.attributes["color"].values)
    assert np.array_equal(back.motion.positions, motion.positions)
    assert [path.name for path in tmp_path.iterdir()] == ["thing.npz"]


def test_one_case_has_no_interval_and_json_no_nan(tmp_path: Path) -> None:
    summary = summarize(bench("mvdream"), [Made("a", 0, {"chamfer": 0.25}, seconds=2.0)])
    assert summary["figures"]["chamfer"] == {"mean": 0.25, "interval": None, "cases": 1}
    assert summary["processor_seconds"] == {"mean": None, "interval": None, "cases": 0}
    json.loads(json.dumps(summary, allow_nan=False))
