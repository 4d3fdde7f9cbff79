"""Forms: what a recipe's options look like under one preset, and what the user changed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ...protocol.messages import Option, RecipeInfo


@dataclass(frozen=True)
class Form:
    """The options of one recipe under one preset; their defaults are the preset's values."""

    recipe: str
    preset: str
    options: tuple[Option, ...]

    @property
    def attribute(self) -> str:
        """A Python name of its own: every preset keeps what the user changed under it."""
        return re.sub(r"\W", "_", f"options_{self.recipe}_{self.preset}")

    def changed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values that differ from the preset's: all that an order needs to say."""
        return {
            option.name: values[option.name]
            for option in self.options
            if option.name in values and not _same(values[option.name], option.default)
        }


def forms(recipe: RecipeInfo) -> tuple[Form, ...]:
    """One form for each preset of a recipe."""
    return tuple(Form(recipe.id, preset, _preset_options(recipe, preset))
                 for preset in recipe.presets)


def label(option: Option) -> str:
    """``fov_degrees`` as ``Fov``, with the unit where there is one: ``Fov (degrees)``."""
    words = option.name
    if option.unit:
        words = words.removesuffix("_" + option.unit)
    text = words.replace("_", " ").capitalize()
    return f"{text} ({option.unit})" if option.unit else text


def _preset_options(recipe: RecipeInfo, preset: str) -> tuple[Option, ...]:
    values = recipe.presets[preset]
    return tuple(
        msgspec.structs.replace(option, default=values.get(option.name, option.default))
        for option in recipe.options
    )


def _same(value: Any, default: Any) -> bool:
    """Equal as far as Blender can say: its floats have 32 bits."""
    if isinstance(value, float) and isinstance(default, (int, float)):
        return abs(value - default) <= 1e-6 * max(1.0, abs(default))
    return bool(value == default)
