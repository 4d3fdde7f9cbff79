"""Contact sheets: several views in one picture."""

import torch
from torch import Tensor

from protocol.assets import Image


def sheet(images: Tensor, columns: int) -> Image:
    """``images`` (n, height, width, 3 or 4) in [0, 1], row by row in ``columns`` columns; places
    left over are black (transparent where there is alpha)."""
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    tiles = images.new_zeros(rows * columns, height, width, channels)
    tiles[:count] = images
    tiles = tiles.reshape(rows, columns, height, width, channels).transpose(1, 2)
    pixels = tiles.reshape(rows * height, columns * width, channels)
    return Image((pixels.detach().clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy())
