"""The space of a region: its own shape, or a box around what it chooses."""

import numpy as np
import pytest
import trimesh

from backend.regions.inside import inside_box, inside_mesh
from backend.regions.space import GROWN, box_mesh, space_of
from protocol.assets import Mesh, Region


def ball() -> Mesh:
    sphere = trimesh.creation.icosphere(subdivisions=2)
    return Mesh(sphere.vertices.astype(np.float32), sphere.faces.astype(np.int32))


def test_a_box_becomes_the_closed_mesh_of_its_points() -> None:
    box = np.array(
        [[0.2, 0.3, 0, 0.1], [-0.3, 0.2, 0, 0], [0, 0, 0.5, -0.2], [0, 0, 0, 1]], np.float32
    )
    points = np.random.default_rng(0).uniform(-1, 1, (2000, 3)).astype(np.float32)
    found = inside_mesh(box_mesh(box), points)
    assert np.array_equal(found, inside_box(box, points)) and found.any()
    solid = trimesh.Trimesh(box_mesh(box).positions, box_mesh(box).faces)
    assert solid.is_watertight and solid.volume > 0


def test_a_selection_is_in_a_larger_box_around_it() -> None:
    mesh = ball()
    top = mesh.positions[:, 2] > 0.5
    space = space_of(Region(vertices=top.astype(np.float32)), mesh)
    low, high = mesh.positions[top].min(0), mesh.positions[top].max(0)
    assert np.allclose(np.ptp(space.positions, 0), GROWN * (high - low), atol=1e-5)
    assert np.allclose(space.positions.mean(0), (low + high) / 2, atol=1e-5)
    faces = top[mesh.faces].all(1)
    again = space_of(Region(faces=faces), mesh)
    assert np.allclose(again.positions, space.positions, atol=1e-5)


def test_a_flat_selection_has_some_depth() -> None:
    flat = Mesh(
        np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32), np.array([[0, 1, 2]], np.int32)
    )
    space = space_of(Region(faces=np.ones(1, bool)), flat)
    assert np.ptp(space.positions[:, 2]) > 0.1


def test_a_mesh_is_itself_and_a_word_is_no_place() -> None:
    mesh = ball()
    assert space_of(Region(mesh=mesh), mesh) is mesh
    with pytest.raises(ValueError, match="locate it first"):
        space_of(Region(word="hat"), mesh)
