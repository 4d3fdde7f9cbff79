import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.rendering.cameras import Cameras, framing_radius, look_at, orbit_cameras


@settings(max_examples=25, deadline=None)
@given(
    azimuth=st.floats(-360, 360),
    elevation=st.floats(-89, 89),
    fov=st.floats(10, 100),
    width=st.integers(1, 9),
    ortho=st.floats(0, 3),
)
def test_projecting_a_point_of_a_ray_gives_its_pixel(azimuth, elevation, fov, width, ortho):
    cameras = orbit_cameras([azimuth], elevation, 2.5, fov, 7, width)
    cameras = Cameras(cameras.c2w, cameras.fov_degrees, 7, width, torch.tensor([ortho]))
    rays = cameras.rays()
    points = (rays.origins + 1.7 * rays.directions).reshape(-1, 3)
    if 0 < ortho < 0.1:
        return  # a pixel then is as small as the rounding of a position
    pixels, depth = cameras.project(points)
    rows, columns = torch.meshgrid(torch.arange(7) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    expected = torch.stack([columns, rows], -1).reshape(-1, 2)
    assert torch.allclose(pixels[0], expected, atol=2e-3)
    axial = -(rays.directions.reshape(-1, 3) @ cameras.backward[0])
    assert torch.allclose(depth[0], 1.7 * axial, atol=1e-4)


def test_points_of_their_own_project_as_shared_ones_do():
    cameras = orbit_cameras([0.0, 70.0], 20.0, 2.5, 40.0, 8)
    points = torch.linspace(-1, 1, 12).view(4, 3)
    shared, depth = cameras.project(points)
    own, own_depth = cameras.project(torch.stack([points, points.flip(0)]))
    assert torch.equal(own[0], shared[0]) and torch.equal(own[1], shared[1].flip(0))
    assert torch.equal(own_depth[1], depth[1].flip(0))


def test_azimuth_zero_is_in_front_and_grows_counter_clockwise():
    positions = orbit_cameras([0.0, 90.0], 0.0, 2.0, 40.0, 4).positions
    assert torch.allclose(positions, torch.tensor([[0.0, -2, 0], [2, 0, 0]]), atol=1e-6)


def test_row_zero_is_at_the_top_and_column_zero_at_the_left():
    directions = orbit_cameras([0.0], 0.0, 2.0, 40.0, 8).rays().directions[0]
    assert directions[0, 4, 2] > 0 > directions[7, 4, 2]
    assert directions[4, 0, 0] < 0 < directions[4, 7, 0]


def test_vertical_field_of_view_spans_the_height():
    directions = orbit_cameras([0.0], 0.0, 2.0, 60.0, 400, 3).rays().directions[0, :, 1]
    angle = torch.acos((directions[0] * directions[-1]).sum()).rad2deg()
    assert angle.item() == pytest.approx(60.0, abs=0.3)


def test_orthographic_rays_are_parallel_and_cover_the_height():
    cameras = orbit_cameras([30.0], 20.0, 2.0, 40.0, 8)
    cameras = Cameras(cameras.c2w, cameras.fov_degrees, 8, 8, torch.tensor([1.6]))
    origins, directions = cameras.rays()
    assert torch.allclose(directions, -cameras.backward.expand_as(directions), atol=1e-6)
    assert (origins[0, 0, 0] - origins[0, 7, 0]).norm().item() == pytest.approx(1.4, abs=1e-5)


@pytest.mark.parametrize("height", [3.0, -3.0])
def test_looking_straight_down_or_up_is_a_rotation_with_the_front_at_a_fixed_side(height):
    c2w = look_at(torch.tensor([[0.0, 0, height]]), torch.zeros(1, 3))
    rotation = c2w[0, :3, :3]
    assert torch.allclose(rotation @ rotation.T, torch.eye(3), atol=1e-6)
    assert torch.linalg.det(rotation).item() == pytest.approx(1.0)
    pixels, _ = Cameras(c2w, torch.tensor([40.0]), 8, 8).project(torch.tensor([[0.0, -0.5, 0]]))
    bottom = 4 + 0.5 / 3 / torch.tensor(20.0).deg2rad().tan() * 4
    side = bottom if height > 0 else 8 - bottom
    assert torch.allclose(pixels[0, 0], torch.stack([torch.tensor(4.0), side]), atol=1e-4)


def test_overhead_agrees_with_the_limit_of_high_elevations():
    near, at = (orbit_cameras([0.0], e, 2.0, 40.0, 4).c2w for e in (89.9, 90.0))
    assert torch.allclose(near, at, atol=5e-3)


def test_views_coincide_with_a_camera_of_their_pose_and_lens():
    views = orbit_cameras([0.0, 45.0, 0.0, 360.0], 10.0, 3.0, 40.0, 32)
    seen = views.coincide(orbit_cameras([0.0], 10.0, 3.0, 40.0, 64))
    assert seen.tolist() == [True, False, True, True]
    assert not views.coincide(orbit_cameras([0.0], 10.0, 3.0, 30.0, 64)).any()
    flat = orbit_cameras([0.0], 10.0, 3.0, 0.0, 64).orthographic(2.0)
    assert not views.coincide(flat).any()
    assert views.orthographic(2.0).coincide(flat).tolist() == [True, False, True, True]
    assert not views.orthographic(1.0).coincide(flat).any()


def test_framing_radius_makes_the_ball_fill_the_frame():
    fov = torch.tensor([25.0, 60.0])
    distance = framing_radius(fov, 0.8)
    silhouette = (1 / distance).asin().tan() / (fov.deg2rad() / 2).tan()
    assert torch.allclose(silhouette, torch.tensor(0.8))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="c2w"):
        Cameras(torch.eye(4), torch.tensor([40.0]), 4, 4)
