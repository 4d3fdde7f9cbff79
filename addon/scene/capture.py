"""Pictures of the scene as inputs: the viewport as it is seen, or the camera's render."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from ...protocol.errors import InputError
from .. import compat
from .images import pack_bytes

LONGER_SIDE = 1024


def capture_view(name: str, camera: bool) -> bpy.types.Image:
    """A packed image of the scene camera's render, or of the 3D viewport at hand, transparent
    where nothing is. Raises :class:`InputError` where there is no camera, or no viewport."""
    scene: Any = bpy.context.scene
    if camera and scene.camera is None:
        raise InputError("no_camera", "The scene has no camera.", "Add one: Add > Camera.")
    if not camera and (bpy.context.area is None or bpy.context.area.type != "VIEW_3D"):
        raise InputError(
            "no_viewport", "There is no 3D viewport to photograph.", "Use the camera instead."
        )
    with _settings(scene):
        if camera:
            bpy.ops.render.render()
        else:
            with _hidden_overlays(bpy.context.space_data):
                bpy.ops.render.opengl(view_context=True)
        return _packed_render(name, scene)


def _packed_render(name: str, scene: Any) -> bpy.types.Image:
    """What was rendered last, as an image of its own: a render has no pixels that can be read."""
    rendered = bpy.data.images["Render Result"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "view.png"
        rendered.save_render(str(path), scene=scene)
        return pack_bytes(name, path.read_bytes())


@contextlib.contextmanager
def _settings(scene: Any) -> Iterator[None]:
    """Small, transparent, and in the colors of the textures; everything as before afterwards."""
    render, view = scene.render, scene.view_settings
    share = LONGER_SIDE / max(render.resolution_x, render.resolution_y)
    with contextlib.ExitStack() as kept:
        for owner, values in (
            (render, {"resolution_x": round(render.resolution_x * share), "film_transparent": True,
                      "resolution_y": round(render.resolution_y * share),
                      "resolution_percentage": 100}),
            (view, {"view_transform": "Standard", "look": "None"}),
            (render.image_settings, compat.png_settings(render.image_settings)),
        ):
            kept.enter_context(_set(owner, values))
        yield


@contextlib.contextmanager
def _hidden_overlays(space: Any) -> Iterator[None]:
    with _set(space.overlay, {"show_overlays": False}), _set(space, {"show_gizmo": False}):
        yield


@contextlib.contextmanager
def _set(owner: Any, values: dict[str, Any]) -> Iterator[None]:
    before = {name: getattr(owner, name) for name in values}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name in values:
            setattr(owner, name, before[name])
