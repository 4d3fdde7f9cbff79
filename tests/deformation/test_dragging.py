"""Following handles without a prior, and the cameras that see where they go."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from backend.deformation.dragging import follow_handles, four_cameras
from backend.deformation.fields import DeformedMesh, JacobianField
from backend.deformation.handles import Drag
from backend.distillation.views import azimuth_degrees
from backend.studio import Studio
from protocol.assets import Asset

from .shapes import ellipsoid, pull

MESH = ellipsoid()


def test_handles_arrive_however_few_the_steps(tmp_path: Path) -> None:
    drag = Drag.of(MESH, pull(MESH))
    mesh = DeformedMesh(MESH, JacobianField(drag, MESH.faces))
    studio = Studio(tmp_path / "job", tmp_path / "cache", 0, lambda capability: None, {})
    seen = list(follow_handles(mesh, drag, 5, 1e-3, lambda: Asset("preview"), studio))
    assert [progress.stage for progress in seen] == ["follow handles"] * 5
    assert drag.error(mesh.field()) < 1e-12
    after = mesh.to_mesh().positions
    assert np.array_equal(after[drag.fixed], MESH.positions[drag.fixed])


def test_four_cameras_see_the_object_and_where_it_goes() -> None:
    near = Drag.of(MESH, pull(MESH))
    far = Drag.of(MESH, replace(pull(MESH), targets=np.float32([[0, 0, 3]])))
    cameras, farther = four_cameras(near, 32), four_cameras(far, 32)
    assert azimuth_degrees(cameras).round().remainder(360).tolist() == [0, 90, 180, 270]
    distances = [c.positions.norm(dim=-1) for c in (cameras, farther)]
    assert torch.allclose(distances[1] / distances[0], torch.tensor(3.0), rtol=1e-4)
