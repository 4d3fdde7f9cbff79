import math

import pytest
import torch

from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.shading import Shading
from backend.representations.background import Background
from backend.representations.fields.base import Field, FieldSamples
from backend.representations.fields.hash_grid import HashField
from backend.representations.fields.mlp import MlpField
from backend.representations.volume import Volume, grid_volume

ALL = frozenset({"color", "alpha", "depth", "normals", "coords", "samples"})
RADIUS = 0.6


class Ball(Field):
    """A red ball of one density."""

    def __init__(self, density):
        super().__init__()
        self.inside = density

    def forward(self, points, variances=None, normals=False):
        density = (points.norm(dim=-1) < RADIUS).float() * self.inside
        outward = torch.nn.functional.normalize(points, dim=-1)
        return FieldSamples(density, torch.tensor([1.0, 0, 0]).expand_as(points), outward)


def some_volume():
    torch.manual_seed(0)
    volume = grid_volume(16, samples=24, background=Background())
    for level in volume.field.levels:
        torch.nn.init.normal_(level, std=0.5)
    return volume


def distance_to_center(cameras):
    origins, directions = cameras.rays()
    return torch.linalg.cross(origins, directions).norm(dim=-1, keepdim=True)


def test_silhouette_depth_normals_and_coords_of_a_solid_ball():
    cameras = orbit_cameras([30.0, 120.0], 20.0, 3.0, 35.0, 24)
    buffers = Volume(Ball(2000.0), samples=512).render(cameras, want=ALL)
    offset = distance_to_center(cameras)
    assert (buffers.alpha[offset < RADIUS - 0.01] > 0.99).all()
    assert (buffers.alpha[offset > RADIUS + 0.01] == 0).all()
    assert (buffers.depth[offset > RADIUS + 0.01] == 0).all()
    inner = (offset < RADIUS - 0.05)[..., 0]
    origins, directions = cameras.rays()
    along = (
        -(origins * directions).sum(-1, keepdim=True) - (RADIUS**2 - offset**2).clamp_min(0).sqrt()
    )
    surface = (origins + along * directions)[inner]
    axial = -(directions * cameras.backward[:, None, None]).sum(-1, keepdim=True)
    assert torch.allclose(buffers.depth[inner], (along * axial)[inner], atol=0.01)
    assert torch.allclose(buffers.coords[inner], surface, atol=0.01)
    assert torch.allclose(buffers.normals[inner], surface / RADIUS, atol=0.02)


@pytest.mark.parametrize("ortho", [0.0, 1.5])
def test_alpha_through_a_homogeneous_ball(ortho):
    cameras = orbit_cameras([0.0], 10.0, 3.0, 30.0, 16)
    cameras = Cameras(cameras.c2w, cameras.fov_degrees, 16, 16, torch.tensor([ortho]))
    alpha = Volume(Ball(1.5), samples=512).render(cameras).alpha
    chord = 2 * (RADIUS**2 - distance_to_center(cameras) ** 2).clamp_min(0).sqrt()
    assert torch.allclose(alpha, 1 - (-1.5 * chord).exp(), atol=0.01)


def test_color_is_composited_over_the_given_background():
    cameras = orbit_cameras([0.0, 90.0], 10.0, 3.0, 60.0, 16)
    volume = Volume(Ball(1.5), samples=32)
    over = torch.rand(2, 16, 16, 3)
    black, given = (volume.render(cameras, background=b) for b in (None, over))
    assert torch.allclose(given.color, black.color + (1 - black.alpha) * over, atol=1e-6)
    assert torch.equal(given.color[0, 0, 0], over[0, 0, 0])


def test_the_learned_background_fills_what_is_empty_and_learns():
    volume = Volume(Ball(0.0), Background(), samples=4)
    cameras = orbit_cameras([0.0], 0.0, 3.0, 60.0, 8)
    color = volume.render(cameras).color
    assert torch.allclose(color, torch.full_like(color, 0.5))
    color.sum().backward()
    assert volume.background.coefficients.grad.abs().sum() > 0


def test_shading_of_a_ball_in_closed_form():
    cameras = orbit_cameras([0.0], 0.0, 3.0, 35.0, 17)
    shading = Shading(torch.tensor([[0.0, -5, 0]]))
    color = Volume(Ball(2000.0), samples=512).render(cameras, shading=shading).color
    # At the center of the picture the surface faces camera and light.
    assert torch.allclose(color[0, 8, 8], torch.tensor([1.0, 0, 0]), atol=0.01)
    point = torch.tensor([RADIUS / math.sqrt(2), -RADIUS / math.sqrt(2), 0])
    (pixel,), _ = cameras.project(point[None])
    toward = torch.nn.functional.normalize(torch.tensor([0.0, -5, 0]) - point, dim=0)
    expected = 0.9 * (point / RADIUS @ toward) + 0.1
    column, row = pixel[0].long().tolist()
    assert color[0, row, column, 0].item() == pytest.approx(float(expected), abs=0.08)


def test_textureless_renders_have_no_gradient_to_albedo_but_one_to_density():
    volume = some_volume()
    cameras = orbit_cameras([0.0], 10.0, 3.0, 40.0, 12)
    shading = Shading(torch.tensor([[1.0, -2, 2]]), textureless=True)
    volume.render(cameras, shading=shading, background=torch.zeros(3)).color.sum().backward()
    gradients = [level.grad for level in volume.field.levels]
    assert all((gradient[1:] == 0).all() for gradient in gradients)
    assert all(gradient[0].abs().sum() > 0 for gradient in gradients)


def test_samples_have_the_documented_shapes_and_add_up():
    volume = some_volume()
    cameras = orbit_cameras([0.0, 50.0], 10.0, 3.0, 40.0, 12)
    buffers = volume.render(cameras, want=ALL)
    samples, rays = buffers.samples, len(buffers.samples["pixels"])
    assert samples["weights"].shape == samples["density"].shape == (rays, 24)
    assert samples["normals"].shape == samples["points"].shape == (rays, 24, 3)
    assert samples["directions"].shape == (rays, 3)
    alpha = buffers.alpha.reshape(-1)[samples["pixels"]]
    assert torch.allclose(samples["weights"].sum(1), alpha, atol=1e-6)


def test_occupancy_gives_the_same_picture():
    volume = Volume(Ball(50.0), samples=64)
    cameras = orbit_cameras([0.0, 70.0], 10.0, 3.0, 40.0, 16)
    before = volume.render(cameras, want=ALL)
    volume.update_occupancy()
    after = volume.render(cameras, want=ALL)
    assert len(after.samples["pixels"]) < len(before.samples["pixels"])
    for name in ("color", "alpha", "depth", "normals", "coords"):
        assert torch.allclose(getattr(before, name), getattr(after, name), atol=1e-6)


def test_without_gradients_the_picture_is_the_same():
    volume = some_volume()
    cameras = orbit_cameras([0.0, 40.0], 10.0, 3.0, 40.0, 12)
    with torch.no_grad():
        without = volume.render(cameras, want=ALL)
    assert torch.equal(without.color, volume.render(cameras, want=ALL).color.detach())


def test_an_empty_volume_and_a_camera_that_looks_away_give_the_background():
    away = orbit_cameras([0.0], 0.0, 3.0, 40.0, 8)
    turned = away.c2w.clone()
    turned[:, :3, [0, 2]] *= -1
    volume = Volume(Ball(9.0), samples=8)
    volume.update_occupancy()
    away = Cameras(turned, away.fov_degrees, 8, 8)
    buffers = volume.render(away, want=ALL, background=torch.ones(3))
    assert (buffers.color == 1).all()
    assert (buffers.alpha == 0).all()


def test_ten_steps_of_fitting_have_the_same_bits_twice_and_after_a_resume():
    cameras = orbit_cameras([0.0, 90.0], 15.0, 3.0, 40.0, 16)
    target = Volume(Ball(30.0), samples=32).render(cameras).color

    def fit(volume, first, last):
        for step in range(first, last):
            jitter = torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(step))
            color = volume.render(cameras, jitter=jitter, background=torch.zeros(3)).color
            (color - target).square().sum().backward()
            with torch.no_grad():
                for parameter in volume.field.parameters():
                    parameter -= 0.05 * parameter.grad
                    parameter.grad = None
            if step == 4:
                volume.update_occupancy()
        return volume

    once, twice, first_half = (fit(grid_volume(12), 0, n) for n in (10, 10, 5))
    resumed = grid_volume(12)
    resumed.load_state(first_half.state())
    fit(resumed, 5, 10)
    for other in (twice, resumed):
        assert all(torch.equal(v, other.state()[k]) for k, v in once.state().items())
    error = [(v.render(cameras).color - target).square().mean() for v in (grid_volume(12), once)]
    assert error[1] < 0.75 * error[0]


def test_resizing_keeps_the_field_and_states_of_other_sizes_load():
    volume = some_volume()
    finer = volume.resized(31)  # every second node coincides
    points = torch.rand(500, 3) * 1.1 - 0.55
    a, b = (v.field.nodes() for v in (volume, finer))
    inside = slice(1, -1)
    assert torch.allclose(b[1:, ::2, ::2, ::2][:, inside], a[1:, inside], atol=1e-5)
    other = grid_volume(16, background=Background())
    other.load_state(finer.state())
    assert torch.equal(other.field(points).density, finer.field(points).density)
    with pytest.raises(TypeError, match="GridField"):
        Volume(Ball(1.0)).resized(8)


@pytest.mark.parametrize(
    "make",
    [
        lambda: HashField(levels=3, log_table=10, coarsest=4, finest=16, width=8),
        lambda: MlpField(width=16, blocks=2),
    ],
)
def test_network_fields_render_and_learn_also_from_normals(make):
    torch.manual_seed(0)
    volume = Volume(make(), samples=8)
    cameras = orbit_cameras([0.0], 10.0, 3.0, 40.0, 6)
    buffers = volume.render(cameras, want=ALL, shading=Shading(torch.tensor([[0.0, -3, 3]])))
    facing = (buffers.samples["normals"] * buffers.samples["directions"][:, None]).sum(-1)
    ((buffers.samples["weights"] * facing).sum() + buffers.color.sum()).backward()
    assert all(parameter.grad is not None for parameter in volume.parameters())
    assert all(parameter.grad.isfinite().all() for parameter in volume.parameters())
    names = {id(p) for group in volume.parameter_groups().values() for p in group}
    assert names == {id(p) for p in volume.parameters()}


def test_a_mesh_of_the_volume_is_the_ball():
    mesh = Volume(Ball(100.0)).to_mesh(resolution=48, texture_size=128, faces=1500)
    radii = torch.from_numpy(mesh.positions).norm(dim=-1)
    assert torch.allclose(radii, torch.tensor(RADIUS), atol=0.03)
    assert len(mesh.faces) <= 1500
    assert mesh.material.base_color_map.pixels[..., 0].min() > 250
    assert Volume(Ball(100.0)).preview_mesh().attributes["color"].values[:, 0].min() > 0.98
