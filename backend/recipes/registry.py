"""The recipes by name: which there are, what an order means to one, how it runs."""

import importlib
import importlib.metadata
import os
from collections.abc import Callable, Generator
from dataclasses import asdict
from functools import cache
from typing import Any

import torch

from backend.pocket.prompts import check_prompt
from backend.priors.base import Capability, Prior
from backend.priors.library import prior_marks
from backend.recipes.options import check_options
from backend.recipes.recipe import Inputs, Recipe
from backend.studio import Progress, Studio
from protocol.assets import Asset, Provenance
from protocol.errors import InputError
from protocol.messages import JobSpec, RecipeInfo

MODULES = (
    "backend.recipes.mvdream", "backend.recipes.dreamfusion", "backend.recipes.gaussiandreamer",
    "backend.recipes.wonder3d", "backend.recipes.dreameditor", "backend.recipes.gaussian_editor",
    "backend.recipes.zero123", "backend.recipes.apap",
    "backend.recipes.align_your_gaussians",
)
MORE_MODULES = "DISTILLERY_RECIPES"  # environment: further modules with a RECIPE, comma-separated

def identity(spec: JobSpec, find_prior: Callable[[Capability], Prior]) -> dict[str, Any]:
    """All of an order and its priors that decides the result, but the seed and the machine. Priors
    that only some inputs need are not loaded for it: see :func:`prior_marks`."""
    recipe = get(spec.recipe)
    return {
        "recipe": recipe.id, "version": recipe.version,
        "prompt": spec.prompt, "negative_prompt": spec.negative_prompt,
        "options": asdict(check(spec)), "inputs": spec.inputs,
        "priors": [find_prior(name).spec.fingerprint for name in recipe.capabilities],
        "may_use": [prior_marks(name) for name in recipe.may_use],
    }


def start(
    spec: JobSpec, studio: Studio, assets: dict[str, Asset] | None = None
) -> Generator[Progress, None, Asset]:
    """Run an order; the asset says where it came from, the studio's report is in it."""
    recipe, options = get(spec.recipe), check(spec)
    check_words(recipe, spec.prompt, studio.find_prior)
    inputs = Inputs(spec.prompt.strip(), spec.negative_prompt.strip(), assets or {})
    asset = yield from recipe.run(inputs, options, studio)
    asset.report = studio.report
    if warnings := studio.warnings():
        asset.report["warnings"] = warnings
    asset.provenance = Provenance(
        recipe=f"{recipe.id} {recipe.version}", prompt=inputs.prompt, options=asdict(options),
        seed=spec.seed, prior=", ".join(studio.priors_used), versions=_versions(),
    )
    return asset


def check_words(
    recipe: Recipe, prompt: str, find_prior: Callable[[Capability], Prior]
) -> None:
    """Raises :class:`InputError` where a prior that knows few words knows none of a new object's
    prompt. What edits or moves an object may be said in other words."""
    if recipe.task not in ("text_to_3d", "image_to_3d") or not prompt.strip():
        return
    for capability in recipe.capabilities:
        words = find_prior(capability).spec.vocabulary
        if words is not None:
            check_prompt(prompt, words.kinds, words.colors)


def _versions() -> dict[str, str]:
    """What the result's last bits depend on."""
    versions = {name: importlib.metadata.version(name) for name in ("torch", "numpy")}
    return {**versions, "threads": str(torch.get_num_threads())}


@cache
def recipes() -> dict[str, Recipe]:
    """All recipes by id; imports their modules."""
    more = [name for name in os.environ.get(MORE_MODULES, "").split(",") if name]
    found = [importlib.import_module(name).RECIPE for name in (*MODULES, *more)]
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
    if "prompt" in set(recipe.inputs) - set(recipe.optional) and not spec.prompt.strip():
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
