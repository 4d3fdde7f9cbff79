"""Handles and anchors as a file says them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from backend.cli.handles import read_handles
from protocol.assets import Handles, Mesh
from protocol.errors import InputError

BALL = trimesh.creation.icosphere(2)
MESH = Mesh(np.array(BALL.vertices, np.float32), np.array(BALL.faces, np.int32))
FOOT = {"box": [1, 1, -0.5, -1, -1, -1]}


def read(folder: Path, told: Any) -> Handles:
    path = folder / "handles.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return read_handles(path, MESH).handles


def test_places_are_the_nearest_vertex_a_ball_a_box_or_numbers(tmp_path: Path) -> None:
    found = read(tmp_path, {
        "handles": [{"at": [0, 0, 5], "to": [0.5, 0, 2]}, {"vertices": [7, 9], "by": [0, 0.5, 0]}],
        "anchors": [FOOT, {"at": [1, 0, 0], "radius": 0.3}],
    })
    top = MESH.positions[:, 2].argmax()
    assert found.vertices.tolist() == [top, 7, 9]
    wanted = [[0.5, 0, 2], *(MESH.positions[[7, 9]] + np.float32([0, 0.5, 0]))]
    assert np.allclose(found.targets, wanted)
    low = MESH.positions[:, 2] <= -0.5
    right = np.linalg.norm(MESH.positions - np.float32([1, 0, 0]), axis=1) <= 0.3
    assert found.anchors.tolist() == np.flatnonzero(low | right).tolist()
    assert found.vertices.dtype == found.anchors.dtype == np.int32


def test_a_handle_of_many_vertices_keeps_its_shape(tmp_path: Path) -> None:
    found = read(tmp_path, {
        "handles": [{"at": [0, 0, 1], "radius": 0.5, "to": [0, 0, 3]}], "anchors": [FOOT],
    })
    moved = found.targets - MESH.positions[found.vertices]
    assert len(moved) > 5 and np.ptp(moved, axis=0).max() < 1e-6
    assert np.allclose(found.targets.mean(0), [0, 0, 3], atol=1e-6)


@pytest.mark.parametrize(("told", "code"), [
    ("no json", "handles_invalid"),
    ({"handles": []}, "handles_invalid"),
    ({"handles": [], "anchors": [FOOT]}, "handles_empty"),
    ({"handles": [{"at": [0, 0, 1]}], "anchors": [FOOT]}, "handle_without_target"),
    ({"handles": [{"at": [0, 0, 1], "to": [0, 0, 2]}], "anchors": []}, "anchors_empty"),
    ({"handles": [{"to": [0, 0, 2]}], "anchors": [FOOT]}, "handles_invalid"),
    ({"handles": [{"vertices": [400], "by": [0, 0, 1]}], "anchors": [FOOT]}, "handles_invalid"),
    ({"handles": [{"box": [5, 5, 5, 6, 6, 6], "by": [0, 0, 1]}], "anchors": [FOOT]},
     "handles_invalid"),
    ({"handles": [{"at": [0, 0, 1], "pull": [0, 0, 1]}], "anchors": [FOOT]}, "handles_invalid"),
])
def test_what_does_not_say_what_goes_where_is_refused(
    tmp_path: Path, told: Any, code: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, told)
    assert caught.value.problem.code == code and caught.value.problem.hint


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none.json"):
        read_handles(tmp_path / "none.json", MESH)
