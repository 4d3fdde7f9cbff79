"""Points on meshes, and growing them as GaussianDreamer does."""

import numpy as np
import pytest
import torch

from backend.representations.points import Points, grow_points, neighbor_distances, sample_surface
from protocol.assets import Attribute, Image, Material, Mesh

REACH, SPREAD = 0.05, 0.2


def seeds(count: int = 80) -> Points:
    generator = torch.Generator().manual_seed(1)
    return Points(*torch.rand(2, count, 3, generator=generator))


def grown(seed: int = 0) -> tuple[Points, Points]:
    first = seeds()
    return first, grow_points(first, 5000, REACH, SPREAD, torch.Generator().manual_seed(seed))


def two_triangles(**words: object) -> Mesh:
    """In the plane z = 0: one of area 1/2 at the origin, one of area 3/2 beside it."""
    positions = np.array(
        [[0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 0, 0], [5, 0, 0], [2, 1, 0]], np.float32
    )
    return Mesh(positions, np.array([[0, 1, 2], [3, 4, 5]], np.int32), **words)


def test_added_points_are_near_their_seeds_in_the_box_and_no_near_one_is_missing() -> None:
    first, points = grown()
    added = points.positions[len(first.positions) :]
    nearest = torch.cdist(added.double(), first.positions.double()).min(1)
    assert 0 < len(added) < 5000 and (nearest.values < REACH).all()
    assert (added >= first.positions.amin(0)).all() and (added <= first.positions.amax(0)).all()
    low, high = first.positions.amin(0), first.positions.amax(0)
    drawn = low + (high - low) * torch.rand(5000, 3, generator=torch.Generator().manual_seed(0))
    distances = torch.cdist(drawn.double(), first.positions.double()).amin(1)
    assert len(added) == int((distances < REACH).sum())


def test_added_colors_are_those_of_the_nearest_seed_a_little_brighter() -> None:
    first, points = grown()
    count = len(first.positions)
    nearest = torch.cdist(points.positions[count:], first.positions).argmin(1)
    brighter = points.colors[count:] - first.colors[nearest]
    assert (brighter >= 0).all() and (brighter <= SPREAD + 1e-6).all()
    assert brighter.max() > 0.9 * SPREAD and points.colors.max() <= 1


def test_seeds_stay_and_the_generator_decides() -> None:
    (first, once), (_, twice), (_, other) = grown(), grown(), grown(seed=1)
    assert torch.equal(once.positions[: len(first.positions)], first.positions)
    assert torch.equal(once.positions, twice.positions) and torch.equal(once.colors, twice.colors)
    assert not torch.equal(once.positions[:200], other.positions[:200])


def test_neighbor_distances_are_those_of_brute_force() -> None:
    positions = seeds().positions
    expected = torch.cdist(positions.double(), positions.double()).sort(1).values[:, 1:4]
    assert torch.allclose(neighbor_distances(positions, 3).double(), expected, atol=1e-6)
    assert (neighbor_distances(positions[:1], 3) == 1).all()


def test_faces_get_points_by_their_area_and_evenly() -> None:
    points = sample_surface(two_triangles(), 8000, torch.Generator().manual_seed(0)).positions
    second = points[:, 0] >= 2
    assert float(second.float().mean()) == pytest.approx(0.75, abs=0.02)
    assert points[~second].mean(0).tolist() == pytest.approx([1 / 3, 1 / 3, 0], abs=0.02)
    assert (points[:, :2].min() >= 0) and (points[~second, :2].sum(1) <= 1 + 1e-6).all()


def test_colors_come_from_vertices_texture_or_material() -> None:
    generator = torch.Generator().manual_seed(0)
    values = np.zeros((6, 4), np.float32)
    values[:3, 0], values[3:, 1] = 1, 1
    painted = two_triangles(attributes={"color": Attribute("point", values)})
    points = sample_surface(painted, 50, generator)
    left = points.positions[:, :1] < 1.5
    assert torch.allclose(points.colors[:, :1], left.float())
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:, :4, 2], pixels[:, 4:, 1] = 255, 255
    uvs = np.array([[[0.1, 0.2]] * 3, [[0.9, 0.2]] * 3], np.float32)
    textured = two_triangles(uvs=uvs, material=Material(base_color_map=Image(pixels)))
    points = sample_surface(textured, 50, generator)
    assert torch.allclose(points.colors[:, 2:], (points.positions[:, :1] < 1.5).float())
    plain = two_triangles(material=Material(base_color=(0.1, 0.2, 0.3, 1)))
    colors = sample_surface(plain, 5, generator).colors
    assert torch.allclose(colors, torch.tensor([0.1, 0.2, 0.3]))
