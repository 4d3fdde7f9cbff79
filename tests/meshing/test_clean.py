import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.meshing.clean import clean_level, make_manifold, orient_outward
from backend.meshing.isosurface import level_field, march


def level_of(*balls):
    axis = np.linspace(-1, 1, 40)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    inside = np.zeros(points.shape[:3])
    for center, radius, value in balls:
        inside[np.linalg.norm(points - center, axis=-1) < radius] = value
    return level_field(inside.astype(np.float32), 0.5)


def test_floaters_go_and_parts_of_some_size_stay():
    big, half, dust = ((-0.4, 0, 0), 0.4, 1), ((0.5, 0.5, 0), 0.2, 1), ((0.5, -0.5, 0), 0.08, 1)
    cleaned = clean_level(level_of(big, half, dust))
    mesh = trimesh.Trimesh(*march(cleaned), process=False)
    assert len(mesh.split()) == 2
    assert mesh.bounds[0][1] > -0.45


def test_hidden_hollows_are_filled_and_open_ones_are_not():
    hollow = clean_level(level_of(((0, 0, 0), 0.6, 1), ((0, 0, 0), 0.3, 0)))
    assert trimesh.Trimesh(*march(hollow), process=False).body_count == 1
    dented = level_of(((0, 0, 0), 0.6, 1), ((0.5, 0, 0), 0.3, 0))
    assert np.array_equal(clean_level(dented), dented)


def test_an_empty_level_field_passes():
    level = np.full((5, 5, 5), -1.0, np.float32)
    assert np.array_equal(clean_level(level), level)


def test_degenerate_and_back_to_back_triangles_go():
    box = trimesh.creation.box()
    faces = np.concatenate([box.faces, [[0, 0, 1], [1, 2, 5], [2, 1, 5]]]).astype(np.int32)
    positions, left = make_manifold(box.vertices.astype(np.float32), faces)
    mesh = trimesh.Trimesh(positions, left, process=False)
    assert len(left) == 12
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(1.0)


def test_boxes_that_touch_at_an_edge_are_parted():
    a, b = trimesh.creation.box(), trimesh.creation.box()
    b.apply_translation([1, 1, 0])
    merged = trimesh.util.concatenate([a, b])
    merged.merge_vertices()
    assert not merged.is_watertight
    positions, faces = make_manifold(
        merged.vertices.astype(np.float32), merged.faces.astype(np.int32)
    )
    mesh = trimesh.Trimesh(positions, faces, process=False)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(2.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), cells=st.integers(3, 6))
def test_any_voxel_shape_becomes_a_closed_surface_of_the_same_volume(seed, cells):
    rng = np.random.default_rng(seed)
    level = level_field(rng.random((cells, cells, cells)).astype(np.float32), 0.5)
    positions, faces = march(level)
    if len(faces) == 0:
        return
    before = trimesh.Trimesh(positions, faces, process=False)
    before.merge_vertices()
    after = trimesh.Trimesh(*make_manifold(positions, faces), process=False)
    assert after.is_watertight
    assert after.is_winding_consistent
    assert after.volume == pytest.approx(before.volume, rel=1e-4, abs=1e-6)


def test_inward_faces_are_turned():
    ball = trimesh.creation.icosphere()
    inward = ball.faces[:, ::-1].astype(np.int32)
    turned = orient_outward(ball.vertices.astype(np.float32), inward)
    assert trimesh.Trimesh(ball.vertices, turned, process=False).volume > 0
    assert np.array_equal(orient_outward(ball.vertices.astype(np.float32), turned), turned)
