"""One job run here: what it reports, and that it goes on bitwise where it was stopped."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from backend.recipes import registry
from backend.service.run import Report, Run
from protocol.assets import Asset
from protocol.errors import InputError
from protocol.messages import JobSpec
from tests.service.running import order


@pytest.fixture(autouse=True)
def counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(registry.MORE_MODULES, "tests.service.counter")
    registry.recipes.cache_clear()
    yield
    registry.recipes.cache_clear()


class Clock:
    """A second passes at each look, so that every report is due."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def start(spec: JobSpec, folder: Path) -> Run:
    return Run(spec, {}, folder / "job", folder / "cache", clock=Clock())


def finish(run: Run) -> tuple[list[Report], Asset]:
    reports, told = run.reports(), []
    while True:
        try:
            told.append(next(reports))
        except StopIteration as end:
            return told, end.value


def points(asset: Asset) -> bytes:
    assert asset.mesh is not None
    return asset.mesh.positions.tobytes()


def test_it_reports_every_step_and_signs_the_result(tmp_path: Path) -> None:
    told, asset = finish(start(order(steps=7), tmp_path))
    assert [report.progress.step for report in told] == [1, 2, 3, 4, 5, 6, 7]
    assert told[-1].progress.fraction == 1.0 and told[0].progress.stage == "count"
    assert any(report.preview is not None for report in told)
    assert asset.provenance.seed == 0 and asset.provenance.options["steps"] == 7
    assert {"torch", "threads", "processor", "device"} <= set(asset.provenance.versions)
    assert asset.report["stage_seconds"]["count"] >= 7.0


def test_stopped_and_saved_it_goes_on_bitwise(tmp_path: Path) -> None:
    _, whole = finish(start(order(steps=9), tmp_path / "whole"))
    first = start(order(steps=9), tmp_path / "parts")
    reports = first.reports()
    for _ in range(4):
        next(reports)
    first.save()
    told, asset = finish(start(order(steps=9), tmp_path / "parts"))
    assert told[0].progress.step == 5
    assert points(asset) == points(whole)


def test_a_finished_stage_is_not_run_again_unless_something_differs(tmp_path: Path) -> None:
    spec = order(steps=5)
    _, first = finish(start(spec, tmp_path))
    told, again = finish(start(spec, tmp_path))
    assert not told and points(again) == points(first)
    for change in ({"seed": 1}, {"options": {"steps": 6}}, {"negative_prompt": "x"}):
        told, _ = finish(start(msgspec.structs.replace(spec, **change), tmp_path))
        assert told, f"{change} was taken for the same order"


def test_wrong_orders_do_not_begin(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        start(order(steps=0), tmp_path)
    assert not list(tmp_path.iterdir())
