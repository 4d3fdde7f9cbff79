"""What a benchmark asks of a recipe, and what it knows while asking."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from backend.evaluation.judge import JudgeNetwork, load_judge
from backend.pocket.vocabulary import Vocabulary
from backend.priors.base import Capability, Prior
from backend.recipes import registry
from backend.recipes.recipe import Recipe
from protocol.assets import Asset
from protocol.messages import JobSpec

Figures = dict[str, float]
"""Of one case, by name."""


@dataclass(frozen=True)
class Case:
    """One order, always the same, held out of training. ``measure`` compares what was made with
    the truth; ``options`` belong to the case (what kind of edit it is, where its picture was taken
    from)."""

    name: str
    seed: int
    measure: Callable[[Asset], Figures]
    prompt: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """A recipe on the bench: its priors, its preset, and ``options`` beside those of the preset."""

    recipe: Recipe
    find_prior: Callable[[Capability], Prior]
    preset: str = "draft"
    options: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def judge(self) -> JudgeNetwork:
        """The judge that ships."""
        return load_judge()

    @cached_property
    def words(self) -> Vocabulary:
        """What the judge knows and all priors of the recipe were trained on."""
        shared = self.judge.vocabulary
        for capability in self.recipe.capabilities:
            known = self.find_prior(capability).spec.vocabulary
            shared = shared if known is None else shared & known
        return shared

    def spec(self, case: Case) -> JobSpec:
        """The order of a case, but for its assets. Raises InputError for options that the recipe
        does not have."""
        return JobSpec(
            recipe=self.recipe.id, prompt=case.prompt, seed=case.seed, preset=self.preset,
            options={**case.options, **self.options},
        )

    def option(self, name: str) -> Any:
        """What the recipe is told by this name; None where it has no such option."""
        spec = JobSpec(
            recipe=self.recipe.id, prompt="any", preset=self.preset, options=self.options
        )
        return getattr(registry.check(spec), name, None)


def draws(count: int, seed: int) -> Iterator[np.random.Generator]:
    """A generator of its own for each case."""
    return (np.random.default_rng((seed, index, 16)) for index in range(count))
