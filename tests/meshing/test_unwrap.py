import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import trimesh

from backend.meshing import unwrap as unwrapping
from backend.meshing.bake import rasterize_uvs
from backend.meshing.unwrap import split_faces, unwrap
from protocol.errors import DistilleryError

run = subprocess.run


def test_uvs_lie_in_the_square_and_charts_do_not_overlap():
    ball = trimesh.creation.icosphere(subdivisions=4)
    uvs = unwrap(ball.vertices.astype(np.float32), ball.faces.astype(np.int32), 256)
    assert uvs.shape == (len(ball.faces), 3, 2)
    assert uvs.min() >= 0
    assert uvs.max() <= 1
    a, b = uvs[:, 1] - uvs[:, 0], uvs[:, 2] - uvs[:, 0]
    area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / 2
    covered = (rasterize_uvs(uvs, 2048)[0] >= 0).mean()
    # The sum of the triangles' areas is the area they cover together, but for the charts' rims.
    assert area <= covered <= area * 1.2
    assert area > 0.4


def test_triangles_keep_their_shape():
    ball = trimesh.creation.icosphere(subdivisions=3)
    uvs = unwrap(ball.vertices.astype(np.float32), ball.faces.astype(np.int32), 256)
    corners = ball.vertices[ball.faces]
    ratio = [
        np.linalg.norm(x[:, 1] - x[:, 0], axis=1) / np.linalg.norm(x[:, 2] - x[:, 1], axis=1)
        for x in (uvs, corners)
    ]
    assert np.median(np.abs(np.log(ratio[0] / ratio[1]))) < 0.1


def test_parts_hold_every_face_once():
    ball = trimesh.creation.icosphere(subdivisions=3)
    parts = split_faces(ball.vertices.astype(np.float32), ball.faces.astype(np.int32), 100)
    assert max(map(len, parts)) <= 100
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(ball.faces)))


class Processes:
    """In place of subprocess.run; the ``first`` ones run another program."""

    def __init__(self, first: int, program: str) -> None:
        self.began, self.first, self.program = 0, first, program

    def __call__(self, command: list[str], **rest: Any) -> Any:
        self.began += 1
        if self.began <= self.first:
            command, rest["timeout"] = [sys.executable, "-c", self.program], 0.5
        return run(command, **rest)


BALL = trimesh.creation.icosphere(subdivisions=1)
POSITIONS, FACES = BALL.vertices.astype(np.float32), BALL.faces.astype(np.int32)
HANG = "import time; time.sleep(60)"


def test_one_that_never_ends_is_ended_and_begun_anew(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subprocess, "run", processes := Processes(1, HANG))
    assert unwrap(POSITIONS, FACES, 64).shape == (len(FACES), 3, 2)
    assert processes.began == 2


@pytest.mark.parametrize(
    ("program", "began"), [(HANG, unwrapping.ATTEMPTS), ("raise SystemExit(3)", 1)]
)
def test_no_uvs_is_an_error_that_says_what_to_do(
    program: str, began: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(subprocess, "run", processes := Processes(9, program))
    with pytest.raises(DistilleryError, match="Smart UV Project") as failure:
        unwrap(POSITIONS, FACES, 64)
    assert failure.value.problem.code == "unwrap_failed"
    assert processes.began == began


def test_an_environment_without_settings_of_python_will_do(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in os.environ if name.startswith("PYTHON")]:
        monkeypatch.delenv(name)
    assert unwrap(POSITIONS, FACES, 64).shape == (len(FACES), 3, 2)
