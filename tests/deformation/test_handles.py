"""Bad meshes and handles are refused before anything runs, with a hint."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.deformation import handles as module
from backend.deformation.handles import Drag
from protocol.assets import Handles, Mesh
from protocol.errors import InputError

from .shapes import ellipsoid, pull

MESH = ellipsoid()
HANDLES = pull(MESH)


def refused(mesh: Mesh, handles: Handles) -> str:
    with pytest.raises(InputError) as caught:
        Drag.of(mesh, handles)
    assert caught.value.problem.hint
    return caught.value.problem.code


def joined(first: Mesh, second: Mesh) -> Mesh:
    """Both as separate parts of one mesh."""
    return Mesh(
        np.concatenate([first.positions, second.positions]),
        np.concatenate([first.faces, second.faces + len(first.positions)]).astype(np.int32),
    )


def test_what_is_pulled_and_what_stays() -> None:
    drag = Drag.of(MESH, HANDLES)
    assert drag.box == pytest.approx(1.6)
    moved = drag.rest.clone()
    distance = float(np.linalg.norm(HANDLES.targets - MESH.positions[HANDLES.vertices]))
    assert float(drag.loss(moved)) == pytest.approx(distance**2, rel=1e-6)
    assert drag.error(moved) == pytest.approx(distance / 1.6, rel=1e-6)
    moved[drag.pulled] = drag.targets
    assert drag.error(moved) == 0 and float(drag.loss(moved)) == 0


def test_vertices_in_no_face_stay() -> None:
    lonely = replace(MESH, positions=np.concatenate([MESH.positions, [[0, 0, 1]]]).astype("f4"))
    assert len(MESH.positions) in Drag.of(lonely, HANDLES).fixed
    on_it = replace(HANDLES, vertices=np.array([len(MESH.positions)], np.int32))
    assert refused(lonely, on_it) == "handle_loose"


def test_a_part_without_anchor() -> None:
    assert refused(joined(MESH, MESH), HANDLES) == "component_unanchored"
    both = np.append(HANDLES.anchors, len(MESH.positions)).astype(np.int32)
    Drag.of(joined(MESH, MESH), replace(HANDLES, anchors=both))


def test_faces_without_area() -> None:
    mesh = ellipsoid()
    a, b, c = mesh.faces[10]
    mesh.positions[c] = (mesh.positions[a] + mesh.positions[b]) / 2
    assert refused(mesh, HANDLES) == "mesh_zero_area"
    mesh.positions[c] = mesh.positions[a]
    assert refused(mesh, HANDLES) == "mesh_zero_area"


def test_small_meshes_are_not_thin_ones() -> None:
    tiny = replace(MESH, positions=MESH.positions * np.float32(1e-4))
    Drag.of(tiny, replace(HANDLES, targets=HANDLES.targets * np.float32(1e-4)))


def test_an_edge_of_three_faces() -> None:
    a, b = MESH.faces[0, :2]
    fin = np.concatenate([MESH.faces, [[a, b, len(MESH.positions)]]]).astype(np.int32)
    positions = np.concatenate([MESH.positions, MESH.positions[[a]] * 2])
    assert refused(Mesh(positions, fin), HANDLES) == "mesh_non_manifold"


def test_ten_million_faces_are_refused_at_once() -> None:
    huge = replace(MESH, faces=np.broadcast_to(MESH.faces[:1], (10_000_000, 3)))
    assert refused(huge, HANDLES) == "mesh_too_large"
    assert module.MOST_FACES < 10_000_000


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"vertices": np.zeros(0, np.int32), "targets": np.zeros((0, 3), "f4")}, "handles_empty"),
        ({"targets": np.full((1, 3), np.nan, np.float32)}, "handle_without_target"),
        ({"targets": np.zeros((2, 3), np.float32)}, "handle_without_target"),
        ({"anchors": np.zeros(0, np.int32)}, "anchors_empty"),
        ({"anchors": HANDLES.vertices}, "handle_is_anchor"),
        ({"vertices": np.array([5000], np.int32)}, "handle_index"),
        ({"vertices": np.repeat(HANDLES.vertices, 2), "targets": np.zeros((2, 3), "f4")},
         "handle_twice"),
    ],
)
def test_handles_that_cannot_be_followed(changed: dict, code: str) -> None:
    assert refused(MESH, replace(HANDLES, **changed)) == code


def test_other_faults_of_a_mesh_are_told_as_everywhere() -> None:
    broken = replace(MESH, positions=np.full_like(MESH.positions, np.nan))
    assert refused(broken, HANDLES) == "mesh_not_finite"
    assert torch.isfinite(Drag.of(MESH, HANDLES).rest).all()
