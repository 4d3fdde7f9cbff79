"""Finding a new thing in a picture, and putting it where it belongs."""

import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.editing.insertion import (
    Alignment,
    Similarity,
    align_depth,
    appeared,
    cut_out,
    inner,
    stand,
)
from backend.rendering.cameras import orbit_cameras
from backend.representations.gaussians import Gaussians
from backend.representations.mesh import MeshRepresentation
from protocol.assets import Mesh
from protocol.errors import InputError


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=25, deadline=None)
@given(slope=st.floats(0.2, 4.0), offset=st.floats(-2.0, 2.0), seed=st.integers(0, 99))
def test_a_line_of_depths_is_recovered(slope: float, offset: float, seed: int) -> None:
    estimated = 3 + 0.3 * randn(16, 16, seed=seed).clamp(-2, 2)
    thing = torch.zeros(16, 16, dtype=torch.bool)
    thing[:4] = True
    known = ~thing
    rendered = slope * estimated.double() + offset
    rendered[thing] = 99.0  # what stands there in space is behind the thing
    found = align_depth(estimated.double(), rendered, known, thing)
    assert found == pytest.approx((slope, offset), abs=1e-6)


def test_far_pixels_do_not_count() -> None:
    estimated = torch.full((8, 8), 2.0)
    estimated[4:] = 2 + 0.1 * torch.arange(32.0).reshape(4, 8)
    thing = torch.zeros(8, 8, dtype=torch.bool)
    thing[0] = True
    rendered = 2 * estimated
    rendered[estimated >= 4.0] = 0.0  # beyond twice the thing's depth
    found = align_depth(estimated, rendered, ~thing, thing)
    assert found == pytest.approx((2.0, 0.0), abs=1e-5)


def test_too_few_pixels_give_an_offset_and_none_the_estimate() -> None:
    estimated, thing = torch.full((4, 4), 3.0), torch.zeros(4, 4, dtype=torch.bool)
    thing[0] = True
    known = torch.zeros_like(thing)
    assert align_depth(estimated, estimated + 1, known, thing) == Alignment(1.0, 0.0)
    known[3, :2] = True
    assert align_depth(estimated, estimated + 1, known, thing) == Alignment(1.0, 1.0)
    upside_down = 3 + torch.arange(16.0).reshape(4, 4) / 50
    found = align_depth(upside_down, 6 - upside_down, torch.ones_like(thing), thing)
    assert found.slope == 1.0


def test_the_largest_change_in_the_hole_is_the_thing() -> None:
    before, hole = torch.full((24, 24, 4), 0.5), torch.zeros(24, 24)
    before[..., 3] = 0
    hole[2:20, 2:20] = 1
    after = before.clone()
    for rows, columns in ((slice(5, 11), slice(6, 13)), (slice(15, 17), slice(15, 17))):
        after[rows, columns] = torch.tensor([0.1, 0.2, 0.9, 1.0])
    after[22:, :] = 1.0  # outside of the hole
    found = appeared(before, after, hole)
    wanted = torch.zeros(24, 24, dtype=torch.bool)
    wanted[5:11, 6:13] = True
    assert torch.equal(found, wanted)
    alone = cut_out(after, found)
    assert alone.pixels.shape == (256, 256, 4)
    solid = alone.pixels[alone.pixels[..., 3] > 250]
    assert np.abs(solid[:, :3].mean(0) / 255 - [0.1, 0.2, 0.9]).max() < 0.03


def test_nothing_new_is_said() -> None:
    same = torch.rand(16, 16, 3)
    with pytest.raises(InputError) as caught:
        appeared(same, same + 0.01, torch.ones(16, 16))
    assert caught.value.problem.code == "nothing_added"


def ball(radius: float = 1.0, center: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=radius)
    return Mesh((sphere.vertices + center).astype(np.float32), sphere.faces.astype(np.int32))


@pytest.mark.parametrize("azimuth", [0.0, 70.0, -150.0])
def test_a_lifted_ball_comes_to_stand_where_it_was_seen(azimuth: float) -> None:
    """Its picture is taken of a ball of another size, from anywhere."""
    truth = ball(0.2, (0.15, -0.25, 0.3))
    camera = orbit_cameras([azimuth], 20.0, 3.5, 40.0, 192)
    seen = MeshRepresentation(truth).render(camera, want=frozenset({"alpha", "depth"}))
    mask = seen.alpha[0, ..., 0] > 0.5
    lifted = stand(ball(0.8), camera, azimuth, mask, seen.depth[0, ..., 0].detach())
    placed = lifted.mesh(ball(0.8))
    assert np.abs(placed.positions.mean(0) - truth.positions.mean(0)).max() < 0.02
    assert lifted.scale == pytest.approx(0.25, rel=0.08)


def test_what_faced_the_picture_faces_the_camera() -> None:
    camera = orbit_cameras([90.0], 0.0, 3.5, 40.0, 96)
    cone = trimesh.creation.cone(radius=0.5, height=1.0)
    cone.apply_transform(trimesh.geometry.align_vectors([0, 0, 1], [0, -1, 0]))
    mesh = Mesh(cone.vertices.astype(np.float32), cone.faces.astype(np.int32))
    mask = torch.zeros(96, 96, dtype=torch.bool)
    mask[40:56, 40:56] = True
    placed = stand(mesh, camera, 90.0, mask, torch.full((96, 96), 3.5)).mesh(mesh)
    tip = placed.positions[mesh.positions[:, 1].argmin()]
    to_camera = camera.positions[0].numpy() / 3.5
    others = placed.positions @ to_camera
    assert tip @ to_camera == pytest.approx(others.max(), abs=1e-4)


def test_gaussians_move_as_the_mesh_does() -> None:
    """Covariances and centers; colors and opacities keep their bits."""
    gaussians = Gaussians(
        randn(20, 3), randn(20, 4, seed=1), torch.rand(20, 3) * 0.1 + 0.01, torch.rand(20),
        torch.rand(20, 3),
    )
    angle = torch.tensor(0.7, dtype=torch.float64)
    turn = torch.tensor(
        [[angle.cos(), -angle.sin(), 0], [angle.sin(), angle.cos(), 0], [0, 0, 1]]
    ).double()
    moves = Similarity(0.4, turn, torch.tensor([0.1, 0.2, -0.3], dtype=torch.float64))
    moved = moves.gaussians(gaussians)
    assert torch.allclose(
        moved.means, (0.4 * gaussians.means @ turn.float().T + torch.tensor([0.1, 0.2, -0.3])),
        atol=1e-6,
    )
    before, after = (_covariances(each) for each in (gaussians, moved))
    assert torch.allclose(after, 0.16 * turn.float() @ before @ turn.float().T, atol=1e-6)
    assert torch.equal(moved.colors, gaussians.colors)
    assert torch.equal(moved.opacities, gaussians.opacities)


def _covariances(gaussians: Gaussians) -> torch.Tensor:
    from backend.rendering.splatting.projection import rotation_matrices

    axes = rotation_matrices(gaussians.quats) * gaussians.scales.exp()[:, None]
    return axes @ axes.transpose(1, 2)


def test_borders_are_left_out() -> None:
    mask = torch.zeros(40, 40, dtype=torch.bool)
    mask[5:30, 8:20] = True
    wanted = torch.zeros_like(mask)
    wanted[7:28, 10:18] = True
    assert torch.equal(inner(mask), wanted)
