import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.rendering.trilinear import interpolate, interpolate_reference


def grid_and_points(seed, shape, count):
    generator = torch.Generator().manual_seed(seed)
    grid = torch.randn(*shape, generator=generator)
    points = torch.rand(count, 3, generator=generator) * 2.4 - 1.2
    return grid, points, torch.randn(count, shape[-1], generator=generator)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000),
    shape=st.tuples(*[st.integers(2, 9)] * 3, st.integers(1, 7)),
    count=st.integers(0, 50),
)
def test_kernels_agree_with_torch_forward_and_backward(seed, shape, count):
    grid, points, gradient = grid_and_points(seed, shape, count)
    found = [
        (function(leaf := grid.clone().requires_grad_(), points), leaf)
        for function in (interpolate, interpolate_reference)
    ]
    (fast, fast_leaf), (slow, slow_leaf) = found
    assert torch.allclose(fast, slow, atol=1e-5)
    fast.backward(gradient)
    slow.backward(gradient)
    assert torch.allclose(fast_leaf.grad, slow_leaf.grad, atol=1e-5)


def test_a_linear_function_is_reproduced_everywhere():
    axes = [torch.linspace(-1, 1, n) for n in (3, 5, 8)]
    x, y, z = torch.meshgrid(*axes, indexing="ij")
    points = torch.rand(100, 3) * 2 - 1
    values = interpolate((2 * x - 3 * y + z + 1)[..., None], points)[:, 0]
    assert torch.allclose(values, points @ torch.tensor([2.0, -3, 1]) + 1, atol=1e-5)


def test_points_outside_take_the_border():
    grid = torch.arange(8.0).reshape(2, 2, 2, 1)
    points = torch.tensor([[5.0, 5, 5], [-5, -5, -5], [1, 1, 1]])
    assert interpolate(grid, points)[:, 0].tolist() == [7, 0, 7]


def test_the_gradient_has_the_same_bits_every_time():
    grid, points, gradient = grid_and_points(0, (6, 6, 6, 4), 20_000)
    leaves = [grid.clone().requires_grad_() for _ in range(3)]
    for leaf in leaves:
        interpolate(leaf, points).backward(gradient)
    assert all(torch.equal(leaf.grad, leaves[0].grad) for leaf in leaves)


@pytest.mark.parametrize("grid_grad", [True, False])
def test_double_precision_and_point_gradients_by_finite_differences(grid_grad):
    grid, points, _ = grid_and_points(1, (4, 3, 5, 2), 6)
    points = (points.double() * 0.7).requires_grad_(not grid_grad)
    assert torch.autograd.gradcheck(interpolate, (grid.double().requires_grad_(grid_grad), points))
