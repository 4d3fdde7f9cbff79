import torch

from backend.rendering.sheet import sheet


def test_pictures_stand_row_by_row_and_the_rest_is_empty():
    images = torch.stack([torch.full((2, 3, 4), value) for value in (0.2, 0.4, 2.0)])
    pixels = sheet(images, columns=2).pixels
    assert pixels.shape == (4, 6, 4)
    corners = [pixels[0, 0, 0], pixels[0, 3, 0], pixels[2, 0, 0], pixels[3, 5, 3]]
    assert corners == [51, 102, 255, 0]
