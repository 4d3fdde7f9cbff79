"""Gaussians: buffers in closed form, channels that children inherit, rows that keep their bits."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.shading import Shading
from backend.representations.densify import Densifier, DensityRule
from backend.representations.gaussians import NAMES, Gaussians
from backend.representations.points import Points

ALL = frozenset({"color", "alpha", "depth", "normals", "coords", "samples"})
RADIUS = 0.6


def ball(count: int = 3000, opacity: float = 0.95) -> Gaussians:
    """Flat Gaussians on a sphere, red on its left half (x < 0), green on its right."""
    generator = torch.Generator().manual_seed(0)
    normals = normalize(torch.randn(count, 3, generator=generator), dim=-1)
    right = (normals[:, :1] > 0).float()
    colors = torch.cat([1 - right, right, torch.zeros(count, 1)], -1)
    gaussians = Gaussians.from_points(Points(RADIUS * normals, colors), opacity)
    # Turn z onto the normal, and flatten along it.
    half = torch.stack([1 + normals[:, 2], -normals[:, 1], normals[:, 0], torch.zeros(count)], -1)
    gaussians.quats.data = half
    gaussians.scales.data[:, 2] -= 3
    return gaussians


def with_moments(gaussians: Gaussians) -> torch.optim.Adam:
    """An optimizer that has moved everything."""
    groups = [{"params": v, "name": k} for k, v in gaussians.parameter_groups().items()]
    adam = torch.optim.Adam(groups, lr=1e-3)
    target = orbit_cameras([0.0, 90], 15.0, 4.0, 35.0, 24)
    for _ in range(3):
        adam.zero_grad()
        gaussians.render(target).color.square().sum().backward()
        adam.step()
    return adam


def rows(gaussians: Gaussians, adam: torch.optim.Adam) -> dict[str, torch.Tensor]:
    """Every parameter and moment, and the channels."""
    found = {name: getattr(gaussians, name).detach().clone() for name in NAMES}
    for name in NAMES:
        for moment in ("exp_avg", "exp_avg_sq"):
            found[f"{name} {moment}"] = adam.state[getattr(gaussians, name)][moment].clone()
    return found | {name: values.clone() for name, values in gaussians.channels.items()}


@pytest.mark.parametrize("ortho", [0.0, 1.6])
def test_a_ball_looks_like_one(ortho: float) -> None:
    cameras = orbit_cameras([0.0, 120], 10.0, 4.0, 25.0, 48)
    cameras = Cameras(cameras.c2w, cameras.fov_degrees, 48, 48, torch.full((2,), ortho))
    buffers = ball().render(cameras, want=ALL)
    origins, directions = cameras.rays()
    offset = torch.linalg.cross(origins, directions).norm(dim=-1)
    inner = offset < RADIUS - 0.15
    assert (buffers.alpha[inner] > 0.95).all()
    assert (buffers.alpha[offset > RADIUS + 0.15] < 0.02).all()
    along = -(origins * directions).sum(-1) - (RADIUS**2 - offset**2).clamp_min(0).sqrt()
    surface = origins + along[..., None] * directions
    axial = -(directions * cameras.backward[:, None, None]).sum(-1)
    assert (buffers.depth[..., 0] - along * axial)[inner].abs().mean() < 0.03
    assert (buffers.coords - surface)[inner].norm(dim=-1).mean() < 0.06
    facing = (normalize(buffers.normals, dim=-1) * surface / RADIUS).sum(-1)
    assert facing[inner].mean() > 0.95
    assert buffers.color[0, 24, 14, 0] > 0.8 > 0.2 > buffers.color[0, 24, 14, 1]


def test_background_stands_behind() -> None:
    cameras, behind = orbit_cameras([0.0], 10.0, 4.0, 60.0, 16), torch.rand(1, 16, 16, 3)
    plain, over = ball().render(cameras), ball().render(cameras, background=behind)
    assert torch.allclose(over.color, plain.color + (1 - plain.alpha) * behind, atol=1e-6)


def test_light_from_the_camera_brightens_what_faces_it() -> None:
    cameras = orbit_cameras([0.0], 0.0, 4.0, 25.0, 33)
    shading = Shading(cameras.positions, textureless=True)
    color = ball().render(cameras, shading=shading).color[0, :, :, 0].detach()
    assert color[16, 16] == pytest.approx(1.0, abs=0.06)
    assert color[16, 16] > color[16, 27] + 0.1


def test_channels_are_drawn_and_deformed_means_are_used() -> None:
    gaussians, cameras = ball(), orbit_cameras([0.0], 0.0, 4.0, 30.0, 24)
    gaussians.add_channel("left", (gaussians.means[:, 0] < 0).float())
    image = gaussians.render(cameras, channels=["left"]).channels["left"][0, :, :, 0]
    assert image[12, 7] > 0.9 and image[12, 16] < 0.1
    moved = gaussians.render(cameras, means=gaussians.means + torch.tensor([0, 0, 0.5]))
    before = gaussians.render(cameras)
    assert moved.alpha[0, 4, 12] > 0.9 > 0.1 > before.alpha[0, 2, 12]


def test_rows_that_stay_keep_every_bit_and_children_inherit() -> None:
    gaussians = ball(200)
    adam = with_moments(gaussians)
    gaussians.add_channel("region", (gaussians.means[:, 0] < 0).float())
    gaussians.add_channel("age", torch.zeros(200), inherit=lambda parents: parents + 1)
    densifier = Densifier(gaussians, (24, 24))
    densifier.gaussians.channels["view gradient"][:20] = 5.0
    gaussians.scales.data[10:] += 2  # rows 10 to 19 are large: split
    gaussians.scales.data[:10] -= 5  # rows 0 to 9 are small: cloned
    gaussians.opacities.data[30:40] = -9  # nearly transparent: pruned
    before = rows(gaussians, adam)
    limit = gaussians.scales[:10].max().exp().item() * 1.01
    rule = DensityRule(gradient=1.0, split_scale=limit, opacity=0.05)
    densifier.densify(rule, torch.Generator().manual_seed(0), adam)
    after = rows(gaussians, adam)
    kept = torch.cat([torch.arange(10), torch.arange(20, 30), torch.arange(40, 200)])
    for name, values in before.items():
        if not name.startswith("view"):
            assert torch.equal(after[name][: len(kept)], values[kept]), name
    assert len(gaussians) == len(kept) + 10 + 20
    clones, halves = slice(180, 190), slice(190, 210)
    assert torch.equal(after["means"][clones], before["means"][:10])
    parents = before["means"][10:20].repeat(2, 1)
    assert not torch.equal(after["means"][halves], parents)
    shrunk = before["scales"][10:20].repeat(2, 1) - np.log(1.6)
    assert torch.allclose(after["scales"][halves], shrunk)
    assert torch.equal(after["region"][halves], before["region"][10:20].repeat(2))
    assert (after["age"][180:] == 1).all() and (after["age"][:180] == 0).all()
    assert all((after[name][180:] == 0).all() for name in after if "exp_avg" in name)
    gaussians.render(orbit_cameras([0.0], 0.0, 4.0, 30.0, 24)).color.sum().backward()
    adam.step()  # the optimizer knows the new parameters
    assert not torch.equal(gaussians.colors, after["colors"])


def test_growth_and_pruning_stay_among_the_chosen_and_below_the_limit() -> None:
    gaussians = ball(100)
    chosen = gaussians.means[:, 0] < 0
    densifier = Densifier(gaussians, (24, 24))
    gaussians.channels["view gradient"] += 1.0
    gaussians.opacities.data[:] = -9
    before = gaussians.means.detach().clone()
    rule = DensityRule(gradient=0.5, split_scale=9.0, opacity=0.0, most=120)
    densifier.densify(rule, torch.Generator(), among=chosen)
    assert len(gaussians) == 120 and torch.equal(gaussians.means[:100], before)
    assert (gaussians.means[100:, 0] < 0).all()
    densifier.prune(DensityRule(opacity=0.05), among=gaussians.means[:, 0] < 0)
    assert torch.equal(gaussians.means, before[~chosen])


def test_view_gradients_are_those_of_the_centers_in_device_coordinates() -> None:
    gaussians, cameras = ball(50), orbit_cameras([0.0, 180], 0.0, 4.0, 30.0, 24, 32)
    densifier = Densifier(gaussians, (24, 32))
    drawn = gaussians.render(cameras, want={"alpha", "samples"})
    centers = drawn.samples["centers"]
    centers.retain_grad()
    drawn.alpha.square().sum().backward()
    expected = (centers.grad * torch.tensor([16.0, 12.0])).norm(dim=-1).mean(0)
    assert torch.allclose(densifier.gradients(), expected)
    assert torch.equal(gaussians.channels["view radius"], drawn.samples["radii"].amax(0))


def test_states_and_splats_come_back() -> None:
    gaussians = ball(60)
    gaussians.add_channel("region", torch.rand(60))
    other = ball(10)
    other.add_channel("region", torch.rand(10), inherit=torch.zeros_like)
    other.load_state(gaussians.state())
    assert all(torch.equal(v, other.state()[k]) for k, v in gaussians.state().items())
    again = Gaussians.from_splats(gaussians.to_splats())
    cameras = orbit_cameras([0.0], 0.0, 4.0, 30.0, 24)
    a, b = (thing.render(cameras).color for thing in (gaussians, again))
    assert torch.allclose(a, b, atol=1e-4)


def test_a_mesh_of_a_ball_is_a_ball_in_its_colors() -> None:
    mesh = ball().to_mesh(resolution=48, texture_size=128, faces=1500)
    radii = np.linalg.norm(mesh.positions, axis=1)
    assert radii.mean() == pytest.approx(RADIUS, abs=0.06) and radii.std() < 0.03
    colors = ball().preview_mesh()
    values, x = colors.attributes["color"].values, colors.positions[:, 0]
    assert values[x < -0.2, 0].mean() > 0.9 and values[x > 0.2, 1].mean() > 0.9


def test_black_is_no_dead_end() -> None:
    points = Points(torch.zeros(1, 3), torch.zeros(1, 3))
    gaussians = Gaussians.from_points(points)
    gaussians.colors.data -= 0.1
    assert torch.equal(gaussians.albedo(), torch.zeros(1, 3))
    gaussians.albedo().sum().backward()
    assert (gaussians.colors.grad > 0).all()
