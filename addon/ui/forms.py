"""The options that recipes declare, as Blender properties with range, unit and help.

Each recipe and preset gets a property group of its own in the settings: its defaults are the
preset's values, so changing the preset shows the preset, and what the user changed stays with it.
"""

import math
import zlib
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ...protocol.messages import Description, JobSpec, Option, RecipeInfo
from ..core.forms import Form, forms, label
from .properties import DistillerySettings, offered_recipes

INT_RANGE = (-(2**31), 2**31 - 1)
FLOAT_RANGE = (-3.4e38, 3.4e38)

_groups: dict[str, type[bpy.types.PropertyGroup]] = {}
_shown: Description | None = None


def show_description(description: Description | None) -> None:
    """Make property groups of what the backend describes; nothing where that is known already."""
    global _shown
    if description is _shown or description is None:
        return
    _remove_groups()
    for recipe in offered_recipes():
        for form in forms(recipe):
            _add_group(form)
    _shown = description


def chosen_form(settings: DistillerySettings) -> tuple[Form, bpy.types.PropertyGroup] | None:
    """The form of the chosen recipe and preset with its values, None where there is none."""
    recipe = settings.chosen_recipe()
    for form in forms(recipe) if recipe else ():
        if form.preset == settings.preset and form.attribute in _groups:
            return form, getattr(settings, form.attribute)
    return None


def make_spec(settings: DistillerySettings, recipe: RecipeInfo) -> JobSpec:
    """The order that the panel's settings mean."""
    chosen = chosen_form(settings)
    options: dict[str, Any] = {}
    if chosen is not None:
        form, group = chosen
        options = form.changed({option.name: getattr(group, option.name)
                                for option in form.options})
    return JobSpec(
        recipe=recipe.id, prompt=settings.prompt.strip(),
        negative_prompt=settings.negative_prompt.strip(),
        preset=settings.preset, options=options, seed=settings.seed,
    )


def show_spec(settings: DistillerySettings, spec: JobSpec) -> None:
    """Set the panel to what an order said."""
    recipe = next((info for info in offered_recipes() if info.id == spec.recipe), None)
    settings.stored_task = recipe.task if recipe else settings.stored_task
    settings.stored_recipe, settings.stored_preset = spec.recipe, spec.preset
    settings.prompt, settings.negative_prompt = spec.prompt, spec.negative_prompt
    settings.seed, settings.random_seed = spec.seed, False
    chosen = chosen_form(settings)
    for option in chosen[0].options if chosen else ():
        set_option(settings, option.name, spec.options.get(option.name, option.default))


def set_option(settings: DistillerySettings, name: str, value: Any) -> None:
    """Set one option of the chosen form, or one of the settings beside it, by name."""
    chosen = chosen_form(settings)
    if chosen is not None and any(option.name == name for option in chosen[0].options):
        setattr(chosen[1], name, value)
    elif name in ("recipe", "preset"):
        setattr(settings, f"stored_{name}", value)
    elif name in ("prompt", "negative_prompt", "seed"):
        setattr(settings, name, value)


def _add_group(form: Form) -> None:
    # Class names are limited to 63 letters, recipes may have long ones.
    name = f"DISTILLERY_PG_{zlib.crc32(form.attribute.encode()):08x}"
    annotations = {option.name: _property(option) for option in form.options}
    group = type(name, (bpy.types.PropertyGroup,), {"__annotations__": annotations})
    bpy.utils.register_class(group)
    setattr(DistillerySettings, form.attribute, PointerProperty(type=group))
    _groups[form.attribute] = group


def _remove_groups() -> None:
    global _shown
    for attribute, group in _groups.items():
        delattr(DistillerySettings, attribute)
        bpy.utils.unregister_class(group)
    _groups.clear()
    _shown = None


def _property(option: Option) -> Any:
    texts = {"name": label(option), "description": option.help, "default": option.default}
    if option.kind == "int":
        low, high = _limits(option, INT_RANGE)
        return IntProperty(min=int(low), max=int(high), **texts)
    if option.kind == "float":
        low, high = _limits(option, FLOAT_RANGE)
        return FloatProperty(min=low, max=high, precision=_precision(option.default), **texts)
    if option.kind == "choice":
        items = [(choice, choice.replace("_", " ").capitalize(), "") for choice in option.choices]
        return EnumProperty(items=items, **texts)
    return BoolProperty(**texts) if option.kind == "bool" else StringProperty(**texts)


def _limits(option: Option, widest: tuple[float, float]) -> tuple[float, float]:
    low = widest[0] if option.low is None else max(option.low, widest[0])
    high = widest[1] if option.high is None else min(option.high, widest[1])
    return low, high


def _precision(value: float) -> int:
    """Decimals that show two digits of a small number: 3 for 0.01, 5 for 2e-4."""
    return 3 if value == 0 else min(6, max(2, 1 - math.floor(math.log10(abs(value)))))


def register() -> None:
    """Nothing before a backend has described itself."""


def unregister() -> None:
    """Remove the properties of all recipes."""
    _remove_groups()
