"""Views of scenes: what is told of them, and what they show."""

import numpy as np
import pytest

from backend.multiview.images import OBJECT_FILL
from backend.multiview.rigs import FILL
from backend.pocket.data.batches import Sample
from backend.pocket.data.mixture import draw_batch
from backend.pocket.data.pictures import nearness_planes, turned_z
from backend.pocket.data.shots import ORTHOGRAPHIC_AZIMUTHS, Shot, draw_orthographic, draw_rig
from backend.pocket.data.views import (
    PICTURE_FILL,
    SIX_FILL,
    draw_free,
    draw_joint,
    draw_pictured,
    draw_relative,
    draw_rigged,
    draw_single,
    draw_six,
    draw_surfaces,
)
from backend.pocket.network import COLOR, DEPTH, GENERATED, GIVEN, NORMAL
from backend.pocket.render import render_views
from backend.pocket.world import build
from backend.pocket.world.captions import VIEWS
from backend.pocket.world.vocabulary import read


@pytest.fixture(scope="module")
def singles() -> list[Sample]:
    rng = np.random.default_rng(1)
    return [draw_single(rng, False) for _ in range(160)]


def test_shapes_and_ranges() -> None:
    batch = draw_batch(0, 0, "joint", 12)
    assert batch.images.shape == (3, 4, 4, 64, 64) and batch.images.dtype == np.float32
    assert batch.images.min() >= -1 and batch.images.max() <= 1 + 1e-6
    assert batch.c2w.shape == (3, 4, 4, 4) and batch.fov_degrees.shape == (3, 4)
    assert batch.views == 12


def test_single_views_name_their_side_half_of_the_time(singles: list[Sample]) -> None:
    named = np.mean([any(view in sample.caption for view in VIEWS) for sample in singles])
    assert 0.35 < named < 0.65
    without_color = np.mean([not read(sample.caption).colors for sample in singles])
    assert 0.1 < without_color < 0.35  # white ones, bare materials, and some more
    assert 0.12 < 1 - np.mean([sample.alpha_known for sample in singles]) < 0.4
    assert 0.65 < np.mean([sample.camera_known for sample in singles]) < 0.92


def test_alpha_and_gray(singles: list[Sample]) -> None:
    for sample in singles[:40]:
        color, alpha = sample.images[0, :3], sample.images[0, 3]
        if sample.alpha_known[0]:
            np.testing.assert_allclose(color[:, alpha == -1], 0, atol=1e-6)
            assert (alpha == -1).any()
        else:
            assert (alpha == 1).all()


def test_joint_sets_name_no_view_and_are_given_one_or_two_half_of_the_time() -> None:
    rng = np.random.default_rng(2)
    samples = [draw_joint(rng, False) for _ in range(40)]
    assert not any(view in sample.caption for view in VIEWS for sample in samples)
    counts = [int((sample.role == GIVEN).sum()) for sample in samples]
    assert set(counts) == {0, 1, 2} and 0.25 < np.mean([count == 0 for count in counts]) < 0.75


def test_rings_and_free_cameras_with_any_number_given() -> None:
    rng = np.random.default_rng(3)
    rigs = [draw_rigged(rng, False) for _ in range(8)]
    assert all(len({shot.elevation for shot in sample.shots}) == 1 for sample in rigs)
    steps = [np.diff([shot.azimuth for shot in sample.shots]) % 360 / 22.5 for sample in rigs]
    np.testing.assert_allclose(np.concatenate(steps), np.concatenate(steps).round(), atol=1e-9)
    free = [draw_free(rng, False) for _ in range(12)]
    assert len({int((sample.role == GIVEN).sum()) for sample in free}) == 4
    assert all(len({shot.fov for shot in sample.shots}) == 4 for sample in free)


def test_around_a_given_view_the_frame_is_mostly_that_of_the_view() -> None:
    rng = np.random.default_rng(4)
    samples = [draw_relative(rng, False) for _ in range(40)]
    assert all(sample.role.tolist() == [GIVEN] + [GENERATED] * 3 for sample in samples)
    own = [abs(sample.shots[0].azimuth) < 1e-9 for sample in samples]
    assert 0.5 < np.mean(own) < 0.9
    assert 0.5 < np.mean([sample.caption == "" for sample in samples]) < 0.9
    assert any(not sample.alpha_known[0] and sample.alpha_known[1:].all() for sample in samples)


def test_some_wanted_views_are_the_given_one_and_some_lie_near() -> None:
    rng = np.random.default_rng(6)
    samples = [draw_relative(rng, False) for _ in range(30)]
    pairs = [(s, i) for s in samples for i in (1, 2, 3)]
    same = [(s, i) for s, i in pairs if s.shots[i] == s.shots[0]]
    assert 3 < len(same) < len(pairs) / 3
    assert all(np.array_equal(s.images[i, 3], s.images[0, 3]) for s, i in same if s.alpha_known[0])
    turns = [abs((s.shots[i].azimuth - s.shots[0].azimuth + 180) % 360 - 180) for s, i in pairs]
    assert 0.3 < np.mean(np.array(turns) < 45) < 0.8


def test_domains_show_the_same_views() -> None:
    rng = np.random.default_rng(5)
    samples = [draw_surfaces(rng, False) for _ in range(12)]
    for sample in samples:
        first, second = sample.domain[0], sample.domain[4]
        assert sample.domain.tolist() == [first] * 4 + [second] * 4 and first < second
        assert sample.shots[:4] == sample.shots[4:]
        np.testing.assert_array_equal(sample.images[:4, 3], sample.images[4:, 3])
    assert {(s.domain[0], s.domain[4]) for s in samples} >= {(COLOR, NORMAL), (NORMAL, DEPTH)}


def test_normals_turn_with_the_frame() -> None:
    """Turning camera and thing alike leaves a picture of normals in the turned frame."""
    normals = np.array([[0.0, -1, 0]], np.float32)
    np.testing.assert_allclose(turned_z(normals, 90), [[1, 0, 0]], atol=1e-6)


def test_nearness_is_the_coordinate_toward_the_camera() -> None:
    shot = Shot(0.0, 0.0, 40.0, 1.0)
    found = render_views(build("apple", "red", 0), [shot.view()])
    planes = nearness_planes(found["rgba"], found["depth"], [shot.view()])[0]
    full = found["rgba"][0, ..., 3] == 1
    toward = -found["coordinates"][0, ..., 1]  # the camera stands at -y
    np.testing.assert_allclose(planes[0][full], toward[full], atol=0.02)
    assert (planes[0][found["rgba"][0, ..., 3] == 0] == 0).all()


def test_rigs_are_mostly_evenly_spaced_at_one_elevation() -> None:
    rng = np.random.default_rng(0)
    even = 0
    for _ in range(200):
        shots = draw_rig(rng, 4)
        azimuths = np.array([shot.azimuth for shot in shots])
        steps = (np.roll(azimuths, -1) - azimuths) % 360
        even += bool(np.allclose(steps, 90)) and len({shot.elevation for shot in shots}) == 1
        assert all(-20 <= s.elevation <= 90 and 15 <= s.fov <= 70 for s in shots)
        assert all(0.7 <= s.fill <= 1.2 for s in shots)
    assert 160 < even < 190


def test_the_six_orthographic_views_stand_as_wonder3d_has_them_from_the_front_on_or_anywhere(
) -> None:
    level = 0
    for seed in range(40):
        shots = draw_orthographic(np.random.default_rng(seed))
        steps = [(shot.azimuth - shots[0].azimuth) % 360 for shot in shots]
        assert np.allclose(steps, [0, 45, 90, 180, 270, 315])
        assert all(shot.orthographic and shot.elevation == shots[0].elevation for shot in shots)
        level += shots[0].elevation == 0 and shots[0].azimuth == 0
    assert 10 < level < 30


def test_a_picture_and_its_six_views_are_in_the_frame_of_the_picture() -> None:
    """An orthographic picture is the first of the six; its normals there are of the same pixels."""
    samples = [draw_six(np.random.default_rng(seed), False) for seed in range(12)]
    flat = [s for s in samples if s.shots[0].orthographic]
    assert 0 < len(flat) < len(samples)
    for sample in samples:
        assert [shot.azimuth for shot in sample.shots[:2]] == [0, 0]
        assert (sample.role == GIVEN).tolist() == [True] + [False] * 12
        assert sample.domain.tolist() == [COLOR] * 7 + [NORMAL] * 6
        assert sample.shots[1:7] == sample.shots[7:]
    for sample in flat:
        np.testing.assert_array_equal(sample.images[0], sample.images[1])
        np.testing.assert_array_equal(sample.images[1, 3], sample.images[7, 3])


def test_pictured_objects_stand_where_recipes_suppose_them() -> None:
    """Centered, three quarters of the frame; views beside the front are turned by one angle."""
    assert (SIX_FILL, PICTURE_FILL) == (FILL, OBJECT_FILL)
    samples = [draw_pictured(np.random.default_rng(seed), False) for seed in range(16)]
    for sample in samples:
        solid = sample.images[0, 3] > 0
        rows, columns = (np.flatnonzero(solid.any(axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(0.75 * 64, abs=2)
        assert all(found[0] + found[-1] == pytest.approx(63, abs=2) for found in (rows, columns))
        azimuths = np.array([shot.azimuth for shot in sample.shots[1:7]])
        assert azimuths[0] == 0 and np.ptp(azimuths[1:] - ORTHOGRAPHIC_AZIMUTHS[1:]) % 360 < 1e-9
        assert sample.shots[1:7] == sample.shots[7:] and sample.shots[1].fill == FILL
    named = [len(read(sample.caption).kinds) > 0 for sample in samples]
    assert 0.6 < np.mean(named) <= 1
    assert 0.4 < np.mean([sample.shots[0].orthographic for sample in samples]) < 1
