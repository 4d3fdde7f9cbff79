"""What the scripts inside the desktop program share: hands, eyes, patience, and their report."""

import json
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator

import bpy
from bl_ext.user_default.distillery.addon.runtime import runtime

PACKAGE = "bl_ext.user_default.distillery"

report: dict[str, object] = {"finished": False}


def tool(*arguments: object) -> None:
    """Move, click and type as a person does."""
    subprocess.run(["xdotool", *map(str, arguments)], check=True)


def photograph(name: str) -> None:
    subprocess.run(["import", "-window", "root", f"/shots/{name}.png"], check=True)


def wait_for(done: Callable[[], object], seconds: float) -> Iterator[float]:
    """Let Blender go on until something is true; an error where it never is."""
    for _ in range(int(seconds / 0.2)):
        if done():
            return
        yield 0.2
    photograph("stuck")
    raise TimeoutError(f"waited {seconds} seconds at line {sys._getframe(1).f_lineno}")


def viewport() -> dict[str, object]:
    """The window's 3D viewport, as an override of the context."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    return {"window": window, "area": area, "region": region}


def open_panel(address: str) -> Iterator[float]:
    """The sidebar at our tab, and the backend there."""
    bpy.context.preferences.addons[PACKAGE].preferences.address = address
    area = viewport()["area"]
    area.spaces.active.show_region_ui = True
    yield 1.0
    next(region for region in area.regions if region.type == "UI").active_panel_category = (
        "Distillery")
    yield from wait_for(lambda: runtime.session and runtime.session.description, 20)


def perform(script: Iterator[float]) -> None:
    """Go through the script, waiting as long as it says; then write the report and quit."""

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
