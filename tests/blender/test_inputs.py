"""What is chosen in the scene, as it is sent; and what cannot be, said before it is sent."""

import bpy
import numpy as np
import pytest


@pytest.fixture
def settings(session):
    return bpy.context.scene.distillery


@pytest.fixture
def cube(addon):
    """A cube of edge 2 with its vertices in groups: top, bottom, and one that holds none."""
    bpy.ops.mesh.primitive_cube_add()
    made = bpy.context.object
    for name, side in (("top", 1), ("bottom", -1), ("nobody", 0)):
        group = made.vertex_groups.new(name=name)
        group.add([v.index for v in made.data.vertices if v.co.z == side], 1.0, "REPLACE")
    return made


def empty(name="Goal", place=(0, 0, 3), **values):
    made = bpy.data.objects.new(name, None)
    made.location = place
    for key, value in values.items():
        setattr(made, key, value)
    bpy.context.collection.objects.link(made)
    bpy.context.view_layer.update()
    return made


def choose(settings, recipe, **values):
    tasks = {"picture": "image_to_3d", "bend": "deform", "sway": "animate", "cube": "text_to_3d"}
    settings.task, settings.recipe = tasks.get(recipe, "edit"), recipe
    settings.prompt = "a thing"
    for name, value in values.items():
        setattr(settings, name, value)


def gathered(addon, settings) -> dict:
    """What would be sent."""
    inputs = addon.module("addon.scene.inputs")
    return inputs.gather(settings.chosen_recipe(), settings.choice(bpy.context))


def refused(match: str) -> None:
    """Generate says why not, and nothing is sent."""
    with pytest.raises(RuntimeError, match=match):
        bpy.ops.distillery.generate()


def test_a_texture_goes_with_the_mesh(addon, settings, cube):
    materials = addon.module("addon.scene.materials")
    assets = addon.module("protocol.assets")
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    cube.data.materials.append(materials.create_material(
        "m", assets.Material(base_color_map=assets.Image(pixels), roughness=0.25)))
    choose(settings, "echo", target=cube)
    mesh = gathered(addon, settings)["mesh"].mesh
    assert np.array_equal(mesh.material.base_color_map.pixels, pixels)
    assert mesh.material.roughness == 0.25
    assert mesh.uvs.shape == (12, 3, 2)
    assert not mesh.attributes


def test_colors_of_several_materials_become_those_of_points(addon, settings, cube):
    materials, assets = addon.module("addon.scene.materials"), addon.module("protocol.assets")
    for color in ((1, 0, 0, 1), (0, 0, 1, 1)):
        cube.data.materials.append(materials.create_material("m", assets.Material(color)))
    for face in cube.data.polygons:
        face.material_index = int(face.normal.z > 0.5)
    choose(settings, "echo", target=cube)
    mesh = gathered(addon, settings)["mesh"].mesh
    colors = mesh.attributes["color"].values
    assert mesh.material.base_color[:3] == pytest.approx((1, 0, 0), abs=1e-5)
    assert colors[mesh.positions[:, 2] < 0, :3] == pytest.approx(np.tile([1.0, 0, 0], (4, 1)))
    assert (colors[mesh.positions[:, 2] > 0, 2] > 0.2).all()


def test_painted_colors_are_sent_as_they_look(addon, settings, cube):
    painted = cube.data.color_attributes.new("paint", "BYTE_COLOR", "CORNER")
    for corner in painted.data:
        corner.color_srgb = (0.5, 0.25, 0, 1)
    choose(settings, "echo", target=cube)
    colors = gathered(addon, settings)["mesh"].mesh.attributes["color"].values
    assert colors == pytest.approx(np.tile([0.5, 0.25, 0, 1], (8, 1)), abs=0.01)


@pytest.mark.parametrize("mode", ["OBJECT", "EDIT"])
def test_groups_and_selected_faces_are_regions_in_any_mode(addon, settings, cube, mode):
    for face in cube.data.polygons:
        face.select = face.normal.z > 0.5
    bpy.ops.object.mode_set(mode=mode)
    choose(settings, "recolor", target=cube, region_source="FACES")
    sent = gathered(addon, settings)
    chosen = sent["region"].region.faces
    heights = sent["mesh"].mesh.positions[sent["mesh"].mesh.faces][..., 2]
    assert np.array_equal(chosen, (heights > 0).all(axis=1))
    choose(settings, "recolor", region_source="GROUP", region_group="top")
    sent = gathered(addon, settings)
    assert np.array_equal(sent["region"].region.vertices, sent["mesh"].mesh.positions[:, 2] > 0)
    bpy.ops.object.mode_set(mode="OBJECT")


def test_regions_go_through_modifiers(addon, settings, cube):
    cube.modifiers.new("s", "SUBSURF").levels = 2
    choose(settings, "recolor", target=cube, region_source="GROUP", region_group="top")
    sent = gathered(addon, settings)
    assert len(sent["region"].region.vertices) == len(sent["mesh"].mesh.positions) == 98


def test_a_box_is_an_empty_cube_or_the_bounds_of_an_object(addon, settings, cube):
    cube.location, cube.scale = (5, 0, 0), (2, 1, 1)
    bpy.context.view_layer.update()
    box = empty("Box", (5, 0, 1), empty_display_size=0.5, scale=(4, 2, 1))
    choose(settings, "recolor", target=cube, region_source="BOX", region_object=box)
    matrix = gathered(addon, settings)["region"].region.box
    radius = 6 ** 0.5
    assert matrix[:3, 3] == pytest.approx([0, 0, 1 / radius])
    assert np.diag(matrix)[:3] == pytest.approx([2 / radius, 1 / radius, 0.5 / radius])
    bpy.ops.mesh.primitive_cube_add(size=1, location=(5, 0, 1), scale=(4, 2, 1))
    settings.region_object = bpy.context.object
    assert gathered(addon, settings)["region"].region.box == pytest.approx(matrix, abs=1e-6)


def test_a_closed_mesh_and_a_word_are_regions(addon, settings, cube):
    bpy.ops.mesh.primitive_uv_sphere_add(location=(0, 0, 1))
    choose(settings, "recolor", target=cube, region_source="MESH", region_object=bpy.context.object)
    mesh = gathered(addon, settings)["region"].region.mesh
    assert mesh.positions.max(axis=0)[2] == pytest.approx(2 / 3**0.5)
    choose(settings, "recolor", region_source="WORD", region_word=" hat ")
    assert gathered(addon, settings)["region"].region.word == "hat"


def test_everywhere_is_no_region_or_all_of_it(addon, settings, cube):
    choose(settings, "echo", target=cube)
    assert set(gathered(addon, settings)) == {"mesh"}
    choose(settings, "recolor", region_source="WHOLE")
    assert (gathered(addon, settings)["region"].region.vertices == 1).all()


def test_the_active_object_is_meant_where_none_is_named(addon, settings, cube):
    choose(settings, "echo")
    assert settings.chosen_target(bpy.context) == cube


def test_images_are_read_as_they_look(addon, settings):
    image = bpy.data.images.new("linear", 2, 2, float_buffer=True)
    image.pixels.foreach_set(np.tile([0.2140411, 0.0, 1.0, 1.0], 4).astype(np.float32))
    choose(settings, "picture", image=image)
    sent = gathered(addon, settings)["image"].images["image"].pixels
    assert sent.shape == (2, 2, 3)
    assert sent[0, 0].tolist() == pytest.approx([128, 0, 255], abs=1)


def test_the_camera_is_an_image_with_what_is_empty_clear(addon, settings):
    bpy.ops.mesh.primitive_cube_add(size=1)
    bpy.ops.object.camera_add(location=(0, -5, 0), rotation=(np.pi / 2, 0, 0))
    scene = bpy.context.scene
    scene.camera, scene.render.engine, scene.cycles.samples = bpy.context.object, "CYCLES", 1
    scene.render.resolution_x, scene.render.resolution_y = 4096, 2048
    addon.module("addon.scene.capture").LONGER_SIDE = 64
    choose(settings, "picture")
    assert bpy.ops.distillery.capture_view(source="CAMERA") == {"FINISHED"}
    pixels = gathered(addon, settings)["image"].images["image"].pixels
    assert pixels.shape == (32, 64, 4)
    assert pixels[0, 0, 3] == 0
    assert pixels[16, 32, 3] == 255
    assert (scene.render.resolution_x, scene.render.film_transparent) == (4096, False)
    assert settings.image.packed_file is not None


def test_without_camera_or_viewport_there_is_nothing_to_capture(addon, settings):
    with pytest.raises(RuntimeError, match="no camera"):
        bpy.ops.distillery.capture_view(source="CAMERA")
    with pytest.raises(RuntimeError, match="no 3D viewport"):
        bpy.ops.distillery.capture_view(source="VIEWPORT")


def test_selections_become_handles_anchors_and_boxes(addon, settings, cube):
    choose(settings, "bend", target=cube)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="DESELECT")
    assert bpy.ops.distillery.add_handle() == {"CANCELLED"}
    assert not settings.handles
    bpy.ops.object.vertex_group_set_active(group="top")
    bpy.ops.object.vertex_group_select()
    assert bpy.ops.distillery.add_handle() == {"FINISHED"}
    bpy.ops.distillery.add_box()
    bpy.ops.mesh.select_all(action="INVERT")
    assert bpy.ops.distillery.set_anchors() == {"FINISHED"}
    bpy.ops.object.mode_set(mode="OBJECT")
    handle = settings.handles[0]
    assert tuple(handle.empty.location) == (0, 0, 1)
    box = settings.region_object
    assert tuple(box.scale) == pytest.approx((1.05, 1.05, 0.001), abs=1e-4)
    handle.empty.location.z = 3
    sent = gathered(addon, settings)["handles"].handles
    assert len(sent.vertices) == len(sent.anchors) == 4
    assert sent.targets[:, 2] == pytest.approx([3 / 3**0.5] * 4)
    bpy.ops.distillery.remove_handle(number=0)
    assert not settings.handles


def test_a_dropped_picture_is_chosen(addon, settings, tmp_path):
    image = bpy.data.images.new("p", 2, 2)
    image.filepath_raw, image.file_format = str(tmp_path / "p.png"), "PNG"
    image.save()
    bpy.data.images.remove(image)
    assert bpy.ops.distillery.use_image(filepath=str(tmp_path / "p.png")) == {"FINISHED"}
    assert settings.image.name == "p.png"


def test_what_is_not_chosen_is_said(addon, settings, cube):
    choose(settings, "picture")
    refused("Choose an image")
    bpy.context.view_layer.objects.active = None
    choose(settings, "recolor")
    refused("Choose the object to work on")
    settings.target = cube
    for source, complaint in (
        ("WORD", "Say which part"), ("BOX", "Choose the box"), ("MESH", "Choose the mesh"),
        ("GROUP", "Choose the vertex group of the region"),
    ):
        settings.region_source = source
        refused(complaint)
    settings.region_group = "gone"
    refused("has no vertex group gone")
    settings.region_source, settings.region_object = "BOX", cube
    refused("another object than the target")
    choose(settings, "bend")
    refused("Add a handle")
    handle = settings.handles.add()
    refused("vertex group of each handle")
    handle.group = "top"
    refused("the empty that the handle top goes to")
    handle.empty = empty()
    refused("the vertex group that stays")


def test_what_is_wrong_with_the_choice_is_said(addon, settings, cube):
    choose(settings, "recolor", target=cube, region_source="GROUP", region_group="nobody")
    refused("holds no vertices")
    assert addon.runtime.session.problem.hint == "Assign vertices to it, or paint weights."
    choose(settings, "recolor", region_source="FACES")
    for part in (cube.data.polygons, cube.data.edges, cube.data.vertices):
        part.foreach_set("select", np.zeros(len(part), bool))
    cube.data.update()
    refused("No face of Cube is selected")
    choose(settings, "recolor", region_source="BOX", region_object=empty("Away", (9, 0, 0)))
    refused("Nothing of the object lies in Away")
    settings.region_object = empty("Flat", scale=(1, 1, 0))
    refused("Flat is flat")
    bpy.ops.mesh.primitive_plane_add()
    choose(settings, "recolor", region_source="MESH", region_object=bpy.context.object)
    refused("is open")
    choose(settings, "bend", anchors="top")
    handle = settings.handles.add()
    handle.group, handle.empty = "top", empty()
    refused("share vertices")
    handle.group, settings.anchors = "bottom", "nobody"
    refused("nobody holds no vertices")


def test_what_is_wrong_with_the_object_is_said(addon, settings, cube, monkeypatch):
    choose(settings, "echo", target=cube)
    cube.scale.y = 0
    refused("scaled to nothing")
    cube.scale.y = 1
    cube.data.vertices[0].co.x = float("nan")
    refused("NaN or infinity")
    cube.data.vertices[0].co.x = -1
    monkeypatch.setattr(addon.module("addon.scene.sources"), "MOST_FACES", 100)
    cube.modifiers.new("s", "SUBSURF").levels = 3
    refused("768 faces; 100 are the most")
    cube.modifiers.clear()
    choose(settings, "bend", anchors="bottom")
    handle = settings.handles.add()
    handle.group, handle.empty = "top", empty()
    cube.shape_key_add(name="Basis")
    cube.data.shape_keys.use_relative = False
    refused("absolute shape keys")
    cube.data.clear_geometry()
    choose(settings, "echo")
    refused("has no faces")
    image = bpy.data.images.new("i", 1, 1)
    image.source, image.filepath = "FILE", "/nowhere.png"
    choose(settings, "picture", image=image)
    refused("has no pixels")
    assert not addon.runtime.session.jobs


def test_other_kinds_of_objects_are_told_to_be_converted(addon, settings):
    bpy.ops.curve.primitive_bezier_circle_add()
    choose(settings, "echo")
    refused("is not a mesh")


def test_what_is_chosen_is_drawn_over_the_scene(addon, settings, cube):
    overlay = addon.module("addon.ui.region_overlay")

    def drawn():
        return overlay.drawings(settings.chosen_recipe(), settings.choice(bpy.context))

    choose(settings, "recolor", target=cube, region_source="BOX", region_object=empty("Box"))
    assert [(kind, len(points)) for kind, points, _ in drawn()] == [("LINES", 24)]
    choose(settings, "recolor", region_source="GROUP", region_group="top")
    (kind, points, colors), = drawn()
    # The top, and the sides, on which it fades.
    assert (kind, len(points), colors.shape) == ("TRIS", 30, (30, 4))
    assert np.array_equal(colors[:, 3] > 0, points[:, 2] > 0)
    choose(settings, "bend", anchors="bottom")
    handle = settings.handles.add()
    handle.group, handle.empty = "top", empty()
    kinds = [(kind, len(points)) for kind, points, _ in drawn()]
    assert kinds == [("POINTS", 4), ("LINES", 2), ("POINTS", 1), ("POINTS", 4)]
    handle.group = "nobody"
    drawn()


def test_the_panel_shows_what_the_recipe_takes(addon, settings, cube):
    panels = addon.module("addon.ui.panels")
    from tests.blender.test_install import Stage

    def shown() -> set[str]:
        drawn: list[str] = []
        panels.DISTILLERY_PT_generate.draw(Stage(panels.DISTILLERY_PT_generate, drawn), bpy.context)
        return set(drawn)

    inputs = {"image", "target", "region_source", "anchors", "fit_frames", "size_meters"}
    expected = {
        "cube": {"size_meters"}, "picture": {"image", "size_meters"},
        "recolor": {"target", "region_source"}, "bend": {"target", "anchors"},
        "sway": {"target", "fit_frames"},
    }
    cube.modifiers.new("s", "SUBSURF")
    settings.handles.add()
    for recipe, names in expected.items():
        choose(settings, recipe)
        assert shown() & inputs == names, recipe
    for source in ("WORD", "BOX", "GROUP", "FACES", "MESH"):
        choose(settings, "recolor", region_source=source)
        shown()
