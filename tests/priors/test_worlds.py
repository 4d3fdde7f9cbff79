"""The kit of worlds against geometry done by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.priors.worlds import animal, cube, kit, sphere, torus
from backend.rendering.cameras import Cameras, orbit_cameras


def front(size: int = 65, distance: float = 3.0, fov: float = 40.0) -> Cameras:
    return orbit_cameras([0.0], 0.0, distance, fov, size)


def test_the_sphere_covers_its_disk() -> None:
    drawing = sphere().draw(front(201), samples=2)
    half_height = math.tan(math.radians(20))
    radius = math.tan(math.asin(0.7 / 3.0)) / half_height / 2  # of the frame
    assert float(drawing.alpha.mean()) == pytest.approx(math.pi * radius**2, rel=0.01)


def test_the_middle_pixel_sees_the_front_of_the_sphere() -> None:
    drawing = sphere().draw(front())
    assert drawing.depth[0, 32, 32, 0] == pytest.approx(2.3)
    assert drawing.normals[0, 32, 32] == pytest.approx([0, -1, 0], abs=1e-9)
    assert drawing.color[0, 32, 32] == pytest.approx([0.85, 0.15, 0.1])
    assert drawing.color[0, 0, 0] == pytest.approx([0.5, 0.5, 0.5])
    assert drawing.alpha[0, 0, 0, 0] == 0


@pytest.mark.parametrize("world", kit(), ids=lambda world: world.name)
def test_depth_and_normals_lie_on_one_surface(world: object) -> None:
    """Normals are perpendicular to differences of neighboring points, and face the camera."""
    cameras = orbit_cameras([35.0], 25.0, 3.0, 40.0, 160)
    drawing = world.draw(cameras, samples=1)
    rays = cameras.rays()
    along = -(rays.directions * cameras.backward[:, None, None]).sum(-1, keepdim=True)
    points = rays.origins + torch.from_numpy(drawing.depth) / along * rays.directions
    step = points[0, :, 1:] - points[0, :, :-1]
    both = torch.from_numpy(np.minimum(drawing.alpha[0, :, 1:, 0], drawing.alpha[0, :, :-1, 0]))
    smooth = (both > 0) & (step.norm(dim=-1) < 0.03)
    normals = torch.from_numpy(drawing.normals[0, :, 1:])
    cosine = (normals * step).sum(-1)[smooth] / step.norm(dim=-1)[smooth]
    assert float(cosine.abs().median()) < 0.05
    seen = torch.from_numpy(drawing.alpha[0, ..., 0]) > 0
    assert ((torch.from_numpy(drawing.normals[0]) * rays.directions[0]).sum(-1)[seen] <= 1e-6).all()


@pytest.mark.parametrize(
    ("azimuth", "elevation", "color"),
    [(90, 0, [0.9, 0.1, 0.1]), (270, 0, [0.1, 0.9, 0.9]), (180, 0, [0.1, 0.9, 0.1]),
     (0, 0, [0.9, 0.1, 0.9]), (0, 90, [0.1, 0.1, 0.9]), (0, -90, [0.9, 0.9, 0.1])],
)
def test_each_side_of_the_cube_has_its_color(
    azimuth: float, elevation: float, color: list[float]
) -> None:
    cameras = orbit_cameras([float(azimuth)], float(elevation), 3.0, 40.0, 33)
    assert cube().draw(cameras).color[0, 16, 16] == pytest.approx(color)


def test_turning_the_world_is_turning_the_camera_back() -> None:
    turned = animal().turned(30).draw(orbit_cameras([50.0], 20.0, 3.0, 40.0, 48))
    plain = animal().draw(orbit_cameras([20.0], 20.0, 3.0, 40.0, 48))
    assert np.abs(turned.color - plain.color).mean() < 1e-3


def test_the_ring_has_a_hole() -> None:
    above = torus().draw(orbit_cameras([0.0], 90.0, 3.0, 40.0, 65))
    assert above.alpha[0, 32, 32, 0] == 0
    assert above.alpha[0, 32, 32 + 18, 0] == 1


def test_only_the_front_has_a_face() -> None:
    pale = np.array([0.95, 0.75, 0.65])
    drawing = animal().draw(orbit_cameras([0.0, 180.0], 0.0, 3.0, 40.0, 64), samples=1)
    faces = (np.abs(drawing.color - pale) < 1e-6).all(-1).sum((1, 2))
    assert faces[0] > 50
    assert faces[1] == 0


def test_orthographic_views_keep_sizes() -> None:
    flat = replace(front(100), ortho_height=torch.tensor([2.0]))
    drawing = cube().draw(flat)
    assert float(drawing.alpha.mean()) == pytest.approx(0.25, abs=1e-6)
    assert np.unique(drawing.depth.round(9)).tolist() == [0.0, 2.5]
