"""The name that Blender gave the extension, and the preferences kept under it."""

from typing import TYPE_CHECKING, cast

import bpy

if TYPE_CHECKING:
    from .ui.preferences import DistilleryPreferences

# ``bl_ext.<repository>.distillery``: the package above this one.
ROOT_PACKAGE = (__package__ or "").rpartition(".")[0]


def preferences() -> "DistilleryPreferences":
    """The add-on's preferences."""
    kept = bpy.context.preferences.addons[ROOT_PACKAGE].preferences
    return cast("DistilleryPreferences", kept)
