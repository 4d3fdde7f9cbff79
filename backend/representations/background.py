"""A background that is learned: a color for every ray direction."""

import torch
from torch import Tensor, nn

BASIS = 9


class Background(nn.Module):
    """Real spherical harmonics of degree 2 under a sigmoid: smooth, so that no object hides in it.

    Begins as mid-gray. DreamFusion uses a small network of the direction for the same purpose.
    """

    def __init__(self) -> None:
        super().__init__()
        self.coefficients = nn.Parameter(torch.zeros(BASIS, 3))

    def forward(self, directions: Tensor) -> Tensor:
        """Colors (..., 3) in [0, 1] for unit ``directions`` (..., 3)."""
        return (spherical_harmonics(directions) @ self.coefficients).sigmoid()


def spherical_harmonics(directions: Tensor) -> Tensor:
    """The first nine real spherical harmonics (..., 9), orthonormal over the sphere."""
    x, y, z = directions.unbind(-1)
    one = torch.ones_like(x)
    return torch.stack(
        [
            0.28209479 * one,
            0.48860251 * y,
            0.48860251 * z,
            0.48860251 * x,
            1.09254843 * x * y,
            1.09254843 * y * z,
            0.31539157 * (3 * z * z - 1),
            1.09254843 * x * z,
            0.54627422 * (x * x - y * y),
        ],
        -1,
    )
