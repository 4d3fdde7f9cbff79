"""A dense grid of several resolutions, summed and looked up trilinearly: the fast field on CPU."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.functional import normalize

from backend.rendering.trilinear import interpolate
from backend.representations.fields.base import (
    DensityActivation,
    DensityBias,
    Field,
    FieldSamples,
    activate_density,
    soft_blob,
)
from backend.representations.fields.pyramid import make_pyramid, node_points, resample, sum_pyramid


class GridField(Field):
    """Grids of ``resolution``, half and a quarter of it, over [-1, 1]^3.

    Each holds four channels: density before its activation, albedo before its sigmoid. The levels
    are summed into the finest one before the look-up, so one look-up serves all of them, and the
    coarse ones spread every gradient over a neighborhood.
    """

    def __init__(
        self,
        resolution: int = 48,
        density_activation: DensityActivation = "exp",
        density_bias: DensityBias | None = soft_blob,
    ) -> None:
        super().__init__()
        self.density_activation = density_activation
        self.density_bias = density_bias
        self.levels = make_pyramid(4, resolution)

    @property
    def resolution(self) -> int:
        """Nodes along each axis of the finest level."""
        return int(self.levels[-1].shape[-1])

    def nodes(self) -> Tensor:
        """The sum of all levels at the finest nodes, (4, x, y, z), with the density's bias."""
        total = sum_pyramid(self.levels)
        if self.density_bias is None:
            return total
        return torch.cat([total[:1] + self.density_bias(node_points(total)), total[1:]])

    def forward(
        self, points: Tensor, variances: Tensor | None = None, normals: bool = False
    ) -> FieldSamples:
        """See :class:`Field`. Normals are central differences at the nodes, interpolated between
        them, so they are continuous and cost one wider look-up."""
        nodes = self.nodes()
        if normals:
            nodes = torch.cat([nodes, *(-slope[None] for slope in torch.gradient(nodes[0]))])
        return self._read(nodes.permute(1, 2, 3, 0), points)

    def frozen(self) -> Callable[[Tensor], FieldSamples]:
        """See :class:`Field`: the levels are summed once."""
        nodes = self.nodes().detach().permute(1, 2, 3, 0).contiguous()
        return lambda points: self._read(nodes, points)

    def _read(self, nodes: Tensor, points: Tensor) -> FieldSamples:
        values = interpolate(nodes, points)
        density = activate_density(values[:, 0], self.density_activation)
        directions = normalize(values[:, 4:], dim=-1) if values.shape[1] > 4 else None
        return FieldSamples(density, values[:, 1:4].sigmoid(), directions)

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """One group, "grid"."""
        return {"grid": list(self.levels)}

    def resized(self, resolution: int) -> "GridField":
        """The same field at another resolution, its content resampled onto the finest level."""
        field = GridField(resolution, self.density_activation, self.density_bias)
        field.to(self.levels[-1])
        with torch.no_grad():
            field.levels[-1].copy_(resample(sum_pyramid(self.levels), resolution))
        return field
