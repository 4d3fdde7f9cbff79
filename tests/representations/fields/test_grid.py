import torch
from torch.nn.functional import interpolate

from backend.representations.fields.base import magic3d_blob
from backend.representations.fields.grid import GridField


def test_levels_add_up_as_if_each_was_looked_up():
    field = GridField(12, density_bias=None)
    for level in field.levels:
        torch.nn.init.normal_(level)
    at_once = sum(
        interpolate(level[None], (12,) * 3, mode="trilinear", align_corners=True)[0]
        for level in field.levels
    )
    assert torch.allclose(field.nodes(), at_once, atol=1e-6)
    nodes = torch.linspace(-1, 1, 12)
    found = field(torch.stack([nodes[3], nodes[7], nodes[5]])[None])
    assert torch.allclose(found.density, at_once[0, 3, 7, 5].exp(), rtol=1e-4)
    assert torch.allclose(found.albedo[0], at_once[1:, 3, 7, 5].sigmoid(), atol=1e-5)


def test_every_level_gets_the_gradient_of_its_neighborhood():
    field = GridField(16)
    field(torch.rand(50, 3) - 0.5).density.sum().backward()
    assert all(level.grad[0].abs().sum() > 0 for level in field.levels)
    assert all((level.grad[1:] == 0).all() for level in field.levels)


def test_normals_of_a_blob_point_outward():
    field = GridField(32, density_bias=magic3d_blob)
    points = torch.nn.functional.normalize(torch.randn(200, 3), dim=-1) * 0.5
    normals = field(points, normals=True).normals
    assert ((normals * points).sum(-1) / 0.5 > 0.99).all()


def test_normals_are_differentiable():
    field = GridField(8)
    normals = field(torch.rand(20, 3) - 0.5, normals=True).normals
    normals[:, 0].sum().backward()
    assert field.levels[-1].grad[0].abs().sum() > 0


def test_the_frozen_field_is_the_field():
    field = GridField(8)
    torch.nn.init.normal_(field.levels[-1])
    points = torch.rand(30, 3) * 2 - 1
    for a, b in zip(field(points)[:2], field.frozen()(points)[:2], strict=True):
        assert torch.equal(a, b)
