import torch

from backend.representations.background import spherical_harmonics


def test_harmonics_are_orthonormal_over_the_sphere():
    directions = torch.nn.functional.normalize(torch.randn(400_000, 3), dim=-1)
    values = spherical_harmonics(directions)
    gram = 4 * torch.pi * (values.T @ values) / len(values)
    assert torch.allclose(gram, torch.eye(9), atol=0.02)
