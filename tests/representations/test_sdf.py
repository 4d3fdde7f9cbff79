import pytest
import torch
import trimesh

from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.shading import Shading
from backend.representations.background import Background
from backend.representations.sdf import SPHERE_RADIUS, Sdf
from protocol.errors import DistilleryError

ALL = frozenset({"color", "alpha", "depth", "normals", "coords", "samples"})


def views(ortho=0.0, pixels=24):
    cameras = orbit_cameras([30.0, 120.0], 20.0, 3.0, 30.0, pixels)
    return Cameras(cameras.c2w, cameras.fov_degrees, pixels, pixels, torch.full((2,), ortho))


def offset_of(cameras):
    origins, directions = cameras.rays()
    return torch.linalg.cross(origins, directions).norm(dim=-1)


def some_sdf(resolution=24):
    """A bumpy ball of many colors."""
    torch.manual_seed(0)
    sdf = Sdf(resolution, samples=24, inverse_deviation=80.0)
    torch.nn.init.normal_(sdf.geometry[0], std=0.03)
    torch.nn.init.normal_(sdf.colors[0])
    return sdf


@pytest.mark.parametrize("ortho", [0.0, 1.6])
def test_it_begins_as_a_ball_with_its_alpha_depth_normals_and_coords(ortho):
    cameras = views(ortho)
    with torch.no_grad():
        buffers = Sdf(64, samples=32, inverse_deviation=500.0).render(cameras, want=ALL)
    offset = offset_of(cameras)
    assert (buffers.alpha[offset < SPHERE_RADIUS - 0.02] > 0.99).all()
    assert (buffers.alpha[offset > SPHERE_RADIUS + 0.02] < 0.01).all()
    inner = offset < SPHERE_RADIUS - 0.1
    origins, directions = cameras.rays()
    along = -(origins * directions).sum(-1) - (SPHERE_RADIUS**2 - offset**2).clamp_min(0).sqrt()
    surface = (origins + along[..., None] * directions)[inner]
    axial = -(directions * cameras.backward[:, None, None]).sum(-1)
    assert torch.allclose(buffers.depth[inner][:, 0], (along * axial)[inner], atol=4e-3)
    assert torch.allclose(buffers.coords[inner], surface, atol=6e-3)
    assert torch.allclose(buffers.normals[inner], surface / SPHERE_RADIUS, atol=0.03)
    assert torch.allclose(buffers.color[inner], torch.full((3,), 0.5), atol=0.01)
    assert torch.allclose(
        buffers.samples["gradients"].norm(dim=-1).mean(), torch.tensor(1.0), atol=0.02
    )


def test_the_surface_does_not_move_with_the_deviation():
    """Unbiased: however soft the surface, the brightest sample lies on it."""
    cameras, depths = views(pixels=9), []
    for sharpness in (40.0, 400.0):
        with torch.no_grad():
            sdf = Sdf(64, samples=64, inverse_deviation=sharpness)
            depths.append(sdf.render(cameras, want={"depth"}).depth[:, 4, 4, 0])
    assert torch.allclose(depths[0], depths[1], atol=0.01)


def test_light_and_backgrounds_fall_on_it_as_on_a_volume():
    cameras, sdf = views(), Sdf(24, Background())
    over = torch.tensor([0.2, 0.9, 0.4])
    with torch.no_grad():
        plain, learned = sdf.render(cameras, background=over), sdf.render(cameras)
        lit = sdf.render(cameras, shading=Shading(3 * cameras.positions, 1.0, 0.0, True))
    assert torch.allclose(plain.color[0, 0, 0], over)
    assert torch.allclose(learned.color[0, 0, 0], torch.full((3,), 0.5))
    center = lit.color[:, 11:13, 11:13].mean((1, 2))
    assert torch.allclose(center, torch.ones(2, 3), atol=0.05)


@pytest.mark.parametrize("name", ["geometry", "color", "deviation"])
def test_gradients_by_finite_differences(name):
    sdf, cameras = some_sdf(12).double(), views(pixels=6)
    cameras = Cameras(cameras.c2w.double(), cameras.fov_degrees.double(), 6, 6)
    parameter = sdf.parameter_groups()[name][0]

    def loss():
        buffers = sdf.render(cameras, want=ALL)
        return buffers.color.square().sum() + buffers.normals[..., 0].sum() + buffers.alpha.sum()

    (gradient,) = torch.autograd.grad(loss(), parameter)
    index = int(gradient.abs().argmax())
    step = 1e-6
    with torch.no_grad():
        parameter.view(-1)[index] += step
        high = loss()
        parameter.view(-1)[index] -= 2 * step
        low = loss()
    # Places along the rays are not differentiated, and move a little with the parameters.
    slope = float((high - low) / (2 * step))
    assert slope == pytest.approx(float(gradient.reshape(-1)[index]), rel=0.1)


def test_state_goes_through_a_dictionary_and_resizing_keeps_the_shape():
    sdf, copy = some_sdf(), Sdf(16)
    copy.load_state(sdf.state())
    cameras = views()
    with torch.no_grad():
        one, same, finer = (
            thing.render(cameras).color for thing in (sdf, copy, sdf.resized(47))
        )
    assert torch.equal(one, same)
    assert (one - finer).abs().mean() < 0.01


def test_the_same_bits_every_time():
    def once():
        sdf = some_sdf()
        sdf.render(views(), want=ALL).color.sum().backward()
        return [parameter.grad for parameter in sdf.parameters()]

    assert all(torch.equal(a, b) for a, b in zip(once(), once(), strict=True))


def test_the_mesh_is_the_ball_closed_and_colored():
    sdf = Sdf(32)
    with torch.no_grad():
        sdf.colors[-1][..., 0] = 5.0
    mesh = sdf.to_mesh(48, 128, 3000)
    solid = trimesh.Trimesh(mesh.positions, mesh.faces, process=False)
    assert solid.is_watertight
    assert solid.volume == pytest.approx(4 / 3 * 3.14159 * SPHERE_RADIUS**3, rel=0.02)
    assert mesh.material.base_color_map.pixels[..., 0].min() > 240
    assert len(sdf.preview_mesh().faces) <= 4000


def test_an_empty_field_has_no_mesh():
    sdf = Sdf(16)
    with torch.no_grad():
        sdf.geometry[-1] += 2
    with pytest.raises(DistilleryError, match="empty"):
        sdf.to_mesh(24)
