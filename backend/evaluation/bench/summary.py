"""The figures of a benchmark, as an object for JSON and as a table."""

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import torch
from rich.table import Table

from backend.evaluation.bench.cases import Bench
from backend.evaluation.bench.making import Made
from backend.evaluation.metrics import Figure

COSTS = ("seconds", "processor_seconds")


def summarize(bench: Bench, made: list[Made]) -> dict[str, Any]:
    """One recipe's object: see docs/benchmarks.md for what is in it."""
    names = dict.fromkeys(name for each in made for name in each.figures)
    peaks = [each.peak_memory_bytes for each in made if each.peak_memory_bytes is not None]
    return {
        "recipe": bench.recipe.id,
        "task": bench.recipe.task,
        "preset": bench.preset,
        "options": bench.options,
        "cases": len(made),
        "failed": [
            {"case": each.case, "seed": each.seed, "message": each.failure}
            for each in made if each.failure
        ],
        "figures": {
            name: figure(each.figures.get(name) for each in made) for name in names
        },
        **{name: figure(getattr(each, name) for each in made) for name in COSTS},
        "peak_memory_bytes": max(peaks, default=None),
    }


def figure(values: Iterable[float | None]) -> dict[str, Any]:
    """Mean, interval and number of the cases that have a value; None where there is no number."""
    found = Figure.of(torch.tensor([value for value in values if value is not None]))
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in asdict(found).items()
    }


def table(title: str, columns: dict[str, dict[str, Any]]) -> Table:
    """Summaries side by side, one line a figure."""
    drawn = Table("", *columns, title=title, title_justify="left")
    for name in dict.fromkeys(name for each in columns.values() for name in each["figures"]):
        drawn.add_row(name, *(_said(each["figures"].get(name)) for each in columns.values()))
    for name in COSTS:
        drawn.add_row(name, *(_said(each[name]) for each in columns.values()))
    peaks = (_megabytes(each["peak_memory_bytes"]) for each in columns.values())
    failed = (f"{len(each['failed'])} of {each['cases']}" for each in columns.values())
    drawn.add_row("peak memory", *peaks)
    drawn.add_row("failed", *failed)
    return drawn


def _said(found: dict[str, Any] | None) -> str:
    if found is None or found["mean"] is None:
        return "-"
    spread = "" if found["interval"] is None else f" ± {found['interval']:.3g}"
    return f"{found['mean']:.4g}{spread} ({found['cases']})"


def _megabytes(count: int | None) -> str:
    return "-" if count is None else f"{count / 1e6:.0f} MB"
