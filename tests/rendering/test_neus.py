import pytest
import torch

from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.neus import COARSE, concentrate, concentrate_reference, neus_weights
from backend.rendering.volume import rays_through_ball
from backend.representations.fields.pyramid import node_points

RADIUS = 0.6


def ball_nodes(resolution=48):
    return node_points(torch.zeros(1, resolution, resolution, resolution)).norm(dim=-1) - RADIUS


def some_rays(ortho=0.0):
    cameras = orbit_cameras([0.0, 130.0], 20.0, 3.0, 40.0, 16)
    cameras = Cameras(cameras.c2w, cameras.fov_degrees, 16, 16, torch.full((2,), ortho))
    return rays_through_ball(cameras)


@pytest.mark.parametrize("cosine", [1.0, 0.3])
@pytest.mark.parametrize("sharpness", [20.0, 300.0])
def test_weights_are_largest_where_a_plane_is_crossed_and_sum_to_one(cosine, sharpness):
    places = torch.linspace(0, 2, 4001)
    sdf = cosine * (0.9 - places)
    weights = neus_weights(sdf[None], sharpness)[0]
    middles = (places[1:] + places[:-1]) / 2
    assert abs(middles[weights.argmax()] - 0.9) < 1e-3
    whole = 1 - torch.sigmoid(sharpness * sdf[-1]) / torch.sigmoid(sharpness * sdf[0])
    assert weights.sum() == pytest.approx(float(whole), abs=1e-5)
    # The density of weights at distance t before a plane is the logistic one (theorem 1's proof).
    density = weights / (places[1] - places[0])
    logistic = sharpness * cosine * torch.sigmoid(sharpness * cosine * (0.9 - middles))
    logistic = logistic * torch.sigmoid(-sharpness * cosine * (0.9 - middles))
    assert torch.allclose(density, logistic, atol=2e-3 * sharpness)


def test_the_first_of_two_surfaces_hides_the_second():
    places = torch.linspace(0, 2, 2001)
    sdf = torch.minimum((places - 0.5).abs(), (places - 1.5).abs()) - 0.2
    weights = neus_weights(sdf[None], 100.0)[0]
    front, back = weights[places[1:] < 1].sum(), weights[places[1:] > 1].sum()
    assert front > 0.999
    assert back < 1e-3


def test_weights_stay_finite_and_differentiable_deep_inside():
    sdf = torch.tensor([[0.5, -5.0, -50.0, 50.0, -50.0]], requires_grad=True)
    weights = neus_weights(sdf, 1000.0)
    weights.square().sum().backward()
    assert weights.isfinite().all() and sdf.grad.isfinite().all()
    assert weights.detach().sum() == pytest.approx(1.0)


@pytest.mark.parametrize("ortho", [0.0, 2.2])
@pytest.mark.parametrize("sharpness", [20.0, 500.0])
def test_places_crowd_at_the_surface_and_the_kernel_agrees_with_torch(ortho, sharpness):
    rays, nodes = some_rays(ortho), ball_nodes()
    jitter = torch.rand(len(rays), generator=torch.Generator().manual_seed(0))
    places = concentrate(nodes, rays, 24, sharpness, jitter)
    assert torch.allclose(
        places, concentrate_reference(nodes, rays, 24, sharpness, jitter), atol=1e-3
    )
    assert (places.diff(dim=1) >= 0).all()
    assert (places >= rays.enter[:, None]).all() and (places <= rays.leave[:, None] + 1e-5).all()
    points = rays.origins[:, None] + places[..., None] * rays.directions[:, None]
    through = torch.linalg.cross(rays.origins, rays.directions).norm(dim=-1) < 0.8 * RADIUS
    near = ((points.norm(dim=-1) - RADIUS).abs() < 4 / COARSE).float().mean(1)
    assert near[through].mean() > (0.8 if sharpness > 100 else 0.3)


def test_a_ray_that_meets_nothing_is_looked_at_evenly():
    rays = some_rays()
    places = concentrate(torch.ones(8, 8, 8), rays, 11, 100.0)
    steps = places.diff(dim=1) / ((rays.leave - rays.enter)[:, None] / 12)
    assert torch.allclose(steps, torch.ones_like(steps), atol=1e-3)
