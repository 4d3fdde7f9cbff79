"""The benchmarks' frame: what it finds, and how it states figures."""

import subprocess
import sys
import time

import pytest

import build
from benchmarks.__main__ import questions
from benchmarks.timing import Timing, best_seconds, table


def test_each_side_runs_its_own_scripts_and_all_have_a_question() -> None:
    backend, blender = questions("backend"), questions("blender")
    assert not set(backend) & set(blender)
    assert all(name.startswith("blender_") for name in blender)
    for name in (*backend, *blender):
        source = (build.ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
        assert source.startswith('"""'), name
        assert "def measure() -> list[Timing]" in source, name


def test_ratios_are_to_the_first() -> None:
    text = table("Which?", [Timing("first", 0.5), Timing("second", 0.0015, "1 MB")])
    question, first, second = text.splitlines()
    assert question == "Which?"
    assert first.split() == ["first", "500.00", "ms", "1.00", "×"]
    assert second.split() == ["second", "1.50", "ms", "0.00", "×", "1", "MB"]


def test_the_shortest_run_counts() -> None:
    pauses = iter([0.05, 0.05, 0.01, 0.05])
    assert best_seconds(lambda: time.sleep(next(pauses)), repeats=3) == pytest.approx(
        0.01, abs=0.02
    )


def test_an_unknown_benchmark_is_named() -> None:
    command = [sys.executable, "-m", "benchmarks", "no_such"]
    done = subprocess.run(command, cwd=build.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "no_such" in done.stderr
