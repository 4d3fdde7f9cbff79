import numpy as np
import pytest
import trimesh

from backend.meshing.simplify import simplify


@pytest.mark.parametrize("budget", [800, 2000, 4000])
def test_within_budget_closed_and_of_the_same_shape(budget):
    # Two rings through each other and a thin rod: collapses fold the thin part.
    rings = [trimesh.creation.torus(0.5, 0.15), trimesh.creation.cylinder(0.02, 1.8)]
    mesh = trimesh.util.concatenate(rings)
    mesh = trimesh.Trimesh(*trimesh.remesh.subdivide(mesh.vertices, mesh.faces))
    positions, faces = simplify(
        mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32), budget
    )
    fewer = trimesh.Trimesh(positions, faces, process=False)
    assert len(faces) <= budget
    assert fewer.is_watertight
    assert fewer.is_winding_consistent
    assert fewer.volume == pytest.approx(mesh.volume, rel=0.1)
    assert np.allclose(fewer.bounds, mesh.bounds, atol=0.05)


def test_a_mesh_within_budget_is_left_alone():
    box = trimesh.creation.box()
    positions, faces = box.vertices.astype(np.float32), box.faces.astype(np.int32)
    same = simplify(positions, faces, 12)
    assert same[0] is positions
    assert same[1] is faces
