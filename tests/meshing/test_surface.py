import numpy as np
import pytest
import trimesh

from backend.meshing.bake import rasterize_uvs
from backend.meshing.normals import vertex_normals
from backend.meshing.surface import extract_surface, mesh_volume, preview_mesh

from .shapes import CENTER, RADIUS, ball


@pytest.fixture(scope="module")
def mesh():
    return mesh_volume(ball(), resolution=48, texture_size=256, faces=2000)


def test_the_mesh_is_closed_outward_within_budget_and_the_ball(mesh):
    solid = trimesh.Trimesh(mesh.positions, mesh.faces, process=False)
    mesh.check()
    assert solid.is_watertight
    assert len(mesh.faces) <= 2000
    assert solid.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.05)
    outward = (mesh.positions - CENTER.numpy()) / RADIUS
    facing = (mesh.normals * outward).sum(1)
    # The density is a step, so that the surface has the stairs of the grid.
    assert facing.min() > 0.3
    assert facing.mean() > 0.93


def test_the_texture_has_each_color_on_its_side(mesh):
    pixels = mesh.material.base_color_map.pixels
    owner, weights = rasterize_uvs(mesh.uvs, 256)
    inside = owner >= 0
    points = (mesh.positions[mesh.faces[owner[inside]]] * weights[inside][..., None]).sum(1)
    side = points[:, 0] - CENTER[0].item()
    colors = pixels[inside].astype(int)
    assert (np.abs(colors[side > 0.03] - [255, 0, 0]).max(0) < 10).all()
    assert (np.abs(colors[side < -0.03] - [0, 0, 255]).max(0) < 10).all()


def test_the_preview_is_coarse_closed_and_colored():
    preview = preview_mesh(ball())
    assert trimesh.Trimesh(preview.positions, preview.faces, process=False).is_watertight
    assert preview.uvs is None
    colors, side = preview.attributes["color"].values, preview.positions[:, 0] - CENTER[0].item()
    assert (colors[side > 0.1] == [1, 0, 0, 1]).all()
    assert (colors[side < -0.1] == [0, 0, 1, 1]).all()


def test_a_given_threshold_is_used():
    small, large = (
        extract_surface(lambda p: 10 * (-8 * p.norm(dim=-1)).exp(), 48, 5000, threshold)
        for threshold in (2.0, 0.5)
    )
    assert np.linalg.norm(small.positions, axis=1).mean() == pytest.approx(0.201, abs=0.01)
    assert np.linalg.norm(large.positions, axis=1).mean() == pytest.approx(0.374, abs=0.01)


def test_vertex_normals_of_a_sphere():
    sphere = trimesh.creation.icosphere(subdivisions=3)
    normals = vertex_normals(sphere.vertices.astype(np.float32), sphere.faces.astype(np.int32))
    assert np.allclose(normals, sphere.vertices, atol=0.03)
