"""What moving points are charged for, in closed form."""

import math

import pytest
import torch
from torch import Tensor

from backend.deformation.regularizers import divergence, neighbor_edges, rigidity, stretch


def cloud(*deviations: float) -> Tensor:
    """Points whose variances are exactly these, without correlation."""
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3)
    return corners * torch.tensor(deviations)


def turned(points: Tensor, degrees: float) -> Tensor:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return points @ torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T


def test_a_cloud_that_stays_diverges_by_nothing() -> None:
    still = cloud(0.3, 0.5, 0.2)
    assert float(divergence(still, still.expand(4, -1, -1))) == pytest.approx(0, abs=1e-6)


def test_a_moved_cloud_diverges_by_the_square_of_its_way() -> None:
    still = cloud(0.3, 0.5, 0.2)
    moved = (still + torch.tensor([0.2, 0, 0]))[None]
    assert float(divergence(still, moved)) == pytest.approx(0.2**2 / (8 * 0.3**2), abs=1e-6)


def test_a_scaled_cloud_diverges_alike_along_each_axis() -> None:
    still = cloud(0.3, 0.5, 0.2)
    axis = 0.5 * math.log((1 + 1.5**2) / (2 * 1.5))
    assert axis == pytest.approx(0.04002, abs=1e-5)
    assert float(divergence(still, 1.5 * still[None])) == pytest.approx(3 * axis, abs=1e-6)


def test_a_quarter_turn_swaps_variances() -> None:
    still = cloud(0.3, 0.5, 0.2)
    found = float(divergence(still, turned(still, 90)[None]))
    assert found == pytest.approx(2 * 0.0626, abs=2e-4)


def test_frames_count_alike() -> None:
    still = cloud(0.3, 0.5, 0.2)
    moved = torch.stack([still, still + torch.tensor([0.2, 0, 0])])
    assert float(divergence(still, moved)) == pytest.approx(0.2**2 / (16 * 0.3**2), abs=1e-6)


def test_each_edge_joins_neighbors_once() -> None:
    line = torch.tensor([[0.0, 0, 0], [1, 0, 0], [3, 0, 0]])
    assert neighbor_edges(line, 1).tolist() == [[0, 1], [1, 2]]
    assert neighbor_edges(line, 9).tolist() == [[0, 1], [0, 2], [1, 2]]


def test_shifting_costs_nothing_and_turning_only_rigidity() -> None:
    still = torch.rand(60, 3, generator=torch.Generator().manual_seed(0))
    edges = neighbor_edges(still, 4)
    shifted, spun = (still + 0.3)[None], turned(still, 60)[None]
    assert float(rigidity(still, shifted, edges)) < 1e-10
    assert float(stretch(still, shifted, edges)) < 1e-10
    assert float(stretch(still, spun, edges)) < 1e-10
    # Turned by 60 degrees an edge in the plane changes by its own length.
    flat = torch.cat([still[:, :2], torch.zeros(60, 1)], 1)
    edges = neighbor_edges(flat, 4)
    assert float(rigidity(flat, turned(flat, 60)[None], edges)) == pytest.approx(1, abs=1e-5)
    assert float(stretch(flat, 1.5 * flat[None], edges)) == pytest.approx(0.25, abs=1e-4)
