"""From Generate to an object in the scene, and everything that can come between."""

import json

import bpy
import pytest


def pictures_of(addon) -> set[str]:
    """The jobs whose picture lies in Blender's icon cache (icon numbers are 0 without a window)."""
    return set(addon.module("addon.ui.pictures")._previews)


def test_generate_places_an_object_at_the_cursor_in_meters(addon, session):
    bpy.context.scene.cursor.location = (1, 2, 3)
    bpy.context.scene.distillery.size_meters = 0.5
    job = addon.generate("a cube")
    addon.turn_until(lambda: bpy.data.objects)
    cube = bpy.data.objects[0]
    bpy.context.view_layer.update()
    assert job.state == "done"
    assert max(cube.dimensions) == pytest.approx(0.5)
    assert tuple(cube.location) == (1, 2, 3)
    lowest = min((cube.matrix_world @ vertex.co).z for vertex in cube.data.vertices)
    assert lowest == pytest.approx(3)
    assert bpy.context.view_layer.objects.active == cube
    assert cube.select_get()


def test_result_tells_where_it_came_from(addon, session):
    bpy.context.scene.distillery.seed = 7
    job = addon.generate("a cube")
    addon.turn_until(lambda: bpy.data.objects)
    cube = bpy.data.objects[0]
    assert cube["distillery_prompt"] == "a cube"
    assert cube["distillery_recipe"] == "cube"
    assert cube["distillery_seed"] == 7
    assert cube["distillery_job"] == job.id
    assert json.loads(cube["distillery_versions"]) == {"backend": "fake"}


def test_import_is_one_undo_step(addon, session):
    bpy.ops.ed.undo_push(message="before")
    addon.generate("a cube")
    addon.turn_until(lambda: bpy.data.objects)
    bpy.ops.ed.undo()
    assert not bpy.data.objects
    assert not bpy.data.meshes
    assert bpy.context.scene.distillery.prompt == ""
    bpy.ops.ed.redo()
    assert [item.name for item in bpy.data.objects] == ["Cube"]
    assert len(bpy.data.objects[0].data.polygons) == 12
    assert bpy.data.images["Cube base color"].packed_file is not None


def test_a_result_waits_until_edit_mode_is_left(addon, session):
    bpy.ops.mesh.primitive_plane_add()
    bpy.ops.object.mode_set(mode="EDIT")
    job = addon.generate("a cube")
    addon.turn_until(lambda: session.ready)
    addon.module("addon.pump").tick()
    assert len(bpy.data.objects) == 1
    bpy.ops.object.mode_set(mode="OBJECT")
    addon.turn_until(lambda: len(bpy.data.objects) == 2)
    assert bpy.context.object["distillery_job"] == job.id
    assert not session.ready


def test_progress_and_preview_reach_the_row(addon, session):
    job = addon.generate("slow cube")
    addon.turn_until(lambda: job.shape is not None and job.fraction > 0)
    status_line = addon.module("addon.core.jobs").status_line
    assert status_line(job).startswith("fit · ")
    assert status_line(job).endswith(" left")
    addon.turn_until(lambda: job.previews > 2)
    assert job.picture.pixels.shape == (256, 256, 3)
    assert job.loss == pytest.approx(1, abs=1)
    assert pictures_of(addon) == {job.id}
    assert not bpy.data.objects
    assert not bpy.data.images


def test_cancel_stops_the_job_and_drops_the_preview(addon, session):
    job = addon.generate("slow cube")
    addon.turn_until(lambda: job.shape is not None)
    assert bpy.ops.distillery.cancel() == {"FINISHED"}
    addon.turn_until(lambda: job.ended)
    assert job.state == "cancelled"
    assert job.shape is None
    assert pictures_of(addon) == set()
    assert bpy.ops.distillery.cancel() == {"CANCELLED"}


def test_a_job_can_be_held_and_goes_on(addon, session):
    job = addon.generate("slow cube")
    addon.turn_until(lambda: job.fraction > 0)
    bpy.ops.distillery.pause(job=job.id)
    addon.turn_until(lambda: job.state == "paused")
    reached = job.fraction
    bpy.ops.distillery.pause(job=job.id)
    addon.turn_until(lambda: job.state == "running" and job.fraction > reached)
    bpy.ops.distillery.cancel(job=job.id)


def test_a_finished_job_can_be_imported_again(addon, session):
    job = addon.generate("a cube")
    addon.turn_until(lambda: bpy.data.objects)
    bpy.context.scene.distillery.size_meters = 3
    bpy.ops.distillery.fetch_result(job=job.id)
    addon.turn_until(lambda: len(bpy.data.objects) == 2)
    bpy.context.view_layer.update()
    assert max(bpy.context.object.dimensions) == pytest.approx(3)


def test_jobs_are_found_again_after_a_restart(addon, session, backend):
    job = addon.generate("slow cube")
    addon.runtime.placements.clear()
    again = addon.runtime.connect(backend.address)
    addon.turn_until(lambda: job.id in again.jobs and again.jobs[job.id].shape is not None)
    assert again.jobs[job.id].state == "running"
    bpy.ops.distillery.cancel(job=job.id)
    addon.turn_until(lambda: again.jobs[job.id].ended)


def test_delete_removes_the_job_but_not_the_object(addon, session):
    job = addon.generate("a cube")
    addon.turn_until(lambda: bpy.data.objects)
    bpy.ops.distillery.delete_job(job=job.id)
    addon.turn_until(lambda: job.id not in session.jobs)
    assert len(bpy.data.objects) == 1


def test_a_failure_says_what_to_do_and_its_button_does_it(addon, session):
    job = addon.generate("fail cube")
    addon.turn_until(lambda: job.ended)
    assert job.problem.message == "There was not enough memory."
    assert bpy.ops.distillery.apply_fix(job=job.id) == {"FINISHED"}
    addon.turn_until(lambda: bpy.data.objects)
    assert session.newest_jobs()[0].spec.preset == "standard"


def test_a_result_that_is_not_finite_is_refused(addon, session):
    job = addon.generate("broken cube")
    addon.turn_until(lambda: job.problem is not None)
    assert "NaN" in job.problem.message
    assert not bpy.data.objects
    assert not bpy.data.meshes


def test_an_empty_prompt_cannot_be_ordered(addon, session):
    bpy.context.scene.distillery.prompt = "  "
    with pytest.raises(RuntimeError, match="Say what to make"):
        bpy.ops.distillery.generate()


def test_without_a_backend_generate_says_so(addon):
    addon.runtime.connect("tcp://127.0.0.1:9")
    addon.turn_until(lambda: addon.runtime.session.client.problem is not None)
    bpy.context.scene.distillery.prompt = "a cube"
    with pytest.raises(RuntimeError, match="No backend answers"):
        bpy.ops.distillery.generate()
    assert addon.runtime.session.client.problem.fix.action == "start_backend"


def test_a_backend_of_another_version_is_told_apart(addon, start_fake):
    session = addon.runtime.connect(start_fake("--version", "9").address)
    addon.turn_until(lambda: session.state == "wrong_version")
    assert "same release" in session.client.problem.hint


def test_backend_gone_mid_job_keeps_the_row(addon, session, backend):
    job = addon.generate("slow cube")
    addon.turn_until(lambda: job.shape is not None)
    backend.stop()
    addon.turn_until(lambda: session.state == "offline", 20)
    assert session.client.problem.fix.action == "start_backend"
    assert not job.ended


def test_another_computer_needs_online_access(addon):
    addon.preferences.address = "tcp://192.0.2.1:5599"
    with pytest.raises(RuntimeError, match="stay offline"):
        bpy.ops.distillery.connect()
    assert addon.runtime.problem.fix.action == "open_preferences"


def test_options_follow_what_the_backend_declares(addon, session):
    settings = bpy.context.scene.distillery
    forms = addon.module("addon.ui.forms")
    form, group = forms.chosen_form(settings)
    assert (form.recipe, form.preset) == ("cube", "draft")
    assert group.steps == 10
    assert group.bl_rna.properties["steps"].hard_max == 1000
    assert group.bl_rna.properties["fov_degrees"].name == "Fov (degrees)"
    assert group.bl_rna.properties["fov_degrees"].description == "View."
    assert [item.identifier for item in group.bl_rna.properties["shading"].enum_items] == [
        "lambert", "albedo"]
    group.steps = 20
    settings.preset = "high"
    assert forms.chosen_form(settings)[1].steps == 900
    assert forms.make_spec(settings, settings.chosen_recipe()).options == {}
    settings.preset = "draft"
    assert forms.make_spec(settings, settings.chosen_recipe()).options == {"steps": 20}


def test_recipes_that_want_more_than_there_is_are_not_offered(addon, session):
    offered = [recipe.id for recipe in session.recipes()]
    assert offered[:2] == ["cube", "other"]
    assert "bend" in offered
    assert "needs_sound" not in offered


def test_settings_of_a_job_can_be_recalled(addon, session):
    settings = bpy.context.scene.distillery
    settings.recipe, settings.preset, settings.seed = "other", "standard", 5
    addon.module("addon.ui.forms").chosen_form(settings)[1].fov_degrees = 60
    job = addon.generate("slow cube")
    settings.recipe, settings.preset, settings.seed, settings.prompt = "cube", "draft", 1, "x"
    bpy.ops.distillery.recall_settings(job=job.id)
    chosen = addon.module("addon.ui.forms").chosen_form(settings)[1]
    assert (settings.recipe, settings.preset, settings.seed) == ("other", "standard", 5)
    assert settings.prompt == "slow cube"
    assert chosen.fov_degrees == 60
    bpy.ops.distillery.cancel(job=job.id)


def test_settings_are_saved_with_the_file(addon, session, tmp_path):
    settings = bpy.context.scene.distillery
    settings.recipe, settings.prompt = "other", "a kept prompt"
    addon.module("addon.ui.forms").chosen_form(settings)[1].steps = 33
    path = str(tmp_path / "kept.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True, app_template="")
    assert bpy.context.scene.distillery.prompt == ""
    bpy.ops.wm.open_mainfile(filepath=path)
    settings = bpy.context.scene.distillery
    assert (settings.recipe, settings.prompt) == ("other", "a kept prompt")
    assert addon.module("addon.ui.forms").chosen_form(settings)[1].steps == 33


def test_the_pump_never_raises(addon, session, monkeypatch, capsys):
    monkeypatch.setattr(session.client, "pump", lambda budget: 1 / 0)
    assert addon.module("addon.pump").tick() > 0
    assert "ZeroDivisionError" in capsys.readouterr().err
