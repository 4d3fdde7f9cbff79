"""Antialiased outlines: their coverage, and gradients to where they lie."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import trimesh
from torch import Tensor

from backend.rendering.antialias import antialias, face_neighbors
from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.rasterize import interpolate, rasterize

TRIANGLE = torch.tensor([[-0.51, 0.1, -0.43], [0.57, -0.2, -0.31], [0.03, 0.0, 0.62]]).double()
ONE_FACE = torch.tensor([[0, 1, 2]])


def double(cameras: Cameras) -> Cameras:
    ortho = cameras.ortho_height
    return Cameras(
        cameras.c2w.double(), cameras.fov_degrees.double(), cameras.height, cameras.width,
        None if ortho is None else ortho.double(),
    )


def orthographic(azimuths: list[float], height: float, pixels: int) -> Cameras:
    cameras = orbit_cameras(azimuths, 20.0, 3.0, 40.0, pixels)
    ortho = torch.full((len(azimuths),), height)
    return double(Cameras(cameras.c2w, cameras.fov_degrees, pixels, pixels, ortho))


def perspective(azimuths: list[float], pixels: int) -> Cameras:
    return double(orbit_cameras(azimuths, 20.0, 3.0, 40.0, pixels))


def ball(subdivisions: int = 3) -> tuple[Tensor, Tensor]:
    sphere = trimesh.creation.icosphere(subdivisions=subdivisions, radius=0.8)
    return torch.tensor(sphere.vertices).double(), torch.tensor(np.array(sphere.faces))


def coverage(positions: Tensor, faces: Tensor, cameras: Cameras) -> Tensor:
    fragments = rasterize(positions, faces, cameras)
    return antialias(
        fragments.covered[..., None].double(), fragments, face_neighbors(faces.numpy())
    )


def projected_area(positions: Tensor, cameras: Cameras) -> Tensor:
    """Of one triangle, in pixels."""
    a, b, c = cameras.project(positions)[0][0]
    return 0.5 * ((b - a)[0] * (c - a)[1] - (b - a)[1] * (c - a)[0]).abs()


@pytest.mark.parametrize("cameras", [perspective([10.0], 128), orthographic([10.0], 2.0, 128)])
def test_a_triangles_coverage_and_its_gradient_are_those_of_its_area(cameras: Cameras) -> None:
    positions = TRIANGLE.clone().requires_grad_()
    seen = coverage(positions, ONE_FACE, cameras).sum()
    area = projected_area(positions, cameras)
    assert float(seen.detach()) == pytest.approx(float(area.detach()), rel=0.005)
    found, expected = (torch.autograd.grad(value, positions)[0] for value in (seen, area))
    assert (found - expected).norm() < 0.03 * expected.norm()


def test_a_growing_ball_grows_its_outline_however_small_its_triangles() -> None:
    """d(pi r^2)/dr = 2 pi r, in pixels, also where a pixel holds dozens of triangles."""
    for subdivisions, pixels in ((2, 96), (4, 32), (5, 24)):
        positions, faces = ball(subdivisions)
        positions.requires_grad_()
        seen = coverage(positions, faces, orthographic([0.0, 33.0], 2.0, pixels)).sum() / 2
        (gradient,) = torch.autograd.grad(seen, positions)
        grown = float((gradient * positions.detach()).sum())
        assert grown == pytest.approx(2 * math.pi * (0.4 * pixels) ** 2, rel=0.05)


def test_outlines_look_as_if_drawn_finely() -> None:
    positions, faces = ball()
    cameras = perspective([0.0, 50.0], 32)
    fine = rasterize(positions, faces, cameras.resized(32 * 8, 32 * 8)).covered.double()
    expected = torch.nn.functional.avg_pool2d(fine, 8)
    plain = rasterize(positions, faces, cameras).covered.double()
    smooth = coverage(positions, faces, cameras)[..., 0]
    assert (smooth - expected).abs().mean() < 0.25 * (plain - expected).abs().mean()
    assert float(smooth.sum()) == pytest.approx(float(expected.sum()), rel=2e-3)


def finite_difference(look: Callable[[Tensor], Tensor], positions: Tensor, along: Tensor) -> float:
    step = 1e-7
    return float((look(positions + step * along) - look(positions - step * along)) / (2 * step))


@pytest.mark.parametrize("cameras", [perspective([5.0, 80.0], 24), orthographic([7.0], 2.2, 24)])
def test_gradients_match_finite_differences(cameras: Cameras) -> None:
    """Of colors that differ inside and outlines, against a pattern that tells pixels apart."""
    generator = torch.Generator().manual_seed(0)
    positions, faces = ball(1)
    neighbors = face_neighbors(faces.numpy())
    colors = torch.rand(len(positions), 3, generator=generator, dtype=torch.float64)
    pattern = torch.rand(len(cameras), 24, 24, 3, generator=generator, dtype=torch.float64)

    def look(moved: Tensor) -> Tensor:
        fragments = rasterize(moved, faces, cameras)
        images = interpolate(colors, faces, fragments)
        return (antialias(images, fragments, neighbors) * pattern).sum()

    start = positions.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(look(start), start)
    for _ in range(6):
        along = torch.randn(positions.shape, generator=generator, dtype=torch.float64)
        expected = finite_difference(look, positions, along)
        assert float((gradient * along).sum()) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_where_a_thing_hides_another_its_outline_blends_the_two() -> None:
    """A small triangle before a large one: nothing of the background comes in."""
    small = 0.5 * TRIANGLE + torch.tensor([0.0, -0.5, 0.0])
    positions = torch.cat([small, 4 * TRIANGLE]).requires_grad_()
    faces = torch.tensor([[0, 1, 2], [3, 4, 5]])
    fragments = rasterize(positions, faces, perspective([0.0], 32))
    values = interpolate(torch.eye(2).double()[[0, 0, 0, 1, 1, 1]], faces, fragments)
    smooth = antialias(values, fragments, face_neighbors(faces.numpy()))
    inner = smooth[0, 8:24, 8:24]
    assert torch.allclose(inner.sum(-1), torch.ones(16, 16).double())
    assert ((inner[..., 0] > 0.01) & (inner[..., 0] < 0.99)).sum() > 5
    (gradient,) = torch.autograd.grad(inner[..., 0].sum(), positions)
    assert gradient[:3].abs().sum() > 0 and gradient[3:].abs().sum() == 0


def test_neighbors_share_the_edge_and_a_border_has_none() -> None:
    faces = np.array([[0, 1, 2], [2, 1, 3]])
    assert face_neighbors(faces).tolist() == [[-1, 1, -1], [0, -1, -1]]


def test_an_edge_of_three_faces_has_no_one_neighbor() -> None:
    faces = np.array([[0, 1, 2], [1, 0, 3], [0, 1, 4]])
    assert (face_neighbors(faces) == -1).all()


def test_the_same_bits_come_out_on_every_run() -> None:
    positions, faces = ball(4)
    cameras = orbit_cameras([0.0, 90, 180], 20.0, 3.0, 40.0, 48)
    results = []
    for _ in range(2):
        start = positions.float().requires_grad_()
        fragments = rasterize(start, faces, cameras)
        image = antialias(
            interpolate(start, faces, fragments), fragments, face_neighbors(faces.numpy())
        )
        results += [image, *torch.autograd.grad((image**2).sum(), start)]
    assert torch.equal(results[0], results[2]) and torch.equal(results[1], results[3])
