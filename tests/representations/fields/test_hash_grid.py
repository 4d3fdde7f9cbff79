import torch

from backend.representations.fields.hash_grid import HashField, node_rows


def test_coarse_nodes_have_rows_of_their_own_and_fine_ones_are_spread():
    axis = torch.arange(5)
    nodes = torch.cartesian_prod(axis, axis, axis)
    assert node_rows(nodes, 4, 1000).unique().numel() == 125
    rows = node_rows(torch.randint(0, 1000, (100_000, 3)), 1000, 1 << 10)
    assert rows.min() >= 0
    assert rows.bincount(minlength=1 << 10).max() < 200  # 98 expected


def test_resolutions_grow_geometrically_from_coarsest_to_finest():
    field = HashField(levels=3, log_table=8, coarsest=4, finest=64)
    assert field.resolutions == [4, 16, 64]


def test_the_field_is_continuous_across_cells_and_its_normals_are_its_slope():
    torch.manual_seed(0)
    field = HashField(levels=2, log_table=12, coarsest=4, finest=8, width=8, density_bias=None)
    field.double()
    for table in field.tables:
        torch.nn.init.normal_(table)
    border = torch.tensor([[0.5, 0.13, 0.2]], dtype=torch.float64)
    step = torch.tensor([[1e-9, 0, 0]], dtype=torch.float64)
    assert torch.allclose(field(border - step).density, field(border + step).density, atol=1e-6)
    point = torch.tensor([[0.31, 0.13, -0.2]], dtype=torch.float64)
    offsets = torch.eye(3, dtype=torch.float64) * 1e-6
    slope = field(point + offsets).density - field(point - offsets).density
    expected = -torch.nn.functional.normalize(slope, dim=0)
    assert torch.allclose(field(point, normals=True).normals[0], expected, atol=1e-4)
