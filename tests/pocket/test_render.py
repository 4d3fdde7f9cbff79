"""The ray caster against closed forms."""

import math

import numpy as np
import pytest
import torch

from backend.pocket.render import Light, render
from backend.pocket.world import KINDS, build
from backend.pocket.world.shapes import Scene, Sculptor, turn
from backend.rendering.cameras import Cameras, orbit_cameras

WHITE = (1.0, 1.0, 1.0)


def sculpture(make) -> Scene:
    s = Sculptor(np.random.default_rng(0))
    make(s)
    return Scene("test", "white", tuple(s.parts))


def ball(radius: float = 0.6) -> Scene:
    return sculpture(lambda s: s.ball("ball", (0, 0, 0), radius, WHITE))


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
