"""How a benchmark states what it measured."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds that one thing took; ``detail`` is shown behind it (sizes, rates)."""

    name: str
    seconds: float
    detail: str = ""


def best_seconds(action: Callable[[], object], repeats: int = 5, warm_up: int = 1) -> float:
    """Return the shortest of several runs: other work on the machine can only lengthen one."""
    for _ in range(warm_up):
        action()
    return min(_seconds(action) for _ in range(repeats))


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def table(question: str, timings: list[Timing]) -> str:
    """Return a question's timings as text, each with its ratio to the first."""
    width = max(len(timing.name) for timing in timings)
    lines = [question]
    for timing in timings:
        figures = f"{_readable(timing.seconds)}  {timing.seconds / timings[0].seconds:8.2f} ×"
        lines.append(f"  {timing.name:<{width}}  {figures}  {timing.detail}".rstrip())
    return "\n".join(lines)


def _readable(seconds: float) -> str:
    for unit, scale in (("s ", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:8.2f} {unit}"
    return f"{seconds / 1e-6:8.2f} µs"
