"""The parts of the add-on in the order in which they are registered."""

import atexit

from . import command, pump
from .runtime import runtime
from .ui import (
    choosing_operators,
    forms,
    operators,
    overlay,
    panels,
    pictures,
    preferences,
    properties,
    region_overlay,
)

PARTS = (
    preferences, properties, forms, pictures, operators, choosing_operators, panels, overlay,
    region_overlay, command, pump,
)


def register() -> None:
    """Register every part; the backend that Blender started ends with Blender."""
    for part in PARTS:
        part.register()
    atexit.register(runtime.close)


def unregister() -> None:
    """Unregister every part, last first, and close the connection."""
    atexit.unregister(runtime.close)
    for part in reversed(PARTS):
        part.unregister()
    runtime.close()
