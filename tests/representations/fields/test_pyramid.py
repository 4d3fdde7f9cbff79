import pytest
import torch
from torch.nn.functional import interpolate

from backend.representations.fields.pyramid import (
    make_pyramid,
    node_points,
    resample,
    sum_pyramid,
)


@pytest.mark.parametrize(("nodes", "places"), [(4, 9), (7, 7), (9, 5), (6, 24)])
def test_resampling_is_torchs_trilinear_one(nodes, places):
    grid = torch.randn(3, nodes, nodes, nodes, generator=torch.Generator().manual_seed(0))
    size = (places, places, places)
    expected = interpolate(grid[None], size, mode="trilinear", align_corners=True)[0]
    assert torch.allclose(resample(grid, places), expected, atol=1e-5)


def test_a_linear_function_keeps_its_values_at_any_resolution():
    coarse, fine = (torch.zeros(1, n, n, n) for n in (5, 12))
    slope = torch.tensor([1.0, -2.0, 0.5])
    values = (node_points(coarse) @ slope)[None]
    assert torch.allclose(resample(values, 12)[0], node_points(fine) @ slope, atol=1e-5)


def test_levels_are_a_quarter_half_and_all_and_are_summed():
    levels = make_pyramid(2, 16)
    assert [tuple(level.shape) for level in levels] == [(2, n, n, n) for n in (4, 8, 16)]
    with torch.no_grad():
        for number, level in enumerate(levels, 1):
            level += number
    assert torch.allclose(sum_pyramid(levels), torch.full((2, 16, 16, 16), 6.0))
    sum_pyramid(levels)[:, 0, 0, 0].sum().backward()
    assert [float(level.grad.sum()) for level in levels] == pytest.approx([2.0, 2.0, 2.0])
