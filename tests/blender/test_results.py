"""Objects out to a backend that echoes, and back: in place, exact, undone in one step."""

import json
import math

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix


@pytest.fixture
def settings(session):
    return bpy.context.scene.distillery


def grid(name="Thing"):
    """A bent grid of quads with a UV map, two materials, two groups and an odd transform."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=6, y_subdivisions=4, size=3)
    made = bpy.context.object
    made.name = name
    for vertex in made.data.vertices:
        vertex.co.z = 0.3 * math.sin(3 * vertex.co.x) + 0.1 * vertex.co.y
    for color in ((1, 0, 0, 1), (0, 0, 1, 1)):
        material = bpy.data.materials.new(f"{name} material")
        material.use_nodes = True
        material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = color
        made.data.materials.append(material)
    for face in made.data.polygons[:10]:
        face.material_index = 1
    left = made.vertex_groups.new(name="left")
    left.add([v.index for v in made.data.vertices if v.co.x < -1], 1.0, "REPLACE")
    right = made.vertex_groups.new(name="right")
    right.add([v.index for v in made.data.vertices if v.co.x > 1], 1.0, "REPLACE")
    made.matrix_world = Matrix.LocRotScale((4, -2, 1), Euler((0.3, 1.2, -0.7)), (0.5, 2.0, 1.3))
    bpy.context.view_layer.update()
    return made


def empty(name, place):
    made = bpy.data.objects.new(name, None)
    made.location = place
    bpy.context.collection.objects.link(made)
    bpy.context.view_layer.update()
    return made


def places(target) -> np.ndarray:
    """The vertices as the scene shows them, in the scene."""
    graph = bpy.context.evaluated_depsgraph_get()
    data = target.evaluated_get(graph).to_mesh()
    found = np.array([tuple(target.matrix_world @ vertex.co) for vertex in data.vertices])
    target.evaluated_get(graph).to_mesh_clear()
    return found


def choose(settings, recipe, **values):
    tasks = {"picture": "image_to_3d", "bend": "deform", "sway": "animate"}
    settings.task, settings.recipe = tasks.get(recipe, "edit"), recipe
    for name, value in values.items():
        setattr(settings, name, value)


def add_handle(settings, group, target):
    handle = settings.handles.add()
    handle.group, handle.empty = group, target


def finish(addon, prompt="a thing"):
    """Press Generate, wait until the result is placed; the job."""
    job = addon.generate(prompt)
    addon.turn_until(lambda: job.id not in addon.runtime.placements and not job.fetched)
    return job


@pytest.mark.parametrize("scale", [(0.5, 2.0, 1.3), (-1.0, 1.0, 1.0), (100.0, 100.0, 100.0)])
def test_a_mesh_comes_back_exactly_in_place(addon, session, settings, scale):
    thing = grid()
    thing.scale = scale
    choose(settings, "echo", target=thing)
    before = places(thing)
    own = [tuple(v.co) for v in thing.data.vertices]
    finish(addon)
    created = bpy.data.objects["Thing edited"]
    assert [tuple(v.co) for v in created.data.vertices] == own
    assert np.array_equal(places(created), before)
    assert [tuple(f.vertices) for f in created.data.polygons] == [
        tuple(f.vertices) for f in thing.data.polygons]
    assert [m.name for m in created.data.materials] == [m.name for m in thing.data.materials]
    assert [g.name for g in created.vertex_groups] == ["left", "right"]
    assert [f.material_index for f in created.data.polygons] == [
        f.material_index for f in thing.data.polygons]
    ours, theirs = (item.data.uv_layers[0].uv for item in (created, thing))
    assert [tuple(uv.vector) for uv in ours] == [tuple(uv.vector) for uv in theirs]


def test_what_is_sent_lies_in_the_unit_ball_upright(addon, session, settings):
    thing = grid()
    sources = addon.module("addon.scene.sources")
    stood = places(thing)
    with sources.opened(thing, applied=True) as source:
        sent = source.unit_positions()
    radius = np.linalg.norm(sent, axis=1).max()
    assert radius == pytest.approx(1, abs=1e-6)
    shape = stood - (stood.min(axis=0) + stood.max(axis=0)) / 2
    assert sent == pytest.approx(shape / np.linalg.norm(shape, axis=1).max(), abs=1e-5)


def test_a_mirrored_object_is_sent_with_its_outside_out(addon, session, settings):
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    cube.scale.x = -1
    sources = addon.module("addon.scene.sources")
    with sources.opened(cube, applied=True) as source:
        mesh = source.mesh()
    corners = mesh.positions[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((normals * corners.mean(axis=1)).sum(axis=1) > 0).all()


def test_an_edit_stands_in_the_place_of_the_hidden_original(addon, session, settings):
    thing = grid()
    before = places(thing)
    choose(settings, "recolor", target=thing, region_source="GROUP", region_group="left")
    job = finish(addon)
    created = bpy.data.objects["Thing edited"]
    assert thing.hide_get()
    assert thing.hide_render
    assert not created.hide_get()
    assert bpy.context.view_layer.objects.active == created
    assert created["distillery_job"] == job.id
    assert created["distillery_prompt"] == "a thing"
    assert "distillery_id" not in created
    region = np.array([v.co.x < -1 for v in thing.data.vertices])
    after = places(created)
    assert np.array_equal(after[~region], before[~region])
    lifted = after[region] - before[region]
    assert (lifted[:, 2] > 0.1).all()
    assert np.abs(lifted[:, :2]).max() < 1e-5
    color = created.data.attributes["color"].data
    assert tuple(color[int(np.flatnonzero(region)[0])].color) == pytest.approx((1, 0, 0, 1))


def test_one_undo_step_takes_an_edit_back(addon, session, settings):
    choose(settings, "recolor", target=grid(), region_source="WORD", region_word="upper half")
    bpy.ops.ed.undo_push(message="before")
    finish(addon)
    assert len(bpy.data.objects) == 2
    bpy.ops.ed.undo()
    assert [item.name for item in bpy.data.objects] == ["Thing"]
    thing = bpy.data.objects["Thing"]
    assert not thing.hide_get()
    assert not thing.hide_render
    bpy.ops.ed.redo()
    assert bpy.data.objects["Thing"].hide_get()
    assert "Thing edited" in bpy.data.objects


def test_an_edit_applies_modifiers_and_the_original_keeps_them(addon, session, settings):
    thing = grid()
    thing.modifiers.new("s", "SUBSURF").levels = 1
    before = places(thing)
    choose(settings, "echo", target=thing)
    finish(addon)
    created = bpy.data.objects["Thing edited"]
    assert not created.modifiers
    assert len(created.data.vertices) == len(before)
    assert places(created) == pytest.approx(before, abs=1e-6)
    assert len(thing.modifiers) == 1


def test_an_edit_with_shape_keys_moves_them_all(addon, session, settings):
    thing = grid()
    thing.shape_key_add(name="Basis")
    key = thing.shape_key_add(name="up")
    key.points[0].co.z += 1
    key.value = 0.5
    choose(settings, "echo", target=thing)
    before = places(thing)
    finish(addon)
    created = bpy.data.objects["Thing edited"]
    assert places(created) == pytest.approx(before, abs=1e-6)
    created.data.shape_keys.key_blocks["up"].value = 0
    assert created.data.shape_keys.key_blocks["up"].points[0].co.z == key.points[0].co.z


def test_other_faces_make_a_new_object_in_the_same_place(addon, session, settings):
    thing = grid()
    parent = empty("Parent", (5, 5, 5))
    thing.parent = parent
    bpy.context.view_layer.update()
    before = places(thing)
    choose(settings, "cut", target=thing)
    finish(addon)
    created = bpy.context.view_layer.objects.active
    assert created.name == "cut"
    assert created.parent == parent
    assert thing.hide_get()
    assert len(created.data.polygons) == 2 * len(thing.data.polygons) - 2
    assert places(created) == pytest.approx(before, abs=1e-5)


def bend(addon, settings, thing, goal):
    choose(settings, "bend", target=thing, anchors="left")
    add_handle(settings, "right", goal)
    return finish(addon)


def test_a_deformation_is_a_shape_key_that_ends_at_the_empty(addon, session, settings):
    thing, goal = grid(), empty("Goal", (7, 1, 3))
    before = places(thing)
    held = np.array([v.co.x > 1 for v in thing.data.vertices])
    own = [tuple(v.co) for v in thing.data.vertices]
    job = bend(addon, settings, thing, goal)
    keys = thing.data.shape_keys.key_blocks
    assert [key.name for key in keys] == ["Basis", "a thing"]
    assert keys["a thing"].value == 1
    after = places(thing)
    assert after[held].mean(axis=0) == pytest.approx((7, 1, 3), abs=1e-5)
    assert np.array_equal(after[~held], before[~held])
    assert [tuple(point.co) for point in keys["Basis"].points] == own
    told = json.loads(thing["distillery a thing"])
    assert (told["recipe"], told["prompt"]) == ("bend", "a thing")
    assert thing["distillery_job"] == job.id
    assert len(bpy.data.objects) == 2
    keys["a thing"].value = 0
    assert np.array_equal(places(thing), before)


def test_handles_turn_as_their_empties_do(addon, session, settings):
    thing, goal = grid(), empty("Goal", (0, 0, 0))
    goal.rotation_euler = (0, 0, math.pi / 2)
    bpy.context.view_layer.update()
    held = np.array([v.co.x > 1 for v in thing.data.vertices])
    start = places(thing)[held]
    bend(addon, settings, thing, goal)
    turned = (start - start.mean(axis=0)) @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    assert places(thing)[held] == pytest.approx(turned, abs=1e-5)


def test_a_deformation_goes_before_modifiers_and_beside_other_keys(addon, session, settings):
    thing, goal = grid(), empty("Goal", (7, 1, 3))
    thing.shape_key_add(name="Basis")
    up = thing.shape_key_add(name="up")
    for point in up.points:
        point.co.z += 0.5
    up.value = 0.5
    held = np.array([v.co.x > 1 for v in thing.data.vertices])
    thing.modifiers.new("s", "SUBSURF").levels = 1
    bend(addon, settings, thing, goal)
    assert len(thing.modifiers) == 1
    assert up.value == 0.5
    thing.modifiers[0].show_viewport = False
    assert places(thing)[held].mean(axis=0) == pytest.approx((7, 1, 3), abs=1e-5)


def test_one_undo_step_takes_a_deformation_back(addon, session, settings):
    thing, goal = grid(), empty("Goal", (7, 1, 3))
    bpy.ops.ed.undo_push(message="before")
    bend(addon, settings, thing, goal)
    bpy.ops.ed.undo()
    assert bpy.data.objects["Thing"].data.shape_keys is None
    bpy.ops.ed.redo()
    assert len(bpy.data.objects["Thing"].data.shape_keys.key_blocks) == 2


def test_a_shared_mesh_changes_in_one_object_alone(addon, session, settings):
    thing, goal = grid(), empty("Goal", (7, 1, 3))
    twin = bpy.data.objects.new("Twin", thing.data)
    bpy.context.collection.objects.link(twin)
    bend(addon, settings, thing, goal)
    assert thing.data.shape_keys is not None
    assert twin.data.shape_keys is None


def test_the_object_is_found_under_another_name_and_elsewhere(addon, session, settings):
    thing, goal = grid(), empty("Goal", (7, 1, 3))
    choose(settings, "bend", target=thing, anchors="left")
    add_handle(settings, "right", goal)
    job = addon.generate("a thing")
    thing.name, thing.location.x = "Renamed", 40
    bpy.context.view_layer.update()
    addon.turn_until(lambda: job.id not in addon.runtime.placements and not job.fetched)
    assert thing.data.shape_keys is not None
    assert places(thing)[:, 0].min() > 30


@pytest.mark.parametrize("recipe", ["bend", "sway", "recolor"])
def test_a_result_whose_object_is_gone_stands_in_its_place(addon, session, settings, recipe):
    thing, goal = grid(), empty("Goal", (7, 1, 3))
    before = places(thing)
    choose(settings, recipe, target=thing, anchors="left", region_source="GROUP",
           region_group="left")
    add_handle(settings, "right", goal)
    job = addon.generate("a thing")
    bpy.data.objects.remove(thing)
    addon.turn_until(lambda: job.id not in addon.runtime.placements and not job.fetched)
    created = bpy.context.view_layer.objects.active
    assert "Its object is gone" in job.note
    same = np.linalg.norm(places(created) - before, axis=1) < 1e-4
    assert same.sum() >= len(before) // 2


def test_a_changed_object_is_left_alone(addon, session, settings):
    thing, goal = grid(), empty("Goal", (7, 1, 3))
    choose(settings, "bend", target=thing, anchors="left")
    add_handle(settings, "right", goal)
    job = addon.generate("a thing")
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    bpy.ops.object.mode_set(mode="OBJECT")
    addon.turn_until(lambda: job.id not in addon.runtime.placements and not job.fetched)
    assert thing.data.shape_keys is None
    assert bpy.context.view_layer.objects.active.name == "bent"
    assert "not those that were sent" in job.note


def test_a_motion_becomes_keyed_shape_keys(addon, session, settings):
    thing = grid()
    before = places(thing)
    choose(settings, "sway", target=thing, fit_frames=True, frame_start=11, frame_end=19)
    finish(addon)
    scene = bpy.context.scene
    assert len(thing.data.shape_keys.key_blocks) == 6
    seen = []
    for frame in (1, 11, 13, 14, 19, 30):
        scene.frame_set(frame)
        seen.append(places(thing)[:, 0] - before[:, 0])
    steps = [move.mean() / seen[-1].mean() for move in seen]
    assert steps == pytest.approx([0, 0, 0.25, 0.375, 1, 1], abs=1e-5)
    assert np.array_equal(seen[0], seen[0] * 0)
    assert json.loads(thing["distillery a thing"])["recipe"] == "sway"


def test_splats_move_at_the_same_time_beside_it(addon, session, settings):
    thing = grid()
    choose(settings, "sway", target=thing, fit_frames=True, frame_start=11, frame_end=19)
    finish(addon)
    splats = bpy.data.objects["swaying splats"]
    assert len(splats.data.vertices) == 10
    seen = []
    for frame in (1, 11, 13, 14, 19, 30):
        bpy.context.scene.frame_set(frame)
        seen.append(ellipsoids(splats))
    moved = np.stack(seen)[:, :, :3, 3] - seen[0][:, :3, 3]
    turned = np.array(splats.matrix_world)[:3, 2]  # the object's own way up
    heights = moved @ turned
    assert heights / heights[-1] == pytest.approx(
        np.outer([0, 0, 0.25, 0.375, 1, 1], np.ones(10)), abs=1e-5)
    assert heights[-1] == pytest.approx(0.5 * one_unit(thing), rel=1e-4)
    assert np.abs(moved - heights[..., None] * turned).max() < 1e-5
    assert np.array_equal(seen[0], seen[1])


def ellipsoids(splats) -> np.ndarray:
    """Where the ellipsoids of splats stand in the scene, (n, 4, 4)."""
    graph = bpy.context.evaluated_depsgraph_get()
    return np.array([
        instance.matrix_world for instance in graph.object_instances
        if instance.is_instance and instance.parent.original == splats
    ])


def one_unit(thing) -> float:
    """How large the unit ball of an object is in the scene."""
    shown = places(thing)
    middle = (shown.min(axis=0) + shown.max(axis=0)) / 2
    return float(np.linalg.norm(shown - middle, axis=1).max())


def test_frames_that_end_before_they_begin_are_refused(addon, session, settings):
    choose(settings, "sway", target=grid(), fit_frames=True, frame_start=20, frame_end=12)
    assert not bpy.ops.distillery.generate.poll()
    inputs = addon.module("addon.scene.inputs")
    recipe = settings.chosen_recipe()
    with pytest.raises(addon.module("protocol.errors").InputError, match="end on frame 12"):
        inputs.check_choice(recipe, settings.choice(bpy.context))
    settings.fit_frames = False
    inputs.check_choice(recipe, settings.choice(bpy.context))


def test_a_motion_keeps_its_own_speed_and_the_scene_grows(addon, session, settings):
    scene = bpy.context.scene
    scene.render.fps, scene.frame_end = 24, 5
    thing = grid()
    choose(settings, "sway", target=thing)
    finish(addon)
    assert scene.frame_end == 9
    compat = addon.module("addon.compat")
    times = {point.co.x for curve in compat.curves_of(thing.data.shape_keys)
             for point in curve.keyframe_points}
    assert times == {1, 3, 5, 7, 9}


def test_one_undo_step_takes_a_motion_back(addon, session, settings):
    choose(settings, "sway", target=grid())
    bpy.ops.ed.undo_push(message="before")
    finish(addon)
    bpy.ops.ed.undo()
    assert [item.name for item in bpy.data.objects] == ["Thing"]
    assert bpy.data.objects["Thing"].data.shape_keys is None


def test_a_broken_result_leaves_the_object_alone(addon, session, settings):
    thing, goal = grid(), empty("Goal", (7, 1, 3))
    choose(settings, "bend", target=thing, anchors="left")
    add_handle(settings, "right", goal)
    job = finish(addon, "broken thing")
    assert "NaN" in job.problem.message
    assert thing.data.shape_keys is None


def test_an_image_goes_out_and_comes_back(addon, session, settings):
    image = bpy.data.images.new("picture", 6, 4, alpha=True)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 4)) / 255
    image.pixels.foreach_set(pixels.astype(np.float32).reshape(-1))
    choose(settings, "picture", image=image)
    settings.prompt = ""
    assert bpy.ops.distillery.generate() == {"FINISHED"}
    addon.turn_until(lambda: bpy.data.objects)
    back = np.array(bpy.data.images["Pictured base color"].pixels[:]).reshape(4, 6, 4)
    assert back == pytest.approx(pixels, abs=1e-6)


def test_a_job_is_placed_on_its_object_after_a_restart(addon, session, settings, backend):
    thing, goal = grid(), empty("Goal", (7, 1, 3))
    job = bend(addon, settings, thing, goal)
    again = addon.runtime.connect(backend.address)
    addon.turn_until(lambda: job.id in again.jobs)
    bpy.ops.distillery.fetch_result(job=job.id)
    addon.turn_until(lambda: len(thing.data.shape_keys.key_blocks) == 3)
    assert len(bpy.data.objects) == 2


def test_a_growing_shape_is_drawn_beside_its_object(addon, session, settings):
    thing = grid()
    overlay, jobs = addon.module("addon.ui.overlay"), addon.module("addon.core.jobs")
    sources, inputs = addon.module("addon.scene.sources"), addon.module("addon.scene.inputs")
    with sources.opened(thing, applied=True) as source:
        mesh, matrix = source.mesh(), tuple(source.to_object.reshape(-1))
    target = jobs.Target(sources.mark(thing), "edit", matrix)
    uid, stands = inputs.standing(inputs.Choice(target=thing))
    corners, _ = overlay.shaded_triangles(mesh, jobs.Placement(uid=uid, matrix=stands), target)
    apart = corners.min(axis=0) - places(thing).min(axis=0)
    assert apart[0] > np.ptp(places(thing)[:, 0])
    assert apart[1:] == pytest.approx([0, 0], abs=1e-4)
