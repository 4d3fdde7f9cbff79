"""Preferences: where the backend is, and how it is started."""

import bpy
from bpy.props import BoolProperty, StringProperty

from ..package import ROOT_PACKAGE
from ..runtime import runtime
from .drawing import draw_connection


def _reconnect(preferences: "DistilleryPreferences", context: bpy.types.Context) -> None:
    """The pump opens a session with the new address."""
    runtime.disconnect()
    runtime.problem = None


class DistilleryPreferences(bpy.types.AddonPreferences):
    """Kept by Blender for all files."""

    bl_idname = ROOT_PACKAGE

    address: StringProperty(
        name="Backend address",
        description="Where the backend listens, such as tcp://127.0.0.1:5599. "
        "Empty: the one on this computer",
        update=_reconnect,
    )
    backend_python: StringProperty(
        name="Backend Python",
        description="The Python in the backend's .venv. Empty: the one that build.py recorded",
        subtype="FILE_PATH",
    )
    data_folder: StringProperty(
        name="Data folder",
        description="Where a backend started from Blender keeps jobs and results. "
        "Empty: the usual place for this computer",
        subtype="DIR_PATH",
    )
    show_textures: BoolProperty(
        name="Show Textures in Solid Mode",
        description="When a result is placed, let Solid mode show textures",
        default=True,
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Two groups: the connection, and what happens on this computer."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "address")
        draw_connection(layout)
        row = layout.row()
        row.operator("distillery.connect", icon="FILE_REFRESH")
        started = runtime.backend is not None and runtime.backend.state in ("starting", "running")
        if started:
            row.operator("distillery.stop_backend", icon="CANCEL")
        else:
            row.operator("distillery.start_backend", icon="PLAY")
        layout.prop(self, "backend_python")
        layout.prop(self, "data_folder")
        layout.prop(self, "show_textures")


def register() -> None:
    """Add the preferences."""
    bpy.utils.register_class(DistilleryPreferences)


def unregister() -> None:
    """Remove the preferences."""
    bpy.utils.unregister_class(DistilleryPreferences)
