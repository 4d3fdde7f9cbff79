"""Operators that choose inputs: capture a view, make a box, handles and anchors of a selection."""

from typing import Any

import bpy
import numpy as np
from bpy.props import EnumProperty, IntProperty, StringProperty
from mathutils import Vector

from ...protocol.errors import DistilleryError
from ..scene.capture import capture_view
from ..scene.sources import transformed, world_matrix
from .properties import settings_of

Result = set[Any]

CAPTURED = "Distillery view"


class DISTILLERY_OT_capture_view(bpy.types.Operator):
    """Take the viewport as it is seen, or what the camera renders, as the image"""

    bl_idname = "distillery.capture_view"
    bl_label = "Capture View"
    bl_options = {"REGISTER", "UNDO"}
    source: EnumProperty(
        name="Source", items=[("VIEWPORT", "Viewport", ""), ("CAMERA", "Camera", "")]
    )

    def execute(self, context: bpy.types.Context) -> Result:
        """Render, pack, choose."""
        try:
            image = capture_view(CAPTURED, self.source == "CAMERA")
        except (DistilleryError, RuntimeError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        settings_of(context).image = image
        return {"FINISHED"}


class DISTILLERY_OT_use_image(bpy.types.Operator):
    """Take a picture's file as the image"""

    bl_idname = "distillery.use_image"
    bl_label = "Use Image in Distillery"
    bl_options = {"REGISTER", "UNDO"}
    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Result:
        """Load and choose it."""
        try:
            image = bpy.data.images.load(self.filepath, check_existing=True)
        except RuntimeError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        settings_of(context).image = image
        return {"FINISHED"}


class DISTILLERY_FH_image(bpy.types.FileHandler):
    """Pictures that are dropped on the sidebar, or anywhere on the viewport."""

    bl_idname = "DISTILLERY_FH_image"
    bl_label = "Distillery image"
    bl_import_operator = "distillery.use_image"
    bl_file_extensions = ".png;.jpg;.jpeg;.webp;.tif;.tiff;.bmp"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Over a 3D viewport, while the chosen recipe takes an image."""
        recipe = settings_of(context).chosen_recipe() if context.scene else None
        over = context.area is not None and context.area.type == "VIEW_3D"
        return over and recipe is not None and "image" in recipe.inputs


class DISTILLERY_OT_add_box(bpy.types.Operator):
    """Make an empty cube around the object (or its selected vertices) as the region"""

    bl_idname = "distillery.add_box"
    bl_label = "New Box"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Wants an object to put it around."""
        return _target(context) is not None

    def execute(self, context: bpy.types.Context) -> Result:
        """As large as what it holds, a little more."""
        target: Any = _target(context)
        points = _selected_points(target)
        if len(points) == 0:
            corners = np.array([tuple(corner) for corner in target.bound_box])
            points = transformed(world_matrix(target), corners)
        low, high = points.min(axis=0), points.max(axis=0)
        box = _add_empty(context, f"{target.name} region", (low + high) / 2)
        box.empty_display_type, box.empty_display_size = "CUBE", 1.0
        box.scale = np.maximum((high - low) / 2 * 1.05, 1e-3)
        settings = settings_of(context)
        settings.region_source, settings.region_object = "BOX", box
        return {"FINISHED"}


class DISTILLERY_OT_add_handle(bpy.types.Operator):
    """Add a handle; in Edit Mode, of the selected vertices, with an empty to move them by"""

    bl_idname = "distillery.add_handle"
    bl_label = "Add Handle"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Result:
        """A row, and in Edit Mode its group and empty."""
        target, settings = _target(context), settings_of(context)
        handle = settings.handles.add()
        if target is not None and target.mode == "EDIT":
            points = _selected_points(target)
            if len(points) == 0:
                settings.handles.remove(len(settings.handles) - 1)
                self.report({"WARNING"}, "Select the vertices of the handle")
                return {"CANCELLED"}
            handle.group = _group_of_selection("handle")
            handle.empty = _add_empty(context, f"{handle.group} goes to", points.mean(axis=0))
        return {"FINISHED"}


class DISTILLERY_OT_remove_handle(bpy.types.Operator):
    """Remove this handle; its vertex group and empty stay"""

    bl_idname = "distillery.remove_handle"
    bl_label = "Remove Handle"
    bl_options = {"REGISTER", "UNDO"}
    number: IntProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Result:
        """Take the row away."""
        settings_of(context).handles.remove(self.number)
        return {"FINISHED"}


class DISTILLERY_OT_set_anchors(bpy.types.Operator):
    """In Edit Mode, let the selected vertices be what stays in place"""

    bl_idname = "distillery.set_anchors"
    bl_label = "Anchors from Selection"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Wants Edit Mode, where vertices are selected."""
        cls.poll_message_set("Select the vertices in Edit Mode")
        return context.mode == "EDIT_MESH"

    def execute(self, context: bpy.types.Context) -> Result:
        """A new vertex group of them."""
        target = _target(context)
        if target is None or len(_selected_points(target)) == 0:
            self.report({"WARNING"}, "Select the vertices that stay")
            return {"CANCELLED"}
        settings_of(context).anchors = _group_of_selection("anchors")
        return {"FINISHED"}


def _target(context: bpy.types.Context) -> bpy.types.Object | None:
    target = settings_of(context).chosen_target(context)
    return target if target is not None and target.type == "MESH" else None


def _selected_points(target: Any) -> Any:
    """The selected vertices in the scene, (k, 3); none outside Edit Mode."""
    if target.mode != "EDIT":
        return np.zeros((0, 3))
    target.update_from_editmode()
    places = [tuple(vertex.co) for vertex in target.data.vertices if vertex.select]
    return transformed(world_matrix(target), np.array(places).reshape(-1, 3))


def _group_of_selection(name: str) -> str:
    """A new vertex group of the selected vertices of the object in Edit Mode."""
    bpy.ops.object.vertex_group_assign_new()
    group: Any = bpy.context.object.vertex_groups.active
    group.name = name
    return str(group.name)


def _add_empty(context: bpy.types.Context, name: str, place: Any) -> Any:
    created: Any = bpy.data.objects.new(name, None)
    created.location = Vector(place)
    created.empty_display_size = 0.1
    context.collection.objects.link(created)
    context.view_layer.update()
    return created


CLASSES = (
    DISTILLERY_OT_capture_view,
    DISTILLERY_OT_use_image,
    DISTILLERY_FH_image,
    DISTILLERY_OT_add_box,
    DISTILLERY_OT_add_handle,
    DISTILLERY_OT_remove_handle,
    DISTILLERY_OT_set_anchors,
)


def register() -> None:
    """Add the operators, and what happens to dropped pictures."""
    for operator in CLASSES:
        bpy.utils.register_class(operator)


def unregister() -> None:
    """Remove them."""
    for operator in reversed(CLASSES):
        bpy.utils.unregister_class(operator)
