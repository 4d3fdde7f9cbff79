import pytest
import torch

from backend.rendering.shading import Shading, shade


def lit(normal, shading, albedo=(0.5, 0.25, 1.0)):
    return shade(
        torch.tensor([albedo]),
        torch.tensor([normal]),
        torch.zeros(1, 3),
        shading.light_positions,
        shading,
    )[0]


@pytest.mark.parametrize(("angle", "factor"), [(0.0, 0.9), (60.0, 0.45), (90.0, 0.0), (150.0, 0.0)])
def test_lambert_plus_ambient(angle, factor):
    radians = torch.tensor(angle).deg2rad()
    normal = (float(radians.sin()), 0.0, float(radians.cos()))
    color = lit(normal, Shading(torch.tensor([[0.0, 0, 4]])))
    expected = torch.tensor([0.5, 0.25, 1.0]) * (factor + 0.1)
    assert torch.allclose(color, expected, atol=1e-6)


def test_colored_light():
    shading = Shading(
        torch.tensor([[0.0, 0, 4]]), torch.tensor([0.8, 0, 0]), torch.tensor([0, 0.2, 0])
    )
    assert torch.allclose(lit((0.0, 0, 1), shading), torch.tensor([0.4, 0.05, 0]), atol=1e-6)


def test_textureless_paints_white():
    shading = Shading(torch.tensor([[0.0, 0, 4]]), textureless=True)
    assert torch.allclose(lit((0.0, 0, 1), shading), torch.ones(3))
