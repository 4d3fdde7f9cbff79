import torch

from backend.representations.fields.mlp import MlpField, integrated_encoding


def test_integrated_encoding_is_the_mean_over_the_gaussian():
    mean = torch.tensor([[0.3, -0.7, 0.1]])
    variance = torch.tensor([[0.01, 0.2, 0.0004]])
    samples = mean + variance.sqrt() * torch.randn(400_000, 3)
    none = torch.zeros_like(samples)
    average = integrated_encoding(samples, none, 4).mean(0)
    assert torch.allclose(integrated_encoding(mean, variance, 4)[0], average, atol=6e-3)


def test_without_variance_it_is_the_plain_encoding():
    points = torch.rand(5, 3)
    encoded = integrated_encoding(points, torch.zeros(5, 3), 3).reshape(5, 6, 3)
    for octave in range(3):
        assert torch.allclose(encoded[:, octave], (2**octave * points).sin(), atol=1e-6)
        assert torch.allclose(encoded[:, 3 + octave], (2**octave * points).cos(), atol=1e-6)


def test_inflation_smooths_the_field():
    torch.manual_seed(0)
    field = MlpField(width=32, blocks=1, density_bias=None)
    line = torch.linspace(-0.5, 0.5, 400)[:, None] * torch.tensor([[1.0, 0.4, 0.2]])
    roughness = []
    for inflation in (5e-2, 0.0):
        field.inflation = inflation
        roughness.append(field(line).albedo.diff(n=2, dim=0).abs().mean().item())
    assert roughness[0] < 0.2 * roughness[1]
