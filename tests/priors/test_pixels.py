import torch

from backend.priors.pixels import decode_pixels, encode_pixels

IMAGES, ALPHA = torch.rand(2, 8, 8, 3), torch.rand(2, 8, 8, 1)


def test_there_and_back() -> None:
    color, alpha = decode_pixels(encode_pixels(IMAGES, ALPHA, 8))
    assert torch.allclose(color, IMAGES, atol=1e-6)
    assert torch.allclose(alpha, ALPHA, atol=1e-6)


def test_unknown_alpha_is_one_as_in_training() -> None:
    latents = encode_pixels(IMAGES, None, 8)
    assert (latents[:, 3] == 1).all()


def test_halving_averages_and_lets_gradients_through() -> None:
    images = torch.full((1, 8, 8, 3), 0.25, requires_grad=True)
    latents = encode_pixels(images, None, 4)
    assert torch.allclose(latents[:, :3], torch.full((1, 3, 4, 4), -0.5))
    latents.sum().backward()
    assert (images.grad > 0).all()
