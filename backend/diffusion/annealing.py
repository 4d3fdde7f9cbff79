"""Numbers that change while a recipe runs: loss weights, rates, noise levels."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Shape = Literal["linear", "cosine", "exponential", "sqrt"]


@dataclass(frozen=True)
class Schedule:
    """``start`` until ``begin``, ``stop`` from ``end`` on, and in between as ``shape`` says.

    ``begin`` and ``end`` are fractions of the run in [0, 1], so that a preset with fewer steps
    keeps the paper's course (5000 of 10000 steps: 0.5). ``exponential`` multiplies by the same
    factor in equal times and wants both values above zero.
    """

    start: float
    stop: float
    begin: float = 0.0
    end: float = 1.0
    shape: Shape = "linear"

    def __post_init__(self) -> None:
        if not 0 <= self.begin <= self.end <= 1:
            raise ValueError(f"a schedule wants 0 <= begin <= end <= 1, not {self}")
        if self.shape not in _CURVES:
            raise ValueError(f"a schedule's shape is one of {', '.join(_CURVES)}, not {self.shape}")
        if self.shape == "exponential" and min(self.start, self.stop) <= 0:
            raise ValueError(f"an exponential schedule wants values above zero, not {self}")

    def at(self, progress: float) -> float:
        """The value at the fraction ``progress`` of the run."""
        if progress <= self.begin:
            return self.start
        if progress >= self.end:
            return self.stop
        fraction = (progress - self.begin) / (self.end - self.begin)
        return _CURVES[self.shape](self.start, self.stop, fraction)


Number = float | Schedule
"""A plain number is a schedule that stays where it is."""


def value_at(number: Number, progress: float) -> float:
    """The value of a number or schedule at the fraction ``progress`` of the run."""
    return number.at(progress) if isinstance(number, Schedule) else float(number)


def scaled(number: Number, factor: float) -> Number:
    """``factor`` times a number, or a schedule's values."""
    if isinstance(number, Schedule):
        return replace(number, start=factor * number.start, stop=factor * number.stop)
    return factor * number


def _mix(start: float, stop: float, weight: float) -> float:
    return start + (stop - start) * weight


_CURVES: dict[str, Callable[[float, float, float], float]] = {
    "linear": _mix,
    "cosine": lambda start, stop, x: _mix(start, stop, (1 - math.cos(math.pi * x)) / 2),
    "exponential": lambda start, stop, x: start * (stop / start) ** x,
    # HiFA's course of the noise level: fast at first, slow toward the end.
    "sqrt": lambda start, stop, x: _mix(start, stop, math.sqrt(x)),
}
