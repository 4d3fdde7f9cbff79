import math

import pytest
import torch

from backend.distillation.regularizers import (
    edge_lengths,
    entropy,
    laplacian,
    opacity,
    orientation,
    total_variation,
)

INTO = torch.tensor([[0.0, 1.0, 0.0]])  # a ray that flies toward +y


@pytest.mark.parametrize(
    ("normal", "loss"),
    [((0, -1, 0), 0.0), ((1, 0, 0), 0.0), ((0, 1, 0), 0.5), ((0, 0.6, 0.8), 0.18)],
)
def test_orientation_punishes_normals_that_face_away(
    normal: tuple[float, ...], loss: float
) -> None:
    found = orientation(torch.tensor([0.5]), torch.tensor([normal]), INTO, rays=1)
    assert float(found) == pytest.approx(loss)


def test_orientation_turns_normals_and_leaves_weights_alone() -> None:
    weights = torch.tensor([0.5], requires_grad=True)
    normals = torch.tensor([[0.0, 1.0, 0.0]], requires_grad=True)
    orientation(weights, normals, INTO, rays=2).backward()
    assert weights.grad is None
    assert normals.grad[0].tolist() == [0.0, 0.5, 0.0]


def test_opacity_and_entropy() -> None:
    assert float(opacity(torch.tensor([0.0, 1.0]))) == pytest.approx((0.1 + math.sqrt(1.01)) / 2)
    assert float(entropy(torch.tensor([0.5]))) == pytest.approx(math.log(2))
    assert float(entropy(torch.tensor([0.0, 1.0]))) < 2e-4


def test_total_variation_of_a_ramp() -> None:
    ramp = torch.arange(5.0).expand(2, 4, 3, 5)
    assert float(total_variation(ramp)) == pytest.approx(1.0)
    assert float(total_variation(torch.ones(1, 3, 3, 3))) == 0


def grid_edges(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Vertices of a flat square lattice and the edges along its rows and columns."""
    number = torch.arange(side * side).reshape(side, side)
    rows = torch.stack([number[:, :-1].flatten(), number[:, 1:].flatten()], 1)
    columns = torch.stack([number[:-1].flatten(), number[1:].flatten()], 1)
    x, y = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    positions = torch.stack([x, y, torch.zeros_like(x)], -1).reshape(-1, 3).float()
    return positions, torch.cat([rows, columns])


def test_the_laplacian_wants_vertices_amid_their_neighbors() -> None:
    positions, edges = grid_edges(5)
    inner = positions.clone().requires_grad_()
    flat = laplacian(inner, edges)
    # Only the border is not amid its neighbors, and pulls at nothing but itself and them.
    (gradient,) = torch.autograd.grad(flat, inner)
    assert gradient[12].abs().max() < 1e-6
    bumped = positions.clone()
    bumped[12, 2] = 0.3
    # The bump itself is 0.3 off its neighbors' mean, each of the four a quarter of that.
    rise = float(laplacian(bumped, edges) - flat.detach())
    assert rise == pytest.approx((0.3**2 + 4 * 0.075**2) / 25, rel=1e-4)


def test_edges_mind_stretching_but_not_turning() -> None:
    positions, edges = grid_edges(4)
    lengths = torch.ones(len(edges))
    turn = torch.linalg.matrix_exp(torch.tensor([[0, -0.7, 0.2], [0.7, 0, 0.1], [-0.2, -0.1, 0]]))
    assert float(edge_lengths(positions @ turn + 3, edges, lengths)) < 1e-10
    assert float(edge_lengths(1.1 * positions, edges, lengths)) == pytest.approx(0.01, rel=1e-4)
