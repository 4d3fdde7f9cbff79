"""Fields of a shape: what they hold, how they follow a handle, and the mesh that they give."""

import numpy as np
import torch

from backend.deformation.fields import DeformedMesh, JacobianField, VertexField
from backend.deformation.handles import Drag
from backend.rendering.cameras import orbit_cameras

from .shapes import ellipsoid, pull

MESH = ellipsoid()
DRAG = Drag.of(MESH, pull(MESH))


def followed(field: torch.nn.Module, steps: int) -> torch.Tensor:
    """The shape after ``steps`` of Adam on the handles alone."""
    optimizer = torch.optim.Adam(field.parameters(), 1e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        DRAG.loss(field()).backward()
        optimizer.step()
    return field().detach()


def roughness(positions: torch.Tensor) -> float:
    """The largest change of an edge's length, as a share of it."""
    edges = np.stack([MESH.faces, np.roll(MESH.faces, -1, 1)], -1).reshape(-1, 2)
    before, after = (
        np.linalg.norm(shape[edges[:, 0]] - shape[edges[:, 1]], axis=1)
        for shape in (DRAG.rest.numpy(), positions.numpy())
    )
    return float(np.abs(after / before - 1).max())


def test_both_begin_at_rest_and_hold_the_anchors() -> None:
    for field in (JacobianField(DRAG, MESH.faces), VertexField(DRAG, MESH.faces)):
        assert torch.allclose(field().detach(), DRAG.rest, atol=1e-9)
        moved = followed(field, 20)
        assert torch.equal(moved[DRAG.fixed], DRAG.rest[DRAG.fixed])


def test_jacobians_bend_where_vertices_tear() -> None:
    bent = followed(JacobianField(DRAG, MESH.faces), 400)
    torn = followed(VertexField(DRAG, MESH.faces), 400)
    assert DRAG.error(bent) < 0.005 and DRAG.error(torn) < 0.02
    assert roughness(bent) < 0.5 * roughness(torn)


def test_settling_takes_handles_to_their_targets_and_changes_little_else() -> None:
    bent = JacobianField(DRAG, MESH.faces)
    before = followed(bent, 150)  # not there yet
    bent.settle()
    after = bent().detach()
    assert DRAG.error(before) > 0.005 and DRAG.error(after) < 1e-12
    assert torch.equal(after[DRAG.fixed], DRAG.rest[DRAG.fixed])
    left = (before[DRAG.pulled] - DRAG.targets).norm()
    assert (after - before).norm(dim=-1).max() <= left * (1 + 1e-9)  # a maximum principle
    arrived = bent.jacobians.clone()
    bent.settle()
    assert torch.allclose(bent.jacobians, arrived, atol=1e-12)
    torn = VertexField(DRAG, MESH.faces)
    torn.settle()
    assert DRAG.error(torn()) == 0 and torch.equal(torn()[DRAG.fixed], DRAG.rest[DRAG.fixed])


def test_a_deformed_mesh_keeps_all_but_positions_and_its_state_comes_back() -> None:
    thing = DeformedMesh(MESH, JacobianField(DRAG, MESH.faces))
    kept = thing.state()
    with torch.no_grad():
        thing.field.jacobians.mul_(1.1)
    bigger = thing.to_mesh()
    assert bigger.faces is MESH.faces and bigger.attributes is MESH.attributes
    assert np.ptp(bigger.positions[:, 2]) > np.ptp(MESH.positions[:, 2])
    thing.load_state(kept)
    assert np.abs(thing.to_mesh().positions - MESH.positions).max() < 1e-6


def test_a_render_is_of_the_shape_now_and_reaches_the_jacobians() -> None:
    thing = DeformedMesh(MESH, JacobianField(DRAG, MESH.faces))
    cameras = orbit_cameras([0.0], 0.0, 3.0, 50.0, 24)
    before = thing.render(cameras).alpha.detach().sum()
    (jacobians,) = thing.parameter_groups()["shape"]
    with torch.no_grad():
        jacobians.mul_(0.8)
    shown = thing.render(cameras).alpha
    shown.sum().backward()
    assert shown.sum() < before
    assert jacobians.grad.isfinite().all() and jacobians.grad.abs().sum() > 0
    assert thing.colors.grad is None
