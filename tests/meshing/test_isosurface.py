import numpy as np
import pytest
import torch
import trimesh

from backend.meshing.isosurface import automatic_threshold, level_field, march, sample_density
from protocol.errors import DistilleryError


def soft_ball(scale, falloff):
    """exp density that passes ``scale`` at radius 0.5 and grows by e every 1 / falloff."""
    return lambda points: scale * (falloff * (0.5 - points.norm(dim=-1))).clamp(-20, 3).exp()


def hard_ball(density):
    return lambda points: (points.norm(dim=-1) < 0.5).float() * density


@pytest.mark.parametrize("density", [0.5, 5.0, 50.0, 5000.0])
def test_the_threshold_of_a_hard_ball_is_inside_its_step_at_any_scale(density):
    threshold = automatic_threshold(sample_density(hard_ball(density), 48))
    assert 0 < threshold < density


@pytest.mark.parametrize("scale", [8.0, 30.0, 200.0])
def test_the_surface_of_a_soft_ball_is_where_it_looks_solid(scale):
    density = soft_ball(scale, falloff=40.0)
    level = level_field(grid := sample_density(density, 64), automatic_threshold(grid))
    positions, _ = march(level)
    radius = np.linalg.norm(positions, axis=1).mean()
    # Where a ray straight past the center at this distance stops 70 % of the light.
    z = torch.linspace(-1, 1, 4001)
    offsets = torch.linspace(0.3, 0.8, 251)
    points = torch.stack(torch.broadcast_tensors(offsets[:, None], torch.tensor(0.0), z), -1)
    alpha = 1 - (-density(points).sum(1) * (z[1] - z[0])).exp()
    outline = offsets[alpha > 0.7].max().item()
    assert radius == pytest.approx(outline, abs=2 / 63)


@pytest.mark.parametrize(("faintness", "filled"), [(0.3, True), (0.02, False)])
def test_what_is_faint_in_a_body_leaves_no_pit_and_what_is_open_stays_so(faintness, filled):
    """A ball with a bore of a fifth of its width, in which it has a share of the threshold."""
    ball = soft_ball(30.0, falloff=60.0)
    whole = sample_density(ball, 64)
    threshold = automatic_threshold(whole)

    def bored(points):
        bore = (points[:, :2].norm(dim=-1) < 0.1) & (points[:, 2] > -0.1)
        return torch.where(bore, ball(points).clamp(max=faintness * threshold), ball(points))

    level, former = level_field(sample_density(bored, 64), threshold), level_field(whole, threshold)
    assert former[32, 32, 40] > 0 and (level[32, 32, 40] > 0) == filled
    outside = np.linalg.norm(np.stack(np.mgrid[:64, :64, :64]) / 31.5 - 1, axis=0) > 0.55
    assert ((level > 0) & outside).sum() <= ((former > 0) & outside).sum()


@pytest.mark.parametrize("density", [lambda p: torch.zeros(len(p)), hard_ball(0.01)])
def test_nothing_there_is_an_error_with_a_hint(density):
    with pytest.raises(DistilleryError) as error:
        automatic_threshold(sample_density(density, 16))
    assert error.value.problem.code == "mesh_nothing"
    assert error.value.problem.hint


def test_positions_are_where_the_density_says_with_axes_in_order():
    center = torch.tensor([0.3, -0.4, 0.1])
    grid = sample_density(lambda p: 10 * (0.25 - (p - center).norm(dim=-1)).mul(30).exp(), 64)
    positions, faces = march(level_field(grid, 10.0))
    radii = np.linalg.norm(positions - center.numpy(), axis=1)
    assert np.abs(radii - 0.25).max() < 0.004  # an eighth of a cell
    mesh = trimesh.Trimesh(positions, faces, process=False)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 0.25**3, rel=0.02)


def test_what_reaches_the_border_is_closed_there():
    grid = np.ones((12, 12, 12), np.float32)
    assert trimesh.Trimesh(*march(level_field(grid, 0.5)), process=False).is_watertight


def test_outside_the_ball_there_is_nothing():
    grid = sample_density(lambda points: torch.ones(len(points)), 17)
    assert grid[0, 0, 0] == 0
    assert grid[8, 8, 8] == 1
