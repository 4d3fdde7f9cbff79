"""The recipes by name: what they are called, what they need, how they run."""

import importlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cache
from typing import Any

from backend.priors.base import Capability
from backend.recipes.options import check_options, describe_options
from backend.studio import Progress, Studio
from protocol.assets import Asset
from protocol.errors import InputError
from protocol.messages import JobSpec, RecipeInfo

MODULES = ("mvdream", "dreamfusion")

Run = Callable[["Inputs", Any, Studio], Generator[Progress, None, Asset]]


@dataclass(frozen=True)
class Inputs:
    """What a recipe is asked to work on. Assets by name: image, mesh … (recipes that take them)."""

    prompt: str = ""
    negative_prompt: str = ""
    assets: dict[str, Asset] | None = None


@dataclass(frozen=True)
class Recipe:
    """A system of the literature. ``presets``: option values by preset name, ``draft`` first.
    ``stages``: in order, with their usual seconds in a draft (what the fraction done is told by).
    """

    id: str
    title: str
    task: str
    summary: str
    citation: str
    capabilities: tuple[Capability, ...]
    inputs: tuple[str, ...]
    options: type
    presets: dict[str, dict[str, Any]]
    stages: dict[str, float]
    run: Run
    version: int = 1

    def describe(self) -> RecipeInfo:
        """What the wire says of it."""
        return RecipeInfo(
            id=self.id, title=self.title, task=self.task, summary=self.summary,  # type: ignore[arg-type]
            citation=self.citation, capabilities=self.capabilities, inputs=self.inputs,
            options=describe_options(self.options), presets=self.presets, version=self.version,
        )


@cache
def recipes() -> dict[str, Recipe]:
    """All recipes by id; imports their modules."""
    found = (importlib.import_module(f"backend.recipes.{name}").RECIPE for name in MODULES)
    return {recipe.id: recipe for recipe in found}


def get(recipe_id: str) -> Recipe:
    """The recipe of that id, or :class:`InputError`."""
    if recipe_id not in recipes():
        raise InputError(
            "recipe_unknown",
            f"There is no recipe {recipe_id!r}.",
            f"Recipes are: {', '.join(recipes())}.",
        )
    return recipes()[recipe_id]


def describe() -> tuple[RecipeInfo, ...]:
    """What the wire says of all recipes."""
    return tuple(recipe.describe() for recipe in recipes().values())


def check(spec: JobSpec) -> Any:
    """The options that an order means (preset, then its own), or :class:`InputError`."""
    recipe = get(spec.recipe)
    if "prompt" in recipe.inputs and not spec.prompt.strip():
        raise InputError(
            "prompt_empty", "The prompt is empty.", "Say what to make: \"a red mushroom\"."
        )
    if spec.preset not in recipe.presets:
        raise InputError(
            "preset_unknown",
            f"{recipe.title} has no preset {spec.preset!r}.",
            f"Presets are: {', '.join(recipe.presets)}.",
        )
    return check_options(recipe.options, {**recipe.presets[spec.preset], **spec.options})
