"""Runs inside the desktop program: chooses object, region, handles and image in the panel, and
photographs each. Arguments: ADDRESS. Writes /shots/report.json."""

import json
import subprocess
import sys
import traceback
from collections.abc import Iterator

import bpy
from bl_ext.user_default.distillery.addon.runtime import runtime

PACKAGE = "bl_ext.user_default.distillery"
ADDRESS = sys.argv[sys.argv.index("--") + 1]

report: dict[str, object] = {"finished": False}


def photograph(name: str) -> None:
    subprocess.run(["import", "-window", "root", f"/shots/{name}.png"], check=True)


def wait_for(done, seconds: float) -> Iterator[float]:
    """Let Blender go on until something is true; an error where it never is."""
    for _ in range(int(seconds / 0.2)):
        if done():
            return
        yield 0.2
    photograph("stuck")
    raise TimeoutError(f"waited {seconds} seconds at line {sys._getframe(1).f_lineno}")


def viewport():
    """The window's 3D viewport, as an override of the context."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    return {"window": window, "area": area, "region": region}


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
    subprocess.run(["xdotool", "key", "Escape"], check=True)
    make_scene()
    bpy.context.preferences.addons[PACKAGE].preferences.address = ADDRESS
    area = viewport()["area"]
    area.spaces.active.show_region_ui = True
    yield 1.0
    next(region for region in area.regions if region.type == "UI").active_panel_category = (
        "Distillery")
    yield from wait_for(lambda: runtime.session and runtime.session.description, 20)


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
    subprocess.run(["xdotool", "mousemove", "650", "600", "key", "ctrl+z"], check=True)
    yield from wait_for(lambda: not bpy.data.objects["Suzanne"].data.shape_keys, 20)
    yield from show("unbent")
    report["finished"] = True


script = act()


def turn() -> float | None:
    try:
        return next(script)
    except StopIteration:
        pass
    except Exception:
        report["error"] = traceback.format_exc()
    with open("/shots/report.json", "w") as file:
        json.dump(report, file)
    bpy.ops.wm.quit_blender()
    return None


bpy.app.timers.register(turn, first_interval=2.0)
