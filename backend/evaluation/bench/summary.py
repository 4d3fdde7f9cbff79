"""The figures of a benchmark, as an object for JSON."""

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import torch

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
