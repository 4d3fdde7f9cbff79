"""Given views laid beside wanted ones."""

import torch

from backend.pocket.data import draw_batch
from backend.pocket.examples import Levels, make_example
from backend.pocket.network import GENERATED, GIVEN
from backend.pocket.reprojection import BESIDE, reprojected
from backend.rendering.cameras import Cameras, orbit_cameras

FIRST = torch.tensor([[True, False]])


def pictures(views: int, sets: int = 1) -> torch.Tensor:
    """Smooth ones, so that resampling costs little."""
    y, x = torch.meshgrid(torch.linspace(0, 3, 64), torch.linspace(0, 2, 64), indexing="ij")
    planes = torch.stack([x.sin(), y.cos(), (x * y).sin(), (x - y).cos()])
    return planes * torch.rand(sets, views, 4, 1, 1, generator=torch.Generator().manual_seed(0))


def test_the_same_camera_and_one_beside_it_show_the_given_view_as_it_is() -> None:
    views = pictures(2)
    for azimuth in (30.0, 200.0):
        for elevation in (15.0, 90.0):
            cameras = orbit_cameras([30.0, azimuth], elevation, 2.5, 40.0, 64)
            found = reprojected(views, FIRST, cameras)[0, 1, :4]
            torch.testing.assert_close(found, views[0, 0], atol=2e-3, rtol=0)


def test_half_the_lens_shows_the_middle_at_twice_the_size() -> None:
    views = pictures(2)
    both = orbit_cameras([0.0, 90.0], 10.0, 2.5, 40.0, 64)
    cameras = Cameras(both.c2w, both.fov_degrees, 64, 64, torch.tensor([2.0, 1.0]))
    found = reprojected(views, FIRST, cameras)[0, 1, :4]
    middle = views[:, 0, :, 16:48, 16:48]
    large = torch.nn.functional.interpolate(middle, scale_factor=2.0, mode="bilinear")[0]
    torch.testing.assert_close(found[:, 2:-2, 2:-2], large[:, 2:-2, 2:-2], atol=2e-3, rtol=0)


def test_what_the_given_view_does_not_reach_is_zero() -> None:
    both = orbit_cameras([0.0, 0.0], 0.0, 2.5, 40.0, 64)
    cameras = Cameras(both.c2w, both.fov_degrees, 64, 64, torch.tensor([1.0, 2.0]))
    found = reprojected(torch.ones(1, 2, 4, 64, 64), FIRST, cameras)[0, 1, :4]
    assert (found[:, 17:47, 17:47] == 1).all() and (found[:, :15] == 0).all()


def test_the_nearest_of_several_given_views_counts_and_others_stay_empty() -> None:
    views = pictures(4, sets=2)
    given = torch.tensor([[True, True, False, False], [False] * 4])
    cameras = orbit_cameras([0.0, 180.0, 20.0, 170.0] * 2, 0.0, 2.5, 40.0, 64)
    found = reprojected(views, given, cameras)
    assert not found[1].any() and not found[0, :2].any()
    torch.testing.assert_close(found[0, 2, :4], views[0, 0], atol=2e-3, rtol=0)
    torch.testing.assert_close(found[0, 3, :4], views[0, 1], atol=2e-3, rtol=0)


def test_what_is_known_of_a_view_falls_with_the_angle_to_the_given_one() -> None:
    given = torch.tensor([[True, False, False, False], [False] * 4])
    cameras = orbit_cameras([0.0, 0.0, 90.0, 180.0] * 2, 0.0, 2.5, 40.0, 64)
    found = reprojected(pictures(4, sets=2), given, cameras)[:, :, 4]
    told = torch.tensor([[0.0, BESIDE, BESIDE / 2, 0.0], [0.0] * 4])
    torch.testing.assert_close(found, told[..., None, None].expand_as(found), atol=1e-5, rtol=0)


def test_examples_lay_given_views_beside_wanted_ones_where_cameras_are_known() -> None:
    batch = draw_batch(4, 0, "relative", 8)
    batch.camera_known[:] = [True, False]
    known = make_example(batch, 0, Levels()).inputs["known"]
    assert known.shape == (2, 4, 5, 64, 64) and not known[1].any()
    assert known[:, :, 4].min() == 0 and known[:, :, 4].max() <= BESIDE
    role = torch.from_numpy(batch.role[0])
    assert known[0, role == GENERATED].flatten(1).any(1).all() and not known[0, role == GIVEN].any()
