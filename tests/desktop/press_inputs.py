"""Runs inside the desktop program: chooses object, region, handles and image in the panel, and
photographs each. Arguments: ADDRESS. Writes /shots/report.json."""

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from acting import open_panel, perform, photograph, report, tool, viewport, wait_for

ADDRESS = sys.argv[sys.argv.index("--") + 1]


def make_scene() -> None:
    """Suzanne in place of the cube, with a group of each ear side and of what is below."""
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    with bpy.context.temp_override(**viewport()):
        bpy.ops.mesh.primitive_monkey_add(size=2)
    monkey = bpy.context.view_layer.objects.active
    for name, chosen in (("ear", lambda co: co.x > 0.9), ("chin", lambda co: co.z < -0.5)):
        group = monkey.vertex_groups.new(name=name)
        group.add([v.index for v in monkey.data.vertices if chosen(v.co)], 1.0, "REPLACE")
    empty = bpy.data.objects.new("Ear goes to", None)
    empty.location, empty.empty_display_size = (2.2, 0, 1.2), 0.3
    bpy.context.collection.objects.link(empty)
    with bpy.context.temp_override(**viewport()):
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()
        bpy.ops.ed.undo_push(message="A scene")


def prepare() -> Iterator[float]:
    tool("key", "Escape")
    make_scene()
    yield from open_panel(ADDRESS)


def show(name: str) -> Iterator[float]:
    """Let Blender draw what a script changed, which it does not see by itself; photograph."""
    for area in bpy.context.window_manager.windows[0].screen.areas:
        area.tag_redraw()
    yield 3.0
    photograph(name)
    yield 0.5


def choose(recipe: str, task: str, **values) -> Iterator[float]:
    settings = bpy.context.scene.distillery
    settings.task, settings.recipe = task, recipe
    for name, value in values.items():
        setattr(settings, name, value)
    yield from show(recipe)


def act() -> Iterator[float]:
    yield 1.0
    yield from prepare()
    settings, monkey = bpy.context.scene.distillery, bpy.data.objects["Suzanne"]
    settings.prompt = "a monkey"
    yield from choose("recolor", "edit", region_source="GROUP", region_group="ear")
    with bpy.context.temp_override(**viewport()):
        bpy.ops.distillery.capture_view(source="VIEWPORT")
    report["captured"] = list(settings.image.size)
    yield from choose("picture", "image_to_3d")
    yield from choose("sway", "animate", fit_frames=True)
    handle = settings.handles.add()
    handle.group, handle.empty = "ear", bpy.data.objects["Ear goes to"]
    yield from choose("bend", "deform", anchors="chin")
    with bpy.context.temp_override(**viewport()):
        bpy.ops.ed.undo_push(message="The choice")
        bpy.ops.distillery.generate()
    yield from wait_for(lambda: monkey.data.shape_keys, 20)
    yield from show("bent")
    report["keys"] = [key.name for key in monkey.data.shape_keys.key_blocks]
    tool("mousemove", 650, 600, "key", "ctrl+z")
    yield from wait_for(lambda: not bpy.data.objects["Suzanne"].data.shape_keys, 20)
    yield from show("unbent")
    report["finished"] = True


perform(act())
