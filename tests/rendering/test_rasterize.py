"""The rasterizer against rays and planes."""

import numpy as np
import pytest
import torch
import trimesh

from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.rasterize import interpolate, interpolate_corners, rasterize


def ball() -> tuple[torch.Tensor, torch.Tensor]:
    sphere = trimesh.creation.icosphere(subdivisions=4, radius=0.8)
    return torch.tensor(sphere.vertices).float(), torch.tensor(np.array(sphere.faces))


def orthographic(height: float) -> Cameras:
    cameras = orbit_cameras([30.0], 20.0, 3.0, 40.0, 64)
    return Cameras(cameras.c2w, cameras.fov_degrees, 64, 64, torch.tensor([height]))


PERSPECTIVE = orbit_cameras([0.0, 75.0], 25.0, 3.0, 40.0, 64)


@pytest.mark.parametrize("cameras", [PERSPECTIVE, orthographic(2.2)])
def test_a_ball_is_seen_where_rays_meet_it(cameras: Cameras) -> None:
    fragments = rasterize(*ball(), cameras)
    origins, directions = cameras.rays()
    along = -(origins * directions).sum(-1)
    miss = (origins + along[..., None] * directions).norm(dim=-1)
    inside, outside = miss < 0.79, miss > 0.81
    assert fragments.covered[inside].all() and not fragments.covered[outside].any()
    distance = along - (0.64 - miss**2).clamp_min(0).sqrt()
    points = origins + distance[..., None] * directions
    toward = points - cameras.positions[:, None, None]
    expected = (toward * -cameras.backward[:, None, None]).sum(-1)
    assert (fragments.depth - expected)[miss < 0.7].abs().max() < 0.01


@pytest.mark.parametrize("cameras", [PERSPECTIVE, orthographic(2.0)])
def test_interpolated_positions_lie_on_the_rays(cameras: Cameras) -> None:
    positions, faces = ball()
    fragments = rasterize(positions, faces, cameras)
    points = interpolate_corners(positions[faces], fragments)[fragments.covered]
    origins, directions = (part[fragments.covered] for part in cameras.rays())
    assert torch.linalg.cross(points - origins, directions).norm(dim=-1).max() < 1e-4


def test_the_nearest_triangle_wins_whatever_the_order() -> None:
    near = torch.tensor([[-1.0, -0.5, -1], [1, -0.5, -1], [0, -0.5, 1]])
    far = near + torch.tensor([0.0, 1.0, 0])
    cameras = orbit_cameras([0.0], 0.0, 4.0, 40.0, 32)
    faces = torch.tensor([[0, 1, 2], [3, 4, 5]])
    first = rasterize(torch.cat([near, far]), faces, cameras)
    second = rasterize(torch.cat([far, near]), faces, cameras)
    assert first.triangles[0, 16, 16] == 0 and second.triangles[0, 16, 16] == 1
    assert torch.equal(first.depth, second.depth)


def test_what_reaches_behind_the_camera_is_not_drawn() -> None:
    triangle = torch.tensor([[0.0, -10, 0], [1, 0, 0], [-1, 0, 1]])
    cameras = orbit_cameras([0.0], 0.0, 4.0, 40.0, 16)
    assert not rasterize(triangle, torch.tensor([[0, 1, 2]]), cameras).covered.any()


def test_gradients_reach_interpolated_values() -> None:
    positions, faces = ball()
    values = torch.rand(len(faces), 3, 2, requires_grad=True)
    fragments = rasterize(positions, faces, orbit_cameras([0.0], 0.0, 3.0, 40.0, 16))
    interpolate_corners(values, fragments).sum().backward()
    seen = fragments.triangles[fragments.covered].unique()
    assert values.grad is not None and (values.grad[seen].sum((1, 2)) > 0).all()
    assert float(values.grad.sum()) == pytest.approx(2 * int(fragments.covered.sum()), rel=1e-4)


def test_attributes_at_vertices_and_at_corners_blend_alike() -> None:
    positions, faces = ball()
    fragments = rasterize(positions, faces, PERSPECTIVE)
    values = torch.rand(len(positions), 3)
    at_corners = interpolate_corners(values[faces], fragments)
    assert torch.equal(interpolate(values, faces, fragments), at_corners)


@pytest.mark.parametrize("ortho_height", [None, torch.tensor([1.5, 2.0]).double()])
def test_interior_gradients_match_finite_differences(ortho_height: torch.Tensor | None) -> None:
    """Of attributes and depth, where no outline moves over a pixel center."""
    base = orbit_cameras([10.0, 200.0], 15.0, 3.0, 40.0, 6)
    cameras = Cameras(base.c2w.double(), base.fov_degrees.double(), 6, 6, ortho_height)
    faces = torch.tensor([[0, 1, 2]])
    positions = torch.tensor([[-9.0, 0.3, -6], [8, -0.5, -5], [0.4, 0.2, 9]]).double()
    values = torch.rand(3, 2, generator=torch.Generator().manual_seed(0)).double()

    def look(positions: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fragments = rasterize(positions, faces, cameras)
        assert fragments.covered.all()
        return interpolate(values, faces, fragments), fragments.depth

    start = (positions.requires_grad_(), values.requires_grad_())
    assert torch.autograd.gradcheck(look, start, eps=1e-6, atol=1e-6)
