import json
import struct

import numpy as np
import PIL.Image
import pytest
import trimesh

from backend.meshing.export import export
from protocol.assets import Asset, Attribute, Image, Material, Mesh, Motion, Splats, View
from protocol.errors import InputError


@pytest.fixture
def asset():
    """A textured wedge, longest along z and shortest along x, red in the lower half."""
    box = trimesh.creation.box([0.2, 0.4, 1.0])
    faces = box.faces.astype(np.int32)
    heights = box.vertices[faces][..., 2]
    uvs = np.stack([np.full_like(heights, 0.5), heights + 0.5], -1).astype(np.float32)
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[8:, :, 0] = 255
    colors = np.tile(np.float32([0.2, 0.4, 0.6, 1]), (len(box.vertices), 1))
    mesh = Mesh(
        box.vertices.astype(np.float32),
        faces,
        uvs=uvs,
        normals=box.vertex_normals.astype("f4"),
        attributes={"color": Attribute("point", colors)},
        material=Material(base_color_map=Image(pixels), roughness=0.3),
    )
    return Asset("a red / wedge", mesh=mesh, contact_sheet=Image(np.zeros((4, 8, 3), np.uint8)))


def test_files_have_the_names_of_the_asset(asset, tmp_path):
    paths = export(asset, tmp_path / "new")
    assert all(path.exists() for path in paths)
    names = {path.name for path in paths}
    assert {"a_red_wedge.glb", "a_red_wedge.obj", "a_red_wedge.mtl", "a_red_wedge.ply"} <= names
    assert "a_red_wedge_views.png" in names


@pytest.mark.parametrize("form", ["glb", "obj"])
def test_gltf_and_obj_stand_y_up_with_texture(asset, tmp_path, form):
    path = export(asset, tmp_path, [form])[0]
    mesh = trimesh.load(path, force="mesh", process=False)
    assert np.allclose(np.ptp(mesh.bounds, axis=0), [0.2, 1.0, 0.4], atol=1e-5)
    assert mesh.volume == pytest.approx(0.08, rel=1e-4)
    material = mesh.visual.material
    picture = np.asarray(material.baseColorTexture if form == "glb" else material.image)
    low = mesh.vertices[:, 1] < 0
    rows = ((1 - mesh.visual.uv[:, 1]) * 15.99).astype(int)
    assert (picture[rows[low], 8, 0] == 255).all()
    assert (picture[rows[~low], 8, 0] == 0).all()


def test_the_front_becomes_plus_z(asset, tmp_path):
    asset.mesh.positions = asset.mesh.positions + np.float32([0, -3, 0])
    mesh = trimesh.load(export(asset, tmp_path, ["glb"])[0], force="mesh")
    assert mesh.bounds[:, 2].min() > 2


def test_the_material_keeps_its_factors(asset, tmp_path):
    mesh = trimesh.load(export(asset, tmp_path, ["glb"])[0], force="mesh")
    assert mesh.visual.material.roughnessFactor == pytest.approx(0.3)
    assert mesh.visual.material.metallicFactor == 0


def test_ply_stays_z_up_with_vertex_colors(asset, tmp_path):
    mesh = trimesh.load(export(asset, tmp_path, ["ply"])[0], process=False)
    assert np.allclose(np.ptp(mesh.bounds, axis=0), [0.2, 0.4, 1.0], atol=1e-5)
    assert (mesh.visual.vertex_colors == [51, 102, 153, 255]).all()


def test_two_assets_in_one_folder_keep_their_textures(asset, tmp_path):
    first = export(asset, tmp_path, ["obj"])
    asset.name = "another"
    assert not {path.name for path in first} & {p.name for p in export(asset, tmp_path, ["obj"])}


def test_an_unknown_format_is_refused(asset, tmp_path):
    with pytest.raises(InputError, match="fbx"):
        export(asset, tmp_path, ["fbx"])


def test_splats_are_written_as_their_viewers_read_them(tmp_path):
    rng = np.random.default_rng(0)
    means, scales, colors = (rng.random((5, 3)).astype(np.float32) + 0.01 for _ in range(3))
    quats, opacities = rng.normal(size=(5, 4)).astype(np.float32), np.float32([0.1, 0.5, 0.9, 0, 1])
    (path,) = export(Asset("s", splats=Splats(means, quats, scales, opacities, colors)), tmp_path)
    header, _, body = path.read_bytes().partition(b"end_header\n")
    names = [line.split()[-1] for line in header.decode().splitlines() if "property" in line]
    rows = np.frombuffer(body, "<f4").reshape(5, len(names))
    read = dict(zip(names, rows.T))
    assert np.array_equal(rows[:, :3], means) and np.array_equal(rows[:, -4:], quats)
    assert np.allclose(np.exp(read["scale_1"]), scales[:, 1], rtol=1e-5)
    assert np.allclose(1 / (1 + np.exp(-read["opacity"])), opacities, atol=1e-5)
    assert np.allclose(0.5 + 0.28209479 * read["f_dc_2"], colors[:, 2], atol=1e-6)
    assert np.isfinite(rows).all() and path.name == "s_splats.ply"
    assert len(trimesh.load(path).vertices) == 5


def test_views_are_pictures_and_cameras(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (4, 6, 3), np.uint8)
    pose = np.eye(4, dtype=np.float32)
    views = [View(pose, 40.0, Image(pixels)), View(2 * pose, 0.0)]
    paths = export(Asset("mug", views=views), tmp_path, ["glb"])
    assert {path.name for path in paths} == {"mug_cameras.json", "mug_view_00.png"}
    assert np.array_equal(np.asarray(PIL.Image.open(tmp_path / "mug_view_00.png")), pixels)
    first, second = json.loads((tmp_path / "mug_cameras.json").read_text())
    assert first["fov_degrees"] == 40 and first["picture"] == "mug_view_00.png"
    assert second["camera_to_world"][0][0] == 2 and "picture" not in second


def test_a_motion_is_a_point_cache_in_the_order_of_the_ply(asset, tmp_path):
    still = asset.mesh.positions
    positions = np.stack([still, still + np.float32(0.25), still * np.float32(2)])
    asset.motion = Motion(positions, 12.0)
    paths = export(asset, tmp_path, ("glb",))
    assert {"a_red_wedge.ply", "a_red_wedge.pc2"} <= {path.name for path in paths}
    data = (tmp_path / "a_red_wedge.pc2").read_bytes()
    assert struct.unpack("<12siiffi", data[:32]) == (
        b"POINTCACHE2\0", 1, len(still), 0.0, 1.0, 3
    )
    assert np.array_equal(np.frombuffer(data[32:], "<f4").reshape(positions.shape), positions)
    ply = trimesh.load(tmp_path / "a_red_wedge.ply", process=False)
    assert np.array_equal(ply.vertices.astype(np.float32), still)
