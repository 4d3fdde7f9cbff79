"""The user's settings, kept with the scene: what to make, how, and how large."""

from collections.abc import Callable
from typing import Any, cast

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ...protocol.messages import RecipeInfo
from ..runtime import runtime
from ..scene.inputs import Choice
from ..scene.regions import SOURCES, RegionChoice

Item = tuple[str, str, str]

TASKS = {
    "text_to_3d": ("Text", "Make an object from words"),
    "image_to_3d": ("Image", "Make an object from a picture"),
    "edit": ("Edit", "Change an object by words"),
    "deform": ("Deform", "Bend an object plausibly"),
    "animate": ("Motion", "Set an object in motion"),
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


def _is_mesh(settings: Any, candidate: bpy.types.Object) -> bool:
    return candidate.type == "MESH"


def _is_box(settings: Any, candidate: bpy.types.Object) -> bool:
    return candidate.type in ("MESH", "EMPTY")


class DistilleryHandle(bpy.types.PropertyGroup):
    """One handle: vertices and where they go."""

    group: StringProperty(name="Vertex Group", description="The vertices that are moved")
    empty: PointerProperty(
        name="Goes to", description="Where the middle of the vertices goes, turned as this is",
        type=bpy.types.Object,
    )


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

    image: PointerProperty(
        name="Image", description="A picture of one object, best of all cut out",
        type=bpy.types.Image,
    )
    target: PointerProperty(
        name="Object", description="The object to work on; the active one where this is empty",
        type=bpy.types.Object, poll=_is_mesh,
    )
    region_source: EnumProperty(
        name="Region", description="What says where the object may change",
        items=[(name, *texts) for name, texts in SOURCES.items()], default="WHOLE",
    )
    region_object: PointerProperty(
        name="Region Object", description="The box, or the closed mesh, that holds the region",
        type=bpy.types.Object, poll=_is_box,
    )
    region_group: StringProperty(
        name="Region Group", description="The vertex group that is the region"
    )
    region_word: StringProperty(
        name="Region Word", description="The part that shall change, such as: hat"
    )
    show_region: BoolProperty(
        name="Show in Viewport", description="Draw region, handles and anchors over the scene",
        default=True,
    )
    handles: CollectionProperty(type=DistilleryHandle)
    anchors: StringProperty(
        name="Anchors", description="The vertex group that stays in place"
    )
    fit_frames: BoolProperty(
        name="Fit to Frames", default=False,
        description="Spread the motion over these frames instead of keeping its own speed",
    )
    frame_start: IntProperty(
        name="Start", description="The frame on which the motion begins", default=1
    )
    frame_end: IntProperty(
        name="End", description="The frame on which the motion ends", default=48
    )

    def chosen_target(self, context: bpy.types.Context) -> bpy.types.Object | None:
        """The object that is named, or the active one where the recipe cannot do without."""
        recipe = self.chosen_recipe()
        if self.target is not None or recipe is None or "mesh" in recipe.optional:
            return cast(bpy.types.Object | None, self.target)
        return context.view_layer.objects.active

    def choice(self, context: bpy.types.Context) -> Choice:
        """All that is chosen in the scene."""
        region = RegionChoice(
            self.region_source, self.region_object, self.region_group, self.region_word
        )
        handles = tuple((handle.group, handle.empty) for handle in self.handles)
        frames = self.frame_start, self.frame_end if self.fit_frames else 0
        return Choice(
            self.image, self.chosen_target(context), region, handles, self.anchors, frames
        )

    def chosen_recipe(self) -> RecipeInfo | None:
        """The recipe that the panel shows, or None where the backend is away."""
        return next((info for info in offered_recipes() if info.id == self.recipe), None)


def settings_of(context: bpy.types.Context) -> DistillerySettings:
    """The settings kept with the scene."""
    return cast(DistillerySettings, context.scene.distillery)


def register() -> None:
    """Add the settings to scenes."""
    bpy.utils.register_class(DistilleryHandle)
    bpy.utils.register_class(DistillerySettings)
    scene: Any = bpy.types.Scene
    scene.distillery = PointerProperty(type=DistillerySettings)


def unregister() -> None:
    """Remove the settings from scenes."""
    scene: Any = bpy.types.Scene
    del scene.distillery
    bpy.utils.unregister_class(DistillerySettings)
    bpy.utils.unregister_class(DistilleryHandle)
    _kept_items.clear()
