"""The inputs in the panel: each drawn only where the chosen recipe takes it."""

from typing import Any

import bpy

from ...protocol.messages import RecipeInfo
from ..scene.inputs import ON_OBJECT, SAME_VERTICES
from .drawing import Layout, draw_lines
from .properties import DistillerySettings

Context = bpy.types.Context


def belongs_to_object(recipe: RecipeInfo) -> bool:
    """True where the result goes onto an object that is there, so that it has a size already."""
    return recipe.task in ON_OBJECT and "mesh" in recipe.inputs


def draw_inputs(layout: Layout, settings: DistillerySettings, context: Context) -> None:
    """Image, object, region, handles and frames, as the recipe takes them."""
    recipe = settings.chosen_recipe()
    if recipe is None:
        return
    if "image" in recipe.inputs:
        _draw_image(_section(layout, "Image"), settings)
    if "mesh" in recipe.inputs:
        _draw_object(_section(layout, "Object"), settings, recipe, context)
    target: Any = settings.chosen_target(context)
    if target is not None and target.type != "MESH":
        target = None
    if "region" in recipe.inputs:
        _draw_region(_section(layout, "Region", settings), settings, target)
    if "handles" in recipe.inputs:
        overlay = None if "region" in recipe.inputs else settings
        _draw_handles(_section(layout, "Handles", overlay), settings, target)
    if recipe.task == "animate":
        _draw_frames(_section(layout, "Frames"), settings)


def _section(layout: Layout, title: str, overlay: DistillerySettings | None = None) -> Layout:
    """A box with its title, and the switch of the overlay where it has one."""
    column = layout.box().column(align=False)
    row = column.row()
    row.label(text=title)
    if overlay is not None:
        row.prop(overlay, "show_region", text="", icon="OVERLAY", emboss=False)
    return column


def _draw_image(box: Layout, settings: DistillerySettings) -> None:
    box.template_ID(settings, "image", open="image.open")
    row = box.row(align=True)
    row.operator("distillery.capture_view", text="Viewport", icon="VIEW3D").source = "VIEWPORT"
    row.operator("distillery.capture_view", text="Camera", icon="CAMERA_DATA").source = "CAMERA"


def _draw_object(
    box: Layout, settings: DistillerySettings, recipe: RecipeInfo, context: Context
) -> None:
    box.prop(settings, "target", text="")
    target: Any = settings.chosen_target(context)
    if settings.target is None and "mesh" not in recipe.optional:
        known = "none is active" if target is None else target.name
        box.label(text=f"The active one: {known}", icon="OBJECT_DATA")
    if target is not None and target.modifiers and recipe.task in ON_OBJECT:
        after = recipe.task in SAME_VERTICES
        text = ("Its modifiers act after the result, and are not seen here." if after
                else "The result has its modifiers applied; the original keeps them.")
        draw_lines(box, text, "MODIFIER")


def _draw_region(box: Layout, settings: DistillerySettings, target: Any) -> None:
    box.prop(settings, "region_source", text="")
    source = settings.region_source
    if source == "WORD":
        box.prop(settings, "region_word", text="", placeholder="Such as: hat")
    elif source in ("BOX", "MESH"):
        box.prop(settings, "region_object", text="")
        if source == "BOX":
            box.operator("distillery.add_box", icon="CUBE")
    elif source == "GROUP":
        _draw_group(box, settings, "region_group", target)
    elif source == "FACES" and target is not None and target.mode != "EDIT":
        draw_lines(box, "Select its faces in Edit Mode.", "INFO")


def _draw_handles(box: Layout, settings: DistillerySettings, target: Any) -> None:
    for number, handle in enumerate(settings.handles):
        row = box.row(align=True)
        _draw_group(row, handle, "group", target)
        row.label(text="", icon="FORWARD")
        row.prop(handle, "empty", text="")
        row.operator("distillery.remove_handle", text="", icon="X").number = number
    box.operator("distillery.add_handle", icon="ADD")
    row = box.row(align=True)
    row.label(text="Stays")
    _draw_group(row, settings, "anchors", target)
    row.operator("distillery.set_anchors", text="", icon="RESTRICT_SELECT_OFF")


def _draw_frames(box: Layout, settings: DistillerySettings) -> None:
    box.prop(settings, "fit_frames")
    row = box.row(align=True)
    row.prop(settings, "frame_start")
    if settings.fit_frames:
        row.prop(settings, "frame_end")


def _draw_group(layout: Layout, owner: Any, name: str, target: Any) -> None:
    """A vertex group of the object, to be chosen from its list where there is an object."""
    if target is not None:
        layout.prop_search(owner, name, target, "vertex_groups", text="")
    else:
        layout.prop(owner, name, text="")
