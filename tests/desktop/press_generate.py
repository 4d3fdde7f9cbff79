"""Runs inside the desktop program: sets the prompt and presses Generate with mouse and keyboard,
photographs panel, progress and result, undoes and redoes. Arguments: ADDRESS PROMPT OPTIONS, the
last as JSON. Writes /shots/report.json."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy
from bl_ext.user_default.distillery.addon.runtime import runtime
from bl_ext.user_default.distillery.addon.ui import forms

sys.path.insert(0, str(Path(__file__).parent))
from acting import open_panel, perform, photograph, report, tool, wait_for

PROMPT_FIELD = (1160, 180)
GENERATE_BUTTON = (1175, 305)
VIEWPORT = (650, 600)
ADDRESS, PROMPT, OPTIONS = sys.argv[sys.argv.index("--") + 1 :]


def click(place: tuple[int, int]) -> Iterator[float]:
    """Point, let Blender notice, and click."""
    tool("mousemove", *place)
    yield 0.6
    tool("click", 1)
    yield 0.6


def meshes() -> list[str]:
    return [item.name for item in bpy.data.objects if item.type == "MESH"]


def session():
    return runtime.session


def prepare() -> Iterator[float]:
    """The default scene without its cube, the sidebar open at our tab."""
    tool("key", "Escape")
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    yield from open_panel(ADDRESS)
    for name, value in json.loads(OPTIONS).items():
        forms.set_option(bpy.context.scene.distillery, name, value)
    yield 1.0


def act() -> Iterator[float]:
    yield 1.0
    yield from prepare()
    yield from click(PROMPT_FIELD)
    tool("key", "ctrl+a", "type", "--delay", 30, PROMPT)
    yield 1.0
    tool("key", "Return")
    yield 1.0
    photograph("panel")
    report["prompt"] = bpy.context.scene.distillery.prompt
    yield from click(GENERATE_BUTTON)
    tool("mousemove", *VIEWPORT)
    yield from wait_for(lambda: session().jobs, 10)
    job = session().newest_jobs()[0]
    yield from wait_for(lambda: job.shape is not None or job.ended, 120)
    yield 1.5
    photograph("progress")
    report["progress"] = job.fraction
    yield from wait_for(meshes, 500)
    yield 1.5
    photograph("result")
    report["meshes"] = meshes()
    report["state"] = job.state
    tool("key", "ctrl+z")
    yield from wait_for(lambda: not meshes(), 10)
    yield 1.5
    photograph("undone")
    tool("key", "ctrl+shift+z")
    yield from wait_for(meshes, 10)
    yield 1.5
    photograph("redone")
    report["redone"] = meshes()
    bpy.ops.wm.save_userpref()
    report["finished"] = True


perform(act())
