import numpy as np
import pytest
import trimesh

from backend.meshing.isosurface import level_field, march, sample_density
from backend.meshing.smooth import smooth


def test_stairs_go_and_the_volume_stays():
    # Density as a step: its surface has the stairs of the grid.
    grid = sample_density(lambda points: (points.norm(dim=-1) < 0.6).float(), 48)
    positions, faces = march(level_field(grid, 0.5))
    before = trimesh.Trimesh(positions, faces, process=False)
    after = trimesh.Trimesh(smooth(positions, faces), faces, process=False)
    radii = [np.linalg.norm(mesh.vertices, axis=1) for mesh in (before, after)]
    assert radii[1].std() < 0.8 * radii[0].std()
    facing = [(m.face_normals * m.triangles_center).sum(1) / 0.6 for m in (before, after)]
    assert facing[1].min() > 0.8 > facing[0].min()
    assert after.volume == pytest.approx(before.volume, rel=0.02)


def test_a_thin_rod_keeps_its_width():
    rod = trimesh.creation.capsule(height=1.0, radius=0.05, count=[24, 24])
    rod = trimesh.Trimesh(*trimesh.remesh.subdivide(rod.vertices, rod.faces))
    rod.merge_vertices()
    after = rod.copy()
    after.vertices = smooth(rod.vertices.astype(np.float32), rod.faces.astype(np.int32))
    assert after.volume == pytest.approx(rod.volume, rel=0.05)
