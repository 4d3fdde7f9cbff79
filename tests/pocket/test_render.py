"""The ray caster against closed forms."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from backend.pocket.render import Light, render
from backend.pocket.world import KINDS, build
from backend.pocket.world.materials import PATTERNS, Material
from backend.pocket.world.parts import gauge
from backend.pocket.world.shapes import Scene, Sculptor, turn
from backend.rendering.cameras import Cameras, orbit_cameras

WHITE = (1.0, 1.0, 1.0)


def sculpture(make) -> Scene:
    s = Sculptor(np.random.default_rng(0))
    make(s)
    return Scene("test", "white", tuple(s.parts))


def ball(radius: float = 0.6) -> Scene:
    return sculpture(lambda s: s.ball("ball", (0, 0, 0), radius, WHITE))


def sight(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals that two cameras see, (n, 3)."""
    found = render(scene, orbit_cameras([20.0, 200.0], [25.0, -15.0], 3.0, 40.0, 64), samples=1)
    hit = found["part"][..., 0] >= 0
    return found["coordinates"][hit].astype(float), found["normals"][hit].astype(float)


def gradient(function, points: np.ndarray) -> np.ndarray:
    """Unit gradients of a function of (n, 3) by central differences."""
    steps = 1e-5 * np.eye(3)
    found = np.stack([function(points + step) - function(points - step) for step in steps], 1)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def front(distance: float = 3.0, fov: float = 40.0, size: int = 64) -> Cameras:
    return orbit_cameras([0.0], 0.0, distance, fov, size)


def orthographic(cameras: Cameras, height: float) -> Cameras:
    ortho = torch.full((len(cameras),), height)
    return Cameras(cameras.c2w, cameras.fov_degrees, cameras.height, cameras.width, ortho)


def test_sphere_silhouette_has_the_area_of_its_cone() -> None:
    cameras = orbit_cameras([0.0, 100.0], [0.0, 50.0], 3.0, 40.0, 64)
    alpha = render(ball(), cameras, samples=4)["rgba"][..., 3].sum((1, 2))
    pixels = 32 * math.tan(math.asin(0.6 / 3.0)) / math.tan(math.radians(20))
    np.testing.assert_allclose(alpha, math.pi * pixels**2, rtol=4e-3)


def test_orthographic_sphere_area_ignores_distance() -> None:
    for distance in (2.0, 9.0):
        cameras = orthographic(front(distance), 2.0)
        alpha = render(ball(), cameras, samples=4)["rgba"][..., 3].sum()
        assert alpha == pytest.approx(math.pi * (0.6 * 32) ** 2, rel=4e-3)


def test_sphere_normals_depth_and_coordinates() -> None:
    found = render(ball(), front(), samples=1)
    hit = found["part"][0, ..., 0] >= 0
    points = found["coordinates"][0][hit]
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 0.6, atol=1e-5)
    np.testing.assert_allclose(found["normals"][0][hit], points / 0.6, atol=1e-5)
    np.testing.assert_allclose(found["depth"][0][hit][:, 0], points[:, 1] + 3.0, atol=1e-5)
    assert found["depth"][0][hit].min() == pytest.approx(2.4, abs=2e-3)


@pytest.mark.parametrize("height", [None, 2.2])
def test_coordinates_project_to_their_pixel_centers(height: float | None) -> None:
    cameras = orbit_cameras([30.0], 35.0, 3.0, 40.0, 64)
    cameras = cameras if height is None else orthographic(cameras, height)
    found = render(build("chair", "red", 3), cameras, samples=1)
    hit = found["part"][0, ..., 0] >= 0
    pixels, depth = cameras.project(torch.from_numpy(found["coordinates"][0][hit]))
    rows, columns = np.nonzero(hit)
    np.testing.assert_allclose(pixels[0, :, 0], columns + 0.5, atol=2e-3)
    np.testing.assert_allclose(pixels[0, :, 1], rows + 0.5, atol=2e-3)
    np.testing.assert_allclose(depth[0], found["depth"][0][hit][:, 0], atol=1e-4)


def test_surfaces_satisfy_their_equations() -> None:
    cameras = orbit_cameras([20.0, 200.0], [25.0, -15.0], 3.0, 40.0, 64)

    def points(make) -> np.ndarray:
        found = render(sculpture(make), cameras, samples=1)
        return found["coordinates"][found["part"][..., 0] >= 0].T

    x, y, z = points(lambda s: s.ring("ring", (0, 0, 0), (0, 0, 1), 0.6, 0.2, WHITE))
    np.testing.assert_allclose(np.hypot(np.hypot(x, y) - 0.6, z), 0.2, atol=2e-3)
    x, y, z = points(lambda s: s.tube("cone", (0, 0, -0.5), (0, 0, 0.5), (0.6, 0.2), WHITE, False))
    np.testing.assert_allclose(np.hypot(x, y), 0.4 - 0.4 * z, atol=1e-5)
    x, y, z = points(lambda s: s.rod("rod", (0, 0, -0.4), (0, 0, 0.4), 0.25, WHITE))
    rest = z - np.clip(z, -0.4, 0.4)
    np.testing.assert_allclose(np.sqrt(x**2 + y**2 + rest**2), 0.25, atol=2e-3)
    x, y, z = points(lambda s: s.box("box", (0, 0, 0), (0.5, 0.4, 0.3), WHITE))
    face = np.max([np.abs(x) / 0.5, np.abs(y) / 0.4, np.abs(z) / 0.3], 0)
    np.testing.assert_allclose(face, 1, atol=1e-5)
    x, y, z = points(lambda s: s.soft_box("box", (0, 0, 0), (0.5, 0.4, 0.3), 0.1, WHITE))
    outside = np.maximum(np.abs([x, y, z]).T - (0.4, 0.3, 0.2), 0)
    np.testing.assert_allclose(np.linalg.norm(outside, axis=1), 0.1, atol=3e-3)


BENT = [(-0.5, 0.0, -0.4), (0.0, 0.1, 0.3), (0.1, 0.1, 0.3), (0.5, -0.2, -0.1)]


def tube_distance(balls: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distance to the balls between each ball and the next, by trying many."""
    share = np.linspace(0, 1, 150)[:, None]
    between = np.concatenate([a + share * (b - a) for a, b in pairwise(balls)])
    gaps = [np.linalg.norm(points - ball[:3], axis=1) - ball[3] for ball in between]
    return np.min(gaps, axis=0)


@pytest.mark.parametrize(
    ("make", "implicit", "tolerance"),
    [
        (lambda s: s.ball("b", (0, 0, 0), (0.7, 0.4, 0.5), WHITE),
         lambda x: np.linalg.norm(x / (0.7, 0.4, 0.5), axis=1) - 1, 1e-6),
        (lambda s: s.pebble("p", (0, 0, 0), (0.7, 0.4, 0.5), (4.0, 2.5), WHITE),
         lambda x: gauge(x / (0.7, 0.4, 0.5), 4.0, 2.5) - 1, 1e-5),
        (lambda s: s.pebble("p", (0, 0, 0), 0.8, (1.0, 1.0), WHITE),
         lambda x: np.abs(x).sum(1) - 0.8, 1e-5),
        (lambda s: s.ring("r", (0, 0, 0), (0, 0, 1), 0.6, 0.2, WHITE),
         lambda x: np.hypot(np.hypot(x[:, 0], x[:, 1]) - 0.6, x[:, 2]) - 0.2, 2e-4),
        (lambda s: s.soft_box("b", (0, 0, 0), (0.5, 0.4, 0.3), 0.2, WHITE),
         lambda x: np.linalg.norm(np.maximum(np.abs(x) - (0.3, 0.2, 0.1), 0), axis=1) - 0.2, 1e-5),
        (lambda s: s.sweep("t", [(0, 0, -0.5), (0, 0, 0.4)], [0.4, 0.1], WHITE),
         lambda x: np.where(
             x[:, 2] + 0.5 < 0.4 / 3, np.linalg.norm(x + (0, 0, 0.5), axis=1) - 0.4,
             np.where(x[:, 2] - 0.4 > 0.1 / 3, np.linalg.norm(x - (0, 0, 0.4), axis=1) - 0.1,
                      np.hypot(x[:, 0], x[:, 1]) * 8**0.5 / 3 + (x[:, 2] + 0.5) / 3 - 0.4)), 1e-5),
        (lambda s: s.lathe("l", (0, 0, -0.5), (0, 0, 0.5), [(0.0, 0.6), (1.0, 0.2)], WHITE, False),
         lambda x: np.hypot(x[:, 0], x[:, 1]) - 0.4 + 0.4 * x[:, 2], 1e-6),
    ],
)  # fmt: skip
def test_hits_lie_on_the_surface_and_normals_are_its_gradient(make, implicit, tolerance) -> None:
    points, normals = sight(sculpture(make))
    assert len(points) > 300
    np.testing.assert_allclose(implicit(points), 0, atol=tolerance)
    facing = np.abs((normals * gradient(implicit, points)).sum(1))
    assert np.quantile(facing, 0.01) > 0.999 and np.median(facing) > 0.999999


def test_a_bent_tube_is_the_hull_of_its_balls() -> None:
    scene = sculpture(lambda s: s.sweep("t", BENT, [0.25, 0.15, 0.15, 0.1], WHITE))
    balls, (points, normals) = scene.parts[0].params, sight(scene)
    np.testing.assert_allclose(tube_distance(balls, points), 0, atol=4e-4)
    outside = tube_distance(balls, points + 1e-2 * normals)
    assert np.quantile(outside, 0.02) > 0.0097
    for point in BENT:  # the curve runs through the points it was given
        assert np.linalg.norm(balls[:, :3] - point, axis=1).min() < 1e-9


def test_a_turned_profile_is_round_where_it_should_be() -> None:
    profile = [((1 - math.cos(a)) / 2, 0.7 * math.sin(a)) for a in np.linspace(0, math.pi, 9)]
    profile[0] = (0.0, 0.0)
    profile[-1] = (1.0, 0.0)
    points, normals = sight(
        sculpture(lambda s: s.lathe("l", (0, 0, -0.7), (0, 0, 0.7), profile, WHITE))
    )
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 0.7, atol=6e-3)
    assert ((normals * points).sum(1) / np.linalg.norm(points, axis=1)).min() > 0.99


def test_a_turned_vase_has_an_inside_and_sharp_edges() -> None:
    wall = [(0.0, 0.5), (1.0, 0.5), (1.0, 0.5), (1.0, 0.4), (1.0, 0.4), (0.1, 0.4), (0.1, 0.4),
            (0.1, 0.0), (0.1, 0.0)]  # fmt: skip
    scene = sculpture(lambda s: s.lathe("l", (0, 0, -0.5), (0, 0, 0.5), wall, WHITE))
    found = render(scene, orbit_cameras([0.0], 89.9, 3.0, 40.0, 64), samples=1)
    assert found["coordinates"][0, 32, 32, 2] == pytest.approx(-0.4, abs=1e-6)
    radius = np.hypot(*np.moveaxis(found["coordinates"][0, ..., :2], -1, 0))
    rim = np.abs(found["coordinates"][0, ..., 2] - 0.5) < 1e-6
    assert rim.sum() > 100 and radius[rim].min() > 0.4 - 1e-6 and radius[rim].max() < 0.5 + 1e-6
    np.testing.assert_allclose(found["normals"][0][rim], [[0, 0, 1]] * rim.sum(), atol=1e-5)


def test_concave_pebbles_are_refused() -> None:
    with pytest.raises(ValueError, match="convex"):
        sculpture(lambda s: s.pebble("p", (0, 0, 0), 1, (0.5, 2), WHITE))


def test_camera_normals_are_world_normals_turned() -> None:
    cameras = orbit_cameras([40.0], 30.0, 3.0, 40.0, 64)
    found = render(ball(), cameras, samples=1)
    hit = found["part"][0, ..., 0] >= 0
    back = found["camera_normals"][0][hit] @ cameras.c2w[0, :3, :3].numpy().T
    np.testing.assert_allclose(back, found["normals"][0][hit], atol=1e-5)
    assert found["camera_normals"][0][hit][:, 2].min() > 0


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_point_of_an_object_has_one_color_wherever_it_is_and_is_seen_from(pattern) -> None:
    paint = Material(np.array([0.8, 0.3, 0.1]), pattern, size=0.3)
    scene = sculpture(lambda s: s.box("b", (0.1, 0, 0), (0.5, 0.4, 0.3), paint, turn(20, "z")))
    angle = turn(65, "z")
    moved = scene.moved(np.concatenate([angle, [[0.1], [0.05], [-0.1]]], 1))
    views = orbit_cameras([0.0], 50.0, 3.0, 40.0, 128), orbit_cameras([30.0], 40.0, 3.2, 40.0, 128)
    tables = []
    for shown, cameras in ((scene, views[0]), (moved, views[1])):
        found = render(shown, cameras, samples=1)
        hit = found["part"][0, ..., 0] >= 0
        tables.append((found["object_coordinates"][0][hit], found["rgba"][0][hit][:, :3]))
    (points, colors), (others, again) = tables
    gaps = np.linalg.norm(points[::9, None] - others[None], axis=2)
    near, nearest = gaps.min(1) < 0.012, gaps.argmin(1)
    assert near.sum() > 150
    differing = np.abs(colors[::9][near] - again[nearest[near]]).max(1) > 0.1
    assert differing.mean() < 0.1  # points a little apart, on either side of a border
    assert (np.ptp(colors, axis=0).max() > 0.1) == (pattern != "plain")


def test_average_colors_are_what_is_seen() -> None:
    for pattern in PATTERNS:
        paint = Material(np.array([0.8, 0.3, 0.1]), pattern, size=0.05)
        scene = sculpture(lambda s, paint=paint: s.ball("b", (0, 0, 0), 0.8, paint))
        rgba = render(scene, front())["rgba"][0]
        seen = rgba[rgba[..., 3] == 1][:, :3].mean(0)
        np.testing.assert_allclose(seen, scene.parts[0].color, atol=0.09)


def test_metal_shines_only_in_light() -> None:
    paint = Material(np.array([0.5, 0.3, 0.1]), "metal")
    scene = sculpture(lambda s: s.ball("b", (0, 0, 0), 0.8, paint))
    dark = Light(np.array([0.0, -3.0, 0.0]), 0.5, 0.5)
    plain, lit = (render(scene, front(), light)["rgba"][0] for light in (None, dark))
    assert lit[32, 32, 2] > plain[32, 32, 2] + 0.2
    assert lit[32, 12, 2] < plain[32, 12, 2] + 0.02


def test_stripes_follow_a_swept_tube() -> None:
    paint = Material(np.array([0.0, 0, 0]), "stripes", np.ones(3), size=0.1)
    scene = sculpture(lambda s: s.sweep("t", [(-0.8, 0, 0), (0.8, 0, 0)], 0.1, paint))
    rgba = render(scene, orthographic(front(), 2.0), samples=1)["rgba"][0]
    line = rgba[32, 8:56, 0]
    assert 14 <= (np.diff(line) != 0).sum() <= 17 and 0.4 < line.mean() < 0.6


def test_gable_narrows_to_a_ridge() -> None:
    scene = sculpture(lambda s: s.box("roof", (0, 0, 0), (0.5, 0.5, 0.5), WHITE, top=(0.0, 1.0)))
    alpha = render(scene, orthographic(front(), 2.0), samples=4)["rgba"][0, ..., 3]
    assert alpha.sum() == pytest.approx(0.5 * 32 * 32, rel=0.02)
    widths = alpha.sum(1)
    assert widths[17] < 3 < 28 < widths[47]


def test_a_clipped_ball_is_open() -> None:
    scene = sculpture(lambda s: s.ball("bowl", (0, 0, 0), 0.6, WHITE, clip=(-1.0, 0.0)))
    below, above = (
        render(scene, orbit_cameras([0.0], e, 3.0, 40.0, 64), samples=1) for e in (-80.0, 80.0)
    )
    center = (0, 32, 32)
    assert below["coordinates"][center][2] < -0.55 and above["coordinates"][center][2] < -0.55
    assert above["normals"][center][2] > 0.9 > -0.9 > below["normals"][center][2]


def test_shading_is_dreamfusions() -> None:
    light = Light(np.array([1.0, -2.0, 1.5]), 0.6, 0.3)
    found = render(ball(), front(), light, samples=1)
    hit = found["part"][0, ..., 0] >= 0
    points, normals = found["coordinates"][0][hit], found["normals"][0][hit]
    toward = light.position - points
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    expected = 0.6 * np.maximum(0, (normals * toward).sum(1)) + 0.3
    np.testing.assert_allclose(found["rgba"][0][hit][:, 0], expected, atol=1e-4)


def test_turning_the_object_is_turning_the_camera() -> None:
    box = ((0.3, 0.1, 0.2), (0.4, 0.2, 0.1), (0.9, 0.2, 0.1))
    straight = sculpture(lambda s: s.box("box", *box))
    turned = sculpture(
        lambda s: s.box("box", turn(50, "z") @ box[0], box[1], box[2], rotation=turn(50, "z"))
    )
    a = render(straight, orbit_cameras([20.0], 10.0, 3.0, 40.0, 64))["rgba"]
    b = render(turned, orbit_cameras([70.0], 10.0, 3.0, 40.0, 64))["rgba"]
    assert (np.abs(a - b) > 1e-4).mean() < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_shows_its_color_and_stays_in_the_frame(kind: str) -> None:
    scene = build(kind, "green", 5)
    cameras = orbit_cameras([0.0, 90.0, 180.0, 270.0], 15.0, 3.2, 40.0, 64)
    rgba = render(scene, cameras)["rgba"]
    red, green, blue = (rgba[..., i] for i in range(3))
    greenish = (rgba[..., 3] > 0.5) & (green > 1.3 * red) & (green > 1.3 * blue)
    assert greenish.sum() > 0.1 * (rgba[..., 3] > 0.5).sum()
    for edge in (rgba[:, 0], rgba[:, -1], rgba[:, :, 0], rgba[:, :, -1]):
        assert edge[..., 3].max() == 0


def test_only_squares() -> None:
    with pytest.raises(ValueError, match="squares"):
        render(ball(), orbit_cameras([0.0], 0.0, 3.0, 40.0, 32, 64))
