"""Benches whose prior is known exactly."""

from collections.abc import Callable
from typing import Any

from backend.evaluation.bench.cases import Bench
from backend.priors.oracle import DrawnWorld, OraclePrior
from backend.priors.worlds import World, cube
from backend.recipes import registry

MAKES_LITTLE: dict[str, Any] = {
    "view_steps": 4, "fit_steps": 20, "steps": 0, "grid_resolution": 16, "samples": 16,
    "faces": 400, "texture_size": 64,
}
"""Options that make MVDream quick."""


def oracle(world: World | None = None, **choices: Any) -> OraclePrior:
    """Of one world, quick to ask."""
    return OraclePrior([DrawnWorld(world or cube(), 16)], resolution=16, **choices)


def bench(recipe: str, prior: Any = None, **options: Any) -> Bench:
    """Of a recipe, with one prior for all it asks for."""
    prior = prior or oracle()
    find: Callable[[str], Any] = lambda capability: prior  # noqa: E731
    return Bench(registry.get(recipe), find, options=options)
