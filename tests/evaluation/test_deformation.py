"""Measures of deformed meshes, in closed form."""

import numpy as np
import pytest
import trimesh

from backend.evaluation.deformation import (
    as_rigid_as_possible,
    fold_overs,
    handle_error,
    inner_edges,
)
from protocol.assets import Handles, Mesh


def strip(squares: int = 4) -> Mesh:
    """A flat strip of squares along x, each cut in two."""
    x = np.arange(squares + 1, dtype=np.float32)
    positions = np.concatenate([np.stack([x, 0 * x + y, 0 * x], 1) for y in (0, 1)])
    i = np.arange(squares, dtype=np.int32)
    near, far = i, i + squares + 1
    faces = np.concatenate([
        np.stack([near, near + 1, far + 1], 1), np.stack([near, far + 1, far], 1)
    ])
    return Mesh(positions.astype(np.float32), faces.astype(np.int32))


def folded(mesh: Mesh, degrees: float) -> np.ndarray:
    """What lies beyond x = 2 turned about that line."""
    positions, angle = mesh.positions.copy(), np.radians(degrees)
    beyond = positions[:, 0] > 2
    reach = positions[beyond, 0] - 2
    positions[beyond, 0], positions[beyond, 2] = (
        2 + reach * np.cos(angle), reach * np.sin(angle)
    )
    return positions


def test_inner_edges_are_those_of_two_faces() -> None:
    assert len(inner_edges(strip().faces)) == 4 + 3
    box = trimesh.creation.box((1, 1, 1))
    assert len(inner_edges(np.asarray(box.faces, np.int32))) == 18


@pytest.mark.parametrize(("degrees", "folds"), [(0, 0), (90, 0), (119, 0), (121, 1), (180, 1)])
def test_one_edge_folds_over_past_120_degrees(degrees: float, folds: int) -> None:
    mesh = strip()
    assert fold_overs(mesh, folded(mesh, degrees)) == pytest.approx(folds / 7)


def test_what_was_folded_before_does_not_count() -> None:
    mesh = strip()
    bent = Mesh(folded(mesh, 170), mesh.faces)
    assert fold_overs(bent, bent.positions) == 0 and fold_overs(bent, mesh.positions) == 0


def test_the_handle_error_is_the_worst_in_longest_sides() -> None:
    mesh = strip()
    handles = Handles(np.int32([4, 9]), mesh.positions[[4, 9]] + np.float32([0, 0, 1]),
                      np.int32([0, 5]))
    assert handle_error(mesh, handles, mesh.positions) == pytest.approx(0.25)
    there = mesh.positions.copy()
    there[4, 2] = 1
    assert handle_error(mesh, handles, there) == pytest.approx(0.25)
    there[9, 2] = 1
    assert handle_error(mesh, handles, there) == 0


def test_arap_turns_a_rigid_thing_rigidly() -> None:
    ball = trimesh.creation.icosphere(2, 0.7)
    mesh = Mesh(np.asarray(ball.vertices, np.float32), np.asarray(ball.faces, np.int32))
    turned = mesh.positions @ np.float32([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    poles = np.argsort(mesh.positions[:, 2])[[0, -1]].astype(np.int32)
    pulled = np.setdiff1d(np.arange(0, len(mesh.positions), 7, dtype=np.int32), poles)
    found = as_rigid_as_possible(mesh, Handles(pulled, turned[pulled], poles))
    assert np.abs(found - turned).max() < 0.02
