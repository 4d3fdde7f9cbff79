import pytest
import torch

from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.volume import (
    accumulate,
    ball_interval,
    place_samples,
    render_weights,
    to_image,
)


def test_the_interval_of_the_ball_in_closed_form():
    origins = torch.tensor([[0.0, -3, 0], [0, -3, 0.6], [0, -3, 1.1], [0, 0, 0], [0, 3, 0]])
    directions = torch.tensor([[0.0, 1, 0]]).expand(5, 3)
    enter, leave = ball_interval(origins, directions)
    assert torch.allclose(enter[:2], torch.tensor([2.0, 2.2]))
    assert torch.allclose(leave[:2], torch.tensor([4.0, 3.8]))
    assert leave[2] <= enter[2]
    assert (enter[3], leave[3]) == (0, 1)
    assert leave[4] <= enter[4]  # behind the camera


def test_only_rays_that_meet_the_ball_are_kept_and_their_samples_lie_in_it():
    cameras = orbit_cameras([10.0, 200.0], 20.0, 3.0, 60.0, 16)
    jitter = torch.rand(2, 16, 16)
    samples = place_samples(cameras, 8, jitter)
    assert 0 < len(samples.pixels) < 2 * 16 * 16
    assert samples.points.norm(dim=-1).max() <= 1 + 1e-5
    assert torch.equal(samples.views, (samples.pixels >= 256).long())
    shift = (samples.middles - samples.starts) / (samples.ends - samples.starts)
    expected = jitter.reshape(-1)[samples.pixels, None].expand_as(shift)
    assert torch.allclose(shift, expected, atol=1e-3)


def test_weights_against_the_loop_over_samples():
    cameras = orbit_cameras([0.0], 0.0, 3.0, 30.0, 4)
    samples = place_samples(cameras, 12)
    density = torch.rand(samples.middles.shape) * 10
    weights = render_weights(samples, density)
    for ray in range(len(samples.pixels)):
        passed = 1.0
        for i in range(12):
            length = (samples.ends - samples.starts)[ray, i]
            alpha = 1 - torch.exp(-density[ray, i] * length)
            assert weights[ray, i].item() == pytest.approx(float(passed * alpha), abs=1e-5)
            passed = passed * (1 - alpha)


def test_a_homogeneous_ball_lets_exp_minus_sigma_chord_pass():
    cameras = orbit_cameras([25.0], 35.0, 3.0, 45.0, 12)
    samples = place_samples(cameras, 16)
    weights = render_weights(samples, torch.full(samples.middles.shape, 1.3))
    closest = torch.linalg.cross(samples.origins, samples.directions).norm(dim=-1)
    chord = 2 * (1 - closest**2).sqrt()
    assert torch.allclose(weights.sum(1), 1 - (-1.3 * chord).exp(), atol=1e-5)


def test_the_gradient_of_compositing_by_finite_differences():
    cameras = orbit_cameras([0.0], 0.0, 3.0, 30.0, 2)
    double = Cameras(cameras.c2w.double(), cameras.fov_degrees.double(), 2, 2)
    samples = place_samples(double, 5)
    density = torch.rand(samples.middles.shape, dtype=torch.float64).requires_grad_()
    values = torch.rand(*density.shape, 3, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda d, v: accumulate(render_weights(samples, d), v), (density, values)
    )


def test_images_are_zero_where_no_ray_went():
    cameras = orbit_cameras([0.0], 0.0, 3.0, 30.0, 2, 3)
    image = to_image(torch.tensor([[5.0], [7.0]]), torch.tensor([1, 5]), cameras)
    assert image.shape == (1, 2, 3, 1)
    assert image.flatten().tolist() == [0, 5, 0, 0, 0, 7]


@pytest.mark.parametrize("ortho", [0.0, 2.0])
def test_variances_are_those_of_random_points_in_a_samples_box(ortho):
    cameras = orbit_cameras([40.0], 25.0, 3.0, 50.0, 3)
    cameras = Cameras(cameras.c2w, cameras.fov_degrees, 3, 3, torch.tensor([ortho]))
    samples = place_samples(cameras, 4)[torch.tensor([4])]
    direction = samples.directions[0]
    u = torch.linalg.cross(direction, torch.tensor([1.0, 0, 0]))
    u = u / u.norm()
    v = torch.linalg.cross(direction, u)
    length = (samples.ends - samples.starts)[0, 2]
    height = ortho or 2 * 3.0 * float(torch.tensor(25.0).deg2rad().tan())
    width = height / 3 * (1 if ortho else float(samples.middles[0, 2]) / 3.0)
    a, b, c = torch.rand(3, 200_000, 1) - 0.5
    points = a * length * direction + b * width * u + c * width * v
    assert torch.allclose(samples.variances[0, 2], points.var(0), rtol=0.02)
