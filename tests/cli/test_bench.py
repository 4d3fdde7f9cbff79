"""``python -m backend bench recipes``: what it prints, and that it goes on."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from backend.cli.app import main
from backend.priors import library
from backend.recipes import volumes
from tests.evaluation.bench.benches import MAKES_LITTLE, oracle


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    prior = oracle()
    monkeypatch.setattr(library, "find_prior", lambda capability: prior)
    monkeypatch.setattr(volumes, "SHEET_PIXELS", 8)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["backend", "bench", "recipes", *arguments])
    with suppress(SystemExit):
        main()


def test_a_recipe_is_measured_and_told_as_json_and_as_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [f"--option={name}={value}" for name, value in MAKES_LITTLE.items()]
    common = ["--recipe=mvdream", "--count=1", f"--folder={tmp_path}", *options]
    run(monkeypatch, *common, "--json")
    told = json.loads(capsys.readouterr().out)
    assert [each["recipe"] for each in told] == ["mvdream"]
    assert told[0]["cases"] == 1 and told[0]["failed"] == []
    assert told[0]["task"] == "text_to_3d" and told[0]["options"] == MAKES_LITTLE
    kind = told[0]["figures"]["r_precision_kind"]
    assert kind["cases"] == 1 and kind["interval"] is None and 0 <= kind["mean"] <= 1
    assert told[0]["processor_seconds"]["mean"] > 0 and told[0]["peak_memory_bytes"] > 1e7
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    run(monkeypatch, *common)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept
    drawn = capsys.readouterr().out
    assert "r_precision_kind" in drawn and "0 of 1" in drawn
