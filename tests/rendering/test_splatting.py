"""The compiled rasterizer against a dense reference and closed forms."""

import math

import numba
import pytest
import torch
from torch import Tensor

from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.splatting import splat

from .splatting_reference import splat_reference

NAMES = ("means", "quats", "scales", "opacities", "features")


def some_gaussians(count: int, channels: int = 5, dtype: torch.dtype = torch.float32) -> list:
    generator = torch.Generator().manual_seed(3)
    values = [
        torch.rand(count, 3, generator=generator) * 1.2 - 0.6,
        torch.randn(count, 4, generator=generator),
        torch.rand(count, 3, generator=generator) * 0.12 + 0.01,
        torch.rand(count, generator=generator) * 0.98 + 0.01,
        torch.randn(count, channels, generator=generator),
    ]
    return [value.to(dtype).requires_grad_() for value in values]


def some_cameras(size: int = 40, ortho: bool = False) -> Cameras:
    cameras = orbit_cameras([30.0, 200.0], [20.0, -10.0], 3.0, 45.0, size, size + 12)
    if not ortho:
        return cameras
    return Cameras(cameras.c2w, cameras.fov_degrees, size, size + 12, torch.tensor([1.8, 0.0]))


def one(scale: float = 0.1, opacity: float = 0.7, place: tuple = (0.0, 0.0, 0.0)) -> list[Tensor]:
    return [
        torch.tensor([place]), torch.tensor([[1.0, 0, 0, 0]]), torch.full((1, 3), scale),
        torch.tensor([opacity]), torch.tensor([[1.0]]),
    ]


def gradients(values: list[Tensor], images: Tensor, alpha: Tensor) -> list[Tensor]:
    generator = torch.Generator().manual_seed(4)
    loss = (images * torch.randn(images.shape, generator=generator).to(images)).sum()
    loss = loss + (alpha * torch.randn(alpha.shape, generator=generator).to(alpha)).sum()
    return list(torch.autograd.grad(loss, values))


@pytest.mark.parametrize("ortho", [False, True])
def test_pictures_and_gradients_are_those_of_the_reference(ortho: bool) -> None:
    values, cameras = some_gaussians(60), some_cameras(ortho=ortho)
    drawn, expected = splat(*values, cameras), splat_reference(*values, cameras)
    for got, wanted in zip((drawn.images, drawn.alpha), expected, strict=True):
        assert (got - wanted).abs().max() < 1e-4 * wanted.abs().max()
    got, wanted = (gradients(values, *pair) for pair in (drawn[:2], expected))
    for name, a, b in zip(NAMES, got, wanted, strict=True):
        assert (a - b).abs().max() < 1e-3 * b.abs().max(), name


def test_double_precision_agrees_to_the_last_digits() -> None:
    values, cameras = some_gaussians(30, dtype=torch.float64), some_cameras(24)
    cameras = Cameras(cameras.c2w.double(), cameras.fov_degrees.double(), 24, 36)
    drawn, expected = splat(*values, cameras), splat_reference(*values, cameras)
    got, wanted = (gradients(values, *pair) for pair in (drawn[:2], expected))
    for name, a, b in zip(NAMES, got, wanted, strict=True):
        assert torch.allclose(a, b, rtol=1e-8, atol=1e-9), name


def test_the_reference_itself_has_true_gradients() -> None:
    values, cameras = some_gaussians(3, 2, torch.float64), some_cameras(7)
    cameras = Cameras(cameras.c2w.double(), cameras.fov_degrees.double(), 7, 9)[0]
    # Away from the thresholds: faint edges are cut off, and a difference there is no derivative.
    values[2].data += 0.3
    assert torch.autograd.gradcheck(
        lambda *inputs: splat_reference(*inputs, cameras), values, atol=1e-4, rtol=1e-3
    )


def test_a_round_gaussian_in_closed_form() -> None:
    cameras = orbit_cameras([0.0], 0.0, 3.0, 40.0, 41)
    alpha = splat(*one(), cameras).alpha[0, :, :, 0]
    focal = 41 / (2 * math.tan(math.radians(20)))
    variance = (0.1 * focal / 3) ** 2 + 0.3
    x = torch.arange(41) - 20.0
    expected = 0.7 * (-0.5 * (x[:, None] ** 2 + x**2) / variance).exp()
    assert torch.allclose(alpha, expected.where(expected > 1 / 255, 0), atol=1e-5)


def test_the_nearer_one_hides_the_farther() -> None:
    near, far = one(0.3, 0.9, (0, -0.5, 0)), one(0.3, 0.9, (0, 0.5, 0))
    values = [torch.cat(pair) for pair in zip(far, near, strict=True)]
    values[4] = torch.eye(2)
    image = splat(*values, orbit_cameras([0.0], 0.0, 3.0, 40.0, 21)).images[0, 10, 10]
    assert image.tolist() == pytest.approx([0.09, 0.9], abs=1e-3)


def test_what_is_behind_the_camera_transparent_or_broken_is_not_drawn() -> None:
    cases = [one(place=(0, -4, 0)), one(opacity=0.001), one(place=(math.nan, 0, 0)), one(math.nan)]
    values = [torch.cat(rows) for rows in zip(*cases, strict=True)]
    drawn = splat(*values, orbit_cameras([0.0], 0.0, 3.0, 40.0, 16))
    assert (drawn.alpha == 0).all() and (drawn.radii == 0).all()


def test_nothing_at_all_gives_an_empty_picture() -> None:
    values = [value[:0].requires_grad_() for value in one()]
    drawn = splat(*values, some_cameras(16))
    assert (drawn.alpha == 0).all()
    drawn.images.sum().backward()


def test_the_same_bits_for_any_number_of_threads() -> None:
    def picture_and_gradients() -> list[Tensor]:
        values = some_gaussians(200)
        drawn = splat(*values, some_cameras(64))
        return [*drawn[:2], *gradients(values, *drawn[:2])]

    threads, expected = numba.get_num_threads(), picture_and_gradients()
    try:
        numba.set_num_threads(1)
        found = picture_and_gradients()
    finally:
        numba.set_num_threads(threads)
    for other in (found, picture_and_gradients()):
        assert all(torch.equal(a, b) for a, b in zip(expected, other, strict=True))


def test_features_may_depend_on_the_view() -> None:
    values, cameras = some_gaussians(20, 3), some_cameras(16)
    doubled = torch.stack([values[4], 2 * values[4]])
    plain, both = splat(*values, cameras), splat(*values[:4], doubled, cameras)
    assert torch.equal(plain.images[0], both.images[0])
    assert torch.allclose(2 * plain.images[1], both.images[1], atol=1e-6)
