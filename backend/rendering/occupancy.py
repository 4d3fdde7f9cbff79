"""Which cells of space are worth a look: skips the field's evaluation, never the compositing."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool3d


class Occupancy(nn.Module):
    """A boolean grid over [-1, 1]^3; every cell is occupied until the first update."""

    cells: Tensor

    def __init__(self, resolution: int = 48) -> None:
        super().__init__()
        self.register_buffer("cells", torch.ones((resolution,) * 3, dtype=torch.bool))

    @torch.no_grad()
    def update(self, density: Callable[[Tensor], Tensor], threshold: float = 0.05) -> None:
        """Mark the cells whose density (per world unit) at a center, or at a neighbor's center,
        is above ``threshold``. The neighbors leave room for the surface to grow until next time.
        """
        count = self.cells.shape[0]
        axis = (torch.arange(count, device=self.cells.device) + 0.5) * (2 / count) - 1
        centers = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
        values = torch.cat([density(chunk) for chunk in centers.split(1 << 19)])
        above = (values > threshold).float().reshape(1, 1, count, count, count)
        self.cells.copy_(max_pool3d(above, 3, stride=1, padding=1)[0, 0] > 0)

    def is_full(self) -> bool:
        """Whether every cell is occupied, so that asking for single points is no use."""
        return bool(self.cells.all())

    def contains(self, points: Tensor) -> Tensor:
        """Whether each of ``points`` (..., 3) lies in an occupied cell, (...)."""
        count = self.cells.shape[0]
        index = ((points + 1) * (count / 2)).long().clamp_(0, count - 1)
        flat = (index[..., 0] * count + index[..., 1]) * count + index[..., 2]
        return self.cells.reshape(-1)[flat]
