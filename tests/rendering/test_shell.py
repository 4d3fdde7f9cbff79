"""The shell around vertices: heights, blending, walks and gradients."""

import numpy as np
import torch
import trimesh
from torch import Tensor

from backend.rendering.cameras import orbit_cameras
from backend.rendering.shell import Shell, blend_vertices, find_rows, walk_shell
from backend.rendering.volume import rays_through_ball

RADIUS = 0.7


def ball(subdivisions: int = 4) -> Tensor:
    sphere = trimesh.creation.icosphere(subdivisions=subdivisions, radius=RADIUS)
    return torch.tensor(np.array(sphere.vertices)).float()


def around(count: int, spread: float) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    points = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=-1)
    height = spread * (2 * torch.rand(count, 1, generator=generator) - 1)
    return points * (RADIUS + height)


def test_heights_over_a_ball_are_its_distances() -> None:
    """h = r - R within 2 % of the shell's thickness (DreamEditor's own check)."""
    positions = ball(5)
    shell, points = Shell.around(positions, 0.05), around(2000, 0.03)
    rows, ones = find_rows(shell, points), torch.ones(len(positions), 1)
    _, height = blend_vertices(shell, rows, points, positions, positions / RADIUS, ones)
    assert (rows >= 0).all()
    assert (height - (points.norm(dim=-1) - RADIUS)).abs().max() < 0.02 * 0.05


def test_constant_values_stay_constant_and_vertices_get_their_own() -> None:
    positions = ball(3)
    shell = Shell.around(positions, 0.06)
    values = torch.cat([torch.full((len(positions), 1), 0.3), positions], 1)
    rows = find_rows(shell, positions)
    blended, _ = blend_vertices(shell, rows, positions, positions, positions / RADIUS, values)
    assert torch.allclose(blended[:, 0], torch.tensor(0.3))
    assert torch.allclose(blended[:, 1:], positions, atol=1e-3)


def test_walks_stay_in_the_shell_and_miss_nothing_of_it() -> None:
    shell = Shell.around(ball(), 0.05)
    rays = rays_through_ball(orbit_cameras([0.0, 70.0], 15.0, 3.0, 40.0, 24))
    distances, rows = walk_shell(shell, rays, 0.0125, 60)
    held = rows >= 0
    points = rays.origins[:, None] + distances[..., None] * rays.directions[:, None]
    depth = (points[held].norm(dim=-1) - RADIUS).abs()
    assert depth.max() < 0.05 + 0.05  # a cell's diagonal more
    assert (distances.diff(dim=1) >= 0).all()
    along = -(rays.origins * rays.directions).sum(-1)
    miss = (rays.origins + along[:, None] * rays.directions).norm(dim=-1)
    assert held[miss < RADIUS + 0.03].any(1).all() and not held[miss > RADIUS + 0.11].any()


def test_gradients_match_finite_differences() -> None:
    positions = ball(1).double()
    shell, points = Shell.around(positions, 0.3), around(12, 0.1).double()
    rows, normals = find_rows(shell, points), positions / RADIUS
    values = torch.rand(len(positions), 2, dtype=torch.float64, requires_grad=True)

    def look(values: Tensor) -> tuple[Tensor, Tensor]:
        return blend_vertices(shell, rows, points, positions, normals, values)

    assert torch.autograd.gradcheck(look, (values,), eps=1e-6)


def test_lifting_all_vertices_lowers_all_heights() -> None:
    positions = ball(3).requires_grad_()
    shell, points = Shell.around(positions, 0.06), around(50, 0.02)
    normals = positions.detach() / RADIUS
    ones = torch.ones(len(positions), 1)
    _, height = blend_vertices(shell, find_rows(shell, points), points, positions, normals, ones)
    (gradient,) = torch.autograd.grad(height.sum(), positions)
    assert torch.allclose((gradient * normals).sum(), torch.tensor(-50.0), rtol=1e-4)


def test_the_same_bits_come_out_on_every_run() -> None:
    positions = ball()
    shell, points = Shell.around(positions, 0.05), around(5000, 0.04)
    rows = find_rows(shell, points)
    found = []
    for _ in range(2):
        values = positions.clone().requires_grad_()
        blended, height = blend_vertices(shell, rows, points, positions, positions, values)
        found.append(torch.autograd.grad((blended**2).sum() + height.sum(), values)[0])
    assert torch.equal(*found)
