"""The zip itself: Blender's validator takes it, and it comes and goes without a trace."""

import subprocess
import sys
from pathlib import Path

import addon_utils
import bpy
import pytest


def traces(package: str) -> dict[str, object]:
    """Everything in which an add-on could leave something behind."""
    handlers = [entry for name in dir(bpy.app.handlers)
                if isinstance(entries := getattr(bpy.app.handlers, name), list)
                for entry in entries]
    return {
        "types": {name for name in dir(bpy.types) if "istillery" in name.lower()},
        "groups": {cls.__name__ for cls in bpy.types.PropertyGroup.__subclasses__()
                   if cls.is_registered and "DISTILLERY" in cls.__name__.upper()},
        "operators": set(dir(bpy.ops.distillery)),
        "scene": "distillery" in bpy.types.Scene.bl_rna.properties,
        "window manager": "distillery" in bpy.types.WindowManager.bl_rna.properties,
        "handlers": [entry for entry in handlers if entry.__module__.startswith(package)],
        "images": len(bpy.data.images),
        "meshes": len(bpy.data.meshes),
    }


def test_enable_and_disable_twice_leave_nothing(addon, session):
    pump = addon.module("addon.pump")
    addon.generate("slow cube")
    addon.turn_until(lambda: session.jobs)
    addon_utils.disable(addon.package)
    clean = traces(addon.package)
    assert not clean["types"]
    assert not clean["groups"]
    assert not clean["operators"]
    assert not clean["scene"]
    assert not clean["handlers"]
    assert not bpy.app.timers.is_registered(pump.tick)
    assert addon.runtime.session is None
    for _ in range(2):
        assert addon_utils.enable(addon.package, default_set=True) is not None
        assert bpy.context.scene.distillery.prompt is not None
        assert bpy.app.timers.is_registered(addon.module("addon.pump").tick)
        addon_utils.disable(addon.package)
        assert traces(addon.package) == clean
    addon_utils.enable(addon.package, default_set=True)


def test_enabling_starts_nothing(addon):
    """No socket, no process, no network before the pump's first turn."""
    assert addon.runtime.session is None
    assert addon.runtime.backend is None


def test_blender_validates_the_zip(extension_zip):
    scripts = Path(bpy.utils.resource_path("LOCAL")) / "scripts"
    validator = scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    tags = scripts / "modules" / "_bpy_internal" / "extensions" / "tags.py"
    done = subprocess.run(
        [sys.executable, validator, "validate", extension_zip, "--valid-tags", tags],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_preferences_and_panels_draw(addon, session):
    """Every panel's draw runs against a layout that takes whatever is drawn on it."""
    job = addon.generate("fail cube")
    addon.turn_until(lambda: job.ended)
    addon.generate("slow cube")
    addon.turn_until(lambda: any(row.picture for row in session.running_jobs()))
    panels = addon.module("addon.ui.panels")
    drawn: list[str] = []
    for panel in panels.CLASSES:
        panel.draw(Stage(panel, drawn), bpy.context)
    preferences = addon.module("addon.ui.preferences").DistilleryPreferences
    preferences.draw(Stage(preferences, drawn), bpy.context)
    assert "Connected · fake 1" in drawn
    assert "There was not enough memory." in " ".join(drawn)
    assert "distillery.generate" in drawn
    assert "steps" in drawn
    assert "learning_rate" in drawn
    assert any(text.startswith("fit · ") for text in drawn)


def test_panels_say_that_the_backend_is_away(addon):
    addon.runtime.connect("tcp://127.0.0.1:9")
    addon.turn_until(lambda: addon.runtime.session.client.problem is not None)
    drawn: list[str] = []
    panels = addon.module("addon.ui.panels")
    panels.DISTILLERY_PT_generate.draw(Stage(panels.DISTILLERY_PT_generate, drawn), bpy.context)
    assert "No backend · tcp://127.0.0.1:9" in drawn
    assert "No backend answers." in " ".join(drawn)
    assert "distillery.apply_fix" in drawn
    assert not panels.DISTILLERY_PT_options.poll(bpy.context)


class Stage:
    """Stands for a panel of this class: its layout notes what is drawn."""

    def __init__(self, panel: type, drawn: list[str]) -> None:
        self.layout = Layout(drawn)
        self.panel = panel

    def __getattr__(self, name: str):
        return getattr(self.panel, name)


class Layout:
    """Takes every drawing call, notes texts and names, gives itself for what it contains."""

    def __init__(self, drawn: list[str]) -> None:
        self.__dict__["drawn"] = drawn

    def __setattr__(self, name: str, value: object) -> None:
        self.__dict__[name] = value

    def __getattr__(self, name: str):
        known = bpy.types.UILayout.bl_rna.functions
        if name not in known:
            raise AttributeError(name)

        def draw(*arguments, **words):
            for entry in [*arguments, words.get("text", "")]:
                if isinstance(entry, str):
                    self.drawn.append(entry)
            wrong = set(words) - set(known[name].parameters.keys())
            assert not wrong, f"layout.{name} has no {wrong}"
            return Layout(self.drawn)

        return draw


@pytest.mark.parametrize("name", ["address", "backend_python", "data_folder", "show_textures"])
def test_preferences_have(addon, name):
    assert name in addon.preferences.bl_rna.properties
