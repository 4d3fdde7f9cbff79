"""Assets into Blender's data: what arrives is what was sent."""

import bpy
import numpy as np
import pytest


@pytest.fixture
def assets(addon):
    return addon.module("protocol.assets")


@pytest.fixture
def meshes(addon):
    return addon.module("addon.scene.meshes")


@pytest.fixture
def images(addon):
    return addon.module("addon.scene.images")


@pytest.fixture
def materials(addon):
    return addon.module("addon.scene.materials")


def tetrahedron(assets, **words):
    positions = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 2]], np.float32)
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int32)
    return assets.Mesh(positions, faces, **words)


def read(attribute, key: str, width: int) -> np.ndarray:
    values = np.empty(len(attribute.data) * width, np.float32)
    attribute.data.foreach_get(key, values)
    return values.reshape(-1, width)


def test_points_faces_and_edges_arrive(assets, meshes):
    sent = tetrahedron(assets)
    got = meshes.create_mesh("t", sent)
    assert np.array_equal(read(got.attributes["position"], "vector", 3), sent.positions)
    assert [tuple(face.vertices) for face in got.polygons] == [tuple(f) for f in sent.faces]
    assert len(got.edges) == 6
    assert not got.validate(verbose=True)


def test_faces_point_outward(assets, meshes):
    got = meshes.create_mesh("t", tetrahedron(assets))
    middle = np.array([0.25, 0.25, 0.5])
    for face in got.polygons:
        assert np.dot(face.normal, np.array(face.center) - middle) > 0


def test_uvs_normals_and_attributes_arrive(assets, meshes):
    rng = np.random.default_rng(0)
    uvs = rng.random((4, 3, 2)).astype(np.float32)
    normals = rng.normal(size=(4, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    extra = {
        "weight": assets.Attribute("point", rng.random(4).astype(np.float32)),
        "part": assets.Attribute("face", rng.random((4, 3)).astype(np.float32)),
        "color": assets.Attribute("point", np.full((4, 4), 0.5, np.float32)),
    }
    got = meshes.create_mesh("t", tetrahedron(assets, uvs=uvs, normals=normals, attributes=extra))
    assert np.array_equal(read(got.attributes["UVMap"], "vector", 2), uvs.reshape(-1, 2))
    assert np.array_equal(read(got.attributes["weight"], "value", 1)[:, 0], extra["weight"].values)
    assert np.array_equal(read(got.attributes["part"], "vector", 3), extra["part"].values)
    assert got.attributes["part"].domain == "FACE"
    # 0.5 in sRGB is 0.2140 in linear light.
    color = read(got.attributes["color"], "color", 4)[0]
    assert color == pytest.approx([0.214, 0.214, 0.214, 0.5], abs=1e-4)
    corner_normals = np.array([corner.vector for corner in got.corner_normals])
    corners = np.array([corner.vertex_index for corner in got.loops])
    assert corner_normals == pytest.approx(normals[corners], abs=1e-3)


def test_faces_that_use_a_point_twice_are_left_out(assets, meshes):
    parts = assets.Attribute("face", np.arange(4, dtype=np.float32))
    corners = assets.Attribute("corner", np.arange(12, dtype=np.float32))
    sent = tetrahedron(assets, uvs=np.zeros((4, 3, 2), np.float32),
                       attributes={"part": parts, "c": corners})
    sent.faces[1] = (0, 0, 3)
    got = meshes.create_mesh("t", sent)
    assert len(got.polygons) == 3
    assert read(got.attributes["part"], "value", 1)[:, 0].tolist() == [0, 2, 3]
    assert read(got.attributes["c"], "value", 1)[:, 0].tolist() == [0, 1, 2, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda mesh: setattr(mesh, "faces", mesh.faces[:0]), "no faces"),
        (lambda mesh: mesh.positions.__setitem__((0, 0), np.inf), "NaN or infinity"),
        (lambda mesh: mesh.faces.__setitem__((0, 0), 4), "vertices it does not have"),
        (lambda mesh: mesh.faces.__setitem__((0, 0), -1), "vertices it does not have"),
    ],
)
def test_what_would_crash_blender_is_refused(addon, assets, meshes, spoil, complaint):
    mesh = tetrahedron(assets)
    spoil(mesh)
    before = len(bpy.data.meshes)
    with pytest.raises(addon.module("protocol.errors").InputError, match=complaint):
        meshes.create_mesh("t", mesh)
    assert len(bpy.data.meshes) == before


def test_placed_is_centered_on_the_ground_and_keeps_its_shape(meshes):
    positions = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    placed = meshes.placed_positions(positions, 3.0)
    low, high = placed.min(axis=0), placed.max(axis=0)
    assert (high - low).max() == pytest.approx(3, rel=1e-5)
    assert (low + high)[:2] == pytest.approx([0, 0], abs=1e-5)
    assert low[2] == 0
    ratio = np.ptp(placed, axis=0) / np.ptp(positions, axis=0)
    assert ratio == pytest.approx(ratio[0], rel=1e-5)


def test_srgb_to_linear_at_known_points(meshes):
    assert meshes.srgb_to_linear(np.array([0, 0.04045, 0.5, 1])) == pytest.approx(
        [0, 0.0031308, 0.2140411, 1], abs=1e-6)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_packed_pixels_are_the_sent_ones(assets, images, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    if channels == 4:
        pixels[..., 3] = 255
    got = images.pack_image("p", assets.Image(pixels))
    assert got.packed_file is not None
    assert tuple(got.size) == (7, 5)
    seen = np.array(got.pixels[:]).reshape(5, 7, 4)[::-1]
    expected = np.repeat(pixels, 3, axis=2) if channels == 1 else pixels
    assert seen[..., :3] * 255 == pytest.approx(expected[..., :3], abs=1e-3)
    assert got.colorspace_settings.name == "sRGB"


def test_data_maps_are_not_color(assets, images):
    pixels = np.zeros((4, 4, 3), np.uint8)
    assert images.pack_image("n", assets.Image(pixels, color=False)).colorspace_settings.name == (
        "Non-Color")


def test_packed_images_survive_saving(assets, images, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    got = images.pack_image("kept", assets.Image(pixels))
    got.use_fake_user = True
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    seen = np.array(bpy.data.images["kept"].pixels[:]).reshape(8, 8, 4)[::-1, :, :3]
    assert seen * 255 == pytest.approx(pixels, abs=1e-3)


def test_a_strip_of_views_is_folded_into_rows(assets, images):
    strip = np.concatenate([np.full((2, 2, 3), value, np.uint8) for value in (1, 2, 3, 4)], axis=1)
    folded = images.folded(assets.Image(strip)).pixels
    assert folded[::2, ::2, 0].tolist() == [[1, 2], [3, 4]]
    assert folded.shape == (4, 4, 3)
    wide = assets.Image(np.zeros((2, 7, 3), np.uint8))
    assert images.folded(wide) is wide


def test_a_material_is_principled_with_its_maps(assets, materials):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    gray = np.full((4, 4, 1), 128, np.uint8)
    got = materials.create_material("m", assets.Material(
        metallic=0.25, base_color_map=assets.Image(red),
        roughness_map=assets.Image(gray, color=False), normal_map=assets.Image(red, color=False),
    ))
    shader = next(node for node in got.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    linked = {link.to_socket.name: link.from_node for link in got.node_tree.links
              if link.to_node == shader}
    assert set(linked) == {"Base Color", "Roughness", "Normal"}
    assert linked["Normal"].type == "NORMAL_MAP"
    assert linked["Roughness"].image.colorspace_settings.name == "Non-Color"
    assert shader.inputs["Metallic"].default_value == 0.25
    assert got.node_tree.nodes.active == linked["Base Color"]


def test_solid_mode_shows_the_mean_of_the_texture(assets, materials):
    half = np.zeros((4, 4, 4), np.uint8)
    half[:2] = (255, 128, 0, 255)
    got = materials.create_material("m", assets.Material(base_color_map=assets.Image(half)))
    assert tuple(got.diffuse_color) == pytest.approx((1, 0.21586, 0, 1), abs=1e-4)


def test_vertex_colors_are_used_where_there_is_no_map(assets, materials):
    got = materials.create_material("m", assets.Material(), "color")
    node = next(node for node in got.node_tree.nodes if node.type == "VERTEX_COLOR")
    assert node.layer_name == "color"
    assert node.outputs["Color"].links[0].to_socket.name == "Base Color"


def test_the_growing_shape_is_lit_and_stands_where_the_result_will(addon, assets):
    placement = addon.module("addon.core.jobs").Placement(4.0, (1.0, 2.0, 3.0))
    corners, colors = addon.module("addon.ui.overlay").shaded_triangles(
        tetrahedron(assets), placement)
    assert corners.shape == (12, 3)
    assert corners.min(axis=0) == pytest.approx([0, 1, 3])
    assert np.ptp(corners, axis=0) == pytest.approx([2, 2, 4])
    assert colors.shape == (12, 4)
    below, front = colors[0], colors[3]
    assert front[0] > below[0]
    assert (colors[:, 3] == 1).all()


@pytest.fixture
def some_splats(assets):
    rng = np.random.default_rng(1)
    quats = rng.normal(size=(6, 4)).astype(np.float32)
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    values = [rng.random(shape).astype(np.float32) for shape in ((6, 3), (6, 3), 6, (6, 3))]
    return assets.Splats(values[0], quats, values[1] * 0.1, values[2], values[3])


def test_splats_arrive_as_points_with_all_their_attributes(addon, some_splats):
    splats = addon.module("addon.scene.splats")
    created = splats.create_splats("s", some_splats, 2.0, np.array([0.5, 0, 0], np.float32))
    data = created.data
    places = read(data.attributes["position"], "vector", 3)
    assert np.allclose(places, 2 * (some_splats.means - [0.5, 0, 0]), atol=1e-6)
    assert np.allclose(read(data.attributes["scale"], "vector", 3), 2 * some_splats.scales)
    assert np.array_equal(read(data.attributes["rotation"], "value", 4), some_splats.quats)
    assert np.array_equal(read(data.attributes["opacity"], "value", 1)[:, 0], some_splats.opacities)
    linear = addon.module("addon.scene.meshes").srgb_to_linear(some_splats.colors)
    assert np.array_equal(read(data.attributes["color"], "color", 4)[:, :3], linear)


def test_splats_are_shown_as_ellipsoids_turned_and_stretched(addon, some_splats):
    splats = addon.module("addon.scene.splats")
    created = splats.create_splats("s", some_splats, 1.0, np.zeros(3, np.float32))
    again = splats.create_splats("t", some_splats, 1.0, np.zeros(3, np.float32))
    assert created.modifiers[0].node_group == again.modifiers[0].node_group
    bpy.context.collection.objects.link(created)
    graph = bpy.context.evaluated_depsgraph_get()
    shown = [np.array(i.matrix_world) for i in graph.object_instances if i.is_instance]
    assert len(shown) == 6
    for matrix, row in zip(shown, range(6)):
        w, *v = some_splats.quats[row].astype(float)
        cross = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
        turn = np.eye(3) + 2 * w * cross + 2 * cross @ cross
        assert np.allclose(matrix[:3, 3], some_splats.means[row], atol=1e-5)
        assert np.allclose(matrix[:3, :3], turn * some_splats.scales[row], atol=1e-5)


def test_splats_stand_beside_their_mesh_and_as_large(addon, assets, some_splats):
    objects = addon.module("addon.scene.objects")
    placement = addon.module("addon.core.jobs").Placement(3.0, (1.0, 2.0, 0.0), "Scene")
    asset = assets.Asset("thing", mesh=tetrahedron(assets), splats=some_splats)
    created = objects.add_asset(asset, placement, bpy.context.collection, "job")
    beside = bpy.data.objects["thing splats"]
    assert created.name == "thing" and beside["distillery_job"] == "job"
    assert beside.location[0] > created.location[0] + 3.0
    places = read(beside.data.attributes["position"], "vector", 3)
    assert np.allclose(places, 1.5 * (some_splats.means - [0.5, 0.5, 0]), atol=1e-5)


def test_splats_alone_move_by_their_motion_and_never_to_nowhere(addon, assets, some_splats):
    objects, jobs = addon.module("addon.scene.objects"), addon.module("addon.core.jobs")
    positions = some_splats.means + np.float32([[[0, 0, 0]], [[0, 0, 1]]])
    asset = assets.Asset("dust", splats=some_splats, motion=assets.Motion(positions, 1.0))
    created = objects.add_asset(asset, jobs.Placement(), bpy.context.collection)
    read_key = addon.module("addon.scene.shape_keys").read_key
    rest, first, last = map(read_key, created.data.shape_keys.key_blocks)
    assert np.array_equal(rest, first) and (last - rest).min(axis=0)[2] > 0
    assert np.ptp(last - rest, axis=0).max() < 1e-5
    positions[1, 0, 0] = np.nan
    before = len(bpy.data.objects)
    with pytest.raises(addon.module("protocol.errors").InputError, match="NaN"):
        objects.add_asset(asset, jobs.Placement(), bpy.context.collection)
    assert len(bpy.data.objects) == before


def test_splats_that_are_none_or_nowhere_are_refused(addon, some_splats):
    splats = addon.module("addon.scene.splats")
    some_splats.means[2, 1] = np.nan
    with pytest.raises(addon.module("protocol.errors").InputError, match="nowhere"):
        splats.create_splats("s", some_splats, 1.0, np.zeros(3, np.float32))
    assert "s" not in bpy.data.objects and "s" not in bpy.data.meshes
