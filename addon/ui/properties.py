"""The user's settings, kept with the scene: what to make, how, and how large."""

from collections.abc import Callable
from typing import Any, cast

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ...protocol.messages import RecipeInfo
from ..runtime import runtime

Item = tuple[str, str, str]

TASKS = {
    "text_to_3d": ("From Text", "Make an object from words"),
    "image_to_3d": ("From Image", "Make an object from a picture"),
    "edit": ("Edit", "Change an object by words"),
    "deform": ("Deform", "Bend an object plausibly"),
    "animate": ("Animate", "Set an object in motion"),
}
MAX_SEED = 2**31 - 1
# Blender reads the texts of a computed enum after the callback returned: each must stay alive.
_kept_items: dict[tuple[Item, ...], list[Item]] = {}


def offered_recipes() -> tuple[RecipeInfo, ...]:
    """The recipes that the connected backend offers."""
    return runtime.session.recipes() if runtime.session else ()


def _task_items(settings: "DistillerySettings") -> list[Item]:
    offered = {recipe.task for recipe in offered_recipes()}
    return [(task, *texts) for task, texts in TASKS.items() if task in offered]


def _recipe_items(settings: "DistillerySettings") -> list[Item]:
    return [(recipe.id, recipe.title, recipe.summary)
            for recipe in offered_recipes() if recipe.task == settings.task]


def _preset_items(settings: "DistillerySettings") -> list[Item]:
    recipe = settings.chosen_recipe()
    return [(preset, preset.capitalize(), "") for preset in recipe.presets] if recipe else []


def _offered_enum(
    stored: str, label: str, help: str, list_items: Callable[["DistillerySettings"], list[Item]]
) -> Any:
    """An enum of what the backend offers now, stored by name in the property ``stored``.

    Blender stores a computed enum's number, which another backend may give to something else.
    """

    def items(settings: "DistillerySettings", context: bpy.types.Context | None) -> list[Item]:
        found = list_items(settings) or [("NONE", "None", "The backend is away")]
        return _kept_items.setdefault(tuple(found), found)

    def get(settings: "DistillerySettings") -> int:
        names = [item[0] for item in items(settings, None)]
        name = getattr(settings, stored)
        return names.index(name) if name in names else 0

    def put(settings: "DistillerySettings", index: int) -> None:
        setattr(settings, stored, items(settings, None)[index][0])

    return EnumProperty(name=label, description=help, items=items, get=get, set=put)


class DistillerySettings(bpy.types.PropertyGroup):
    """``Scene.distillery``. The options of recipes are added by ``forms`` as the backend declares
    them."""

    stored_task: StringProperty(options={"HIDDEN"})
    stored_recipe: StringProperty(options={"HIDDEN"})
    stored_preset: StringProperty(options={"HIDDEN"})
    task: _offered_enum(
        "stored_task", "Task", "What to do", _task_items
    )
    recipe: _offered_enum(
        "stored_recipe", "Recipe", "The method that makes it", _recipe_items
    )
    preset: _offered_enum(
        "stored_preset", "Preset", "How much care to take", _preset_items
    )
    prompt: StringProperty(
        name="Prompt", description="What to make, such as: a red mushroom"
    )
    negative_prompt: StringProperty(
        name="Negative Prompt", description="What to stay away from"
    )
    seed: IntProperty(
        name="Seed", description="The same seed gives the same object", min=0, max=MAX_SEED
    )
    random_seed: BoolProperty(
        name="Random Seed", description="Choose a new seed each time", default=False
    )
    size_meters: FloatProperty(
        name="Size", description="Length of the object's longest side",
        default=1.0, min=0.001, soft_max=100.0, unit="LENGTH",
    )

    def chosen_recipe(self) -> RecipeInfo | None:
        """The recipe that the panel shows, or None where the backend is away."""
        return next((info for info in offered_recipes() if info.id == self.recipe), None)


def settings_of(context: bpy.types.Context) -> DistillerySettings:
    """The settings kept with the scene."""
    return cast(DistillerySettings, context.scene.distillery)


def register() -> None:
    """Add the settings to scenes."""
    bpy.utils.register_class(DistillerySettings)
    scene: Any = bpy.types.Scene
    scene.distillery = PointerProperty(type=DistillerySettings)


def unregister() -> None:
    """Remove the settings from scenes."""
    scene: Any = bpy.types.Scene
    del scene.distillery
    bpy.utils.unregister_class(DistillerySettings)
    _kept_items.clear()
