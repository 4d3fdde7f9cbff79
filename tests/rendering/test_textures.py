"""Texture look-up: where texels lie, and its gradients."""

import torch

from backend.rendering.textures import sample_texture


def test_texels_lie_at_their_centers_and_blend_between() -> None:
    texels = torch.tensor([[[0.0], [1.0]]])
    uvs = torch.tensor([[0.5, 0.5], [0.25, 0.5], [0.75, 0.5], [-1, 0.5], [2, 0.5]])
    expected = torch.tensor([0.5, 0.0, 1.0, 0.0, 1.0])
    assert torch.allclose(sample_texture(texels, uvs)[:, 0], expected, atol=1e-6)


def test_v_grows_upward() -> None:
    texels = torch.tensor([[[1.0]], [[0.0]]])
    assert sample_texture(texels, torch.tensor([0.5, 0.9])) == 1


def test_shapes_are_those_of_the_places() -> None:
    assert sample_texture(torch.rand(4, 5, 3), torch.rand(2, 7, 6, 2)).shape == (2, 7, 6, 3)


def test_gradients_match_finite_differences() -> None:
    generator = torch.Generator().manual_seed(1)
    texels = torch.rand(5, 4, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    uvs = torch.rand(12, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(sample_texture, (texels, uvs), eps=1e-7, atol=1e-6)
