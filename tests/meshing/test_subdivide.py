"""Subdivision keeps the surface, its first vertices, and where everything came from."""

import numpy as np
import pytest
import trimesh

from backend.meshing.subdivide import subdivide


@pytest.mark.parametrize("longest", [0.1, 0.3, 0.7])
def test_a_box_keeps_its_shape_and_is_watertight(longest: float) -> None:
    box = trimesh.creation.box((1.0, 0.6, 0.2))
    fine = subdivide(box.vertices.astype(np.float32), box.faces, longest)
    mesh = trimesh.Trimesh(fine.positions, fine.faces, process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert mesh.volume == pytest.approx(box.volume, rel=1e-5)
    assert mesh.edges_unique_length.max() <= longest + 1e-6
    assert np.array_equal(fine.positions[:8], box.vertices.astype(np.float32))


def test_every_vertex_knows_where_it_stands_on_the_original() -> None:
    ball = trimesh.creation.icosphere(subdivisions=1)
    fine = subdivide(ball.vertices.astype(np.float32), ball.faces, 0.2)
    corners = ball.vertices[ball.faces[fine.parents]]
    assert np.allclose((corners * fine.shares[..., None]).sum(1), fine.positions, atol=1e-6)
    assert np.allclose(fine.shares.sum(1), 1)


def test_a_fine_mesh_stays_and_the_number_of_faces_is_held() -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    same = subdivide(ball.vertices.astype(np.float32), ball.faces, 1.0)
    assert np.array_equal(same.faces, ball.faces)
    held = subdivide(ball.vertices.astype(np.float32), ball.faces, 1e-3, most=2000)
    assert 2000 <= len(held.faces) <= 8000
