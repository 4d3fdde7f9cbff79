"""The real backend, found through its record, started and stopped from Blender."""

import os
import subprocess
import sys
from pathlib import Path

import bpy
import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"view_steps": 4, "fit_steps": 10, "steps": 0, "grid_resolution": 16, "samples": 16,
         "faces": 500, "texture_size": 64}


@pytest.fixture
def recorded(addon, backend_python, tmp_path):
    """Word of this checkout's backend, as build.py leaves it; a data folder of its own."""
    record = addon.module("protocol.record")
    written = record.write_record(
        record.BackendRecord(python=str(backend_python), root=str(ROOT)))
    addon.preferences.data_folder = str(tmp_path / "data")
    yield addon
    addon.runtime.close()
    addon.preferences.data_folder = ""
    written.unlink()


def test_start_connect_stop(recorded):
    running = recorded.runtime
    assert bpy.ops.distillery.start_backend() == {"FINISHED"}
    assert running.backend.state == "starting"
    recorded.turn_until(lambda: running.session and running.session.description, 90)
    assert "mvdream" in {recipe.id for recipe in running.session.recipes()}
    settings = bpy.context.scene.distillery
    settings.recipe = "mvdream"
    form, group = recorded.module("addon.ui.forms").chosen_form(settings)
    assert form.preset == "draft"
    shown = {option.name: getattr(group, option.name) for option in form.options}
    assert shown["steps"] == form.options[[*shown].index("steps")].default
    assert form.changed(shown) == {}
    bpy.ops.distillery.stop_backend()
    assert running.backend is None
    assert not (Path(recorded.preferences.data_folder) / "address").exists()
    recorded.turn_until(lambda: running.session.state != "online", 20)


def test_a_second_blender_uses_the_backend_of_the_first(recorded):
    running = recorded.runtime
    bpy.ops.distillery.start_backend()
    recorded.turn_until(lambda: running.session and running.session.description, 90)
    first, running.backend = running.backend, None
    bpy.ops.distillery.start_backend()
    assert running.backend is None
    recorded.turn_until(lambda: running.session.description, 20)
    first.stop()


def test_a_started_backend_is_used_whatever_the_preferences_say(recorded):
    recorded.preferences.address = "tcp://127.0.0.1:9"
    bpy.ops.distillery.start_backend()
    recorded.turn_until(lambda: recorded.runtime.session and recorded.runtime.session.description,
                        90)


def test_without_a_record_it_says_how_to_get_one(addon):
    with pytest.raises(RuntimeError, match="No Distillery backend was found"):
        bpy.ops.distillery.start_backend()
    assert addon.runtime.problem.fix.action == "open_preferences"


@pytest.mark.slow
def test_a_backend_killed_mid_job_comes_back_and_the_result_is_placed(recorded):
    running = recorded.runtime
    bpy.ops.distillery.start_backend()
    recorded.turn_until(lambda: running.session and running.session.description, 90)
    settings = bpy.context.scene.distillery
    settings.recipe = "mvdream"
    for name, value in (SMALL | {"fit_steps": 60}).items():
        recorded.module("addon.ui.forms").set_option(settings, name, value)
    job = recorded.generate("a red mushroom")
    recorded.turn_until(lambda: job.stage.startswith("fit") or job.ended, 240)
    assert job.problem is None
    running.backend._process.kill()
    recorded.turn_until(lambda: running.backend.state == "failed", 20)
    assert not job.ended
    bpy.ops.distillery.start_backend()
    recorded.turn_until(lambda: bpy.data.objects or job.problem, 300)
    assert job.problem is None
    assert bpy.data.objects[0]["distillery_job"] == job.id


@pytest.mark.slow
def test_batch_starts_a_backend_and_stops_it_again(recorded):
    batch = recorded.module("addon.batch")
    stages = []
    made = batch.generate("a red mushroom", recipe="mvdream", options=SMALL,
                          on_change=lambda job: stages.append(job.stage))
    assert 100 <= len(made.data.polygons) <= 500
    assert made.active_material.node_tree.nodes.active.image.packed_file is not None
    assert len(set(stages)) > 2
    assert recorded.runtime.backend is None


def test_the_backend_ends_with_blender(recorded):
    """Blender quits without a word: the add-on takes its backend along."""
    script = (
        "import bpy, addon_utils, time\n"
        f"addon_utils.enable({recorded.package!r}, default_set=True)\n"
        f"from {recorded.package}.addon.runtime import runtime\n"
        f"bpy.context.preferences.addons[{recorded.package!r}].preferences.data_folder = "
        f"{recorded.preferences.data_folder!r}\n"
        "bpy.ops.distillery.start_backend()\n"
        "while runtime.backend.poll() == 'starting':\n    time.sleep(0.1)\n"
        "print(runtime.backend.state, runtime.backend._process.pid)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          timeout=90, check=True)
    state, pid = done.stdout.split()[-2:]
    assert state == "running"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
