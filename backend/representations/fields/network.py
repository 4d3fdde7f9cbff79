"""Fields that are networks: what a hash grid and the paper's MLP share."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from backend.representations.fields.base import (
    DensityActivation,
    DensityBias,
    Field,
    FieldSamples,
    activate_density,
)


class NetworkField(Field):
    """A field whose :meth:`raw` gives density before its activation and albedo before its sigmoid.

    Normals come from automatic differentiation of the density by position, and can be
    differentiated once more for the losses that use them.
    """

    def __init__(
        self, density_activation: DensityActivation, density_bias: DensityBias | None
    ) -> None:
        super().__init__()
        self.density_activation = density_activation
        self.density_bias = density_bias

    def raw(self, points: Tensor, variances: Tensor | None) -> Tensor:
        """The network's four outputs (n, 4) at ``points`` (n, 3)."""
        raise NotImplementedError

    def forward(
        self, points: Tensor, variances: Tensor | None = None, normals: bool = False
    ) -> FieldSamples:
        """See :class:`Field`."""
        if not normals:
            return self._activate(self._biased(points, variances), None)
        differentiable = torch.is_grad_enabled()
        with torch.enable_grad():
            places = points.detach().requires_grad_()
            values = self._biased(places, variances)
            # The activation is monotone: the slope before it points the same way.
            (slope,) = torch.autograd.grad(values[:, 0].sum(), places, create_graph=differentiable)
        values = values if differentiable else values.detach()
        return self._activate(values, -normalize(slope, dim=-1))

    def _biased(self, points: Tensor, variances: Tensor | None) -> Tensor:
        values = self.raw(points, variances)
        if self.density_bias is None:
            return values
        return torch.cat([values[:, :1] + self.density_bias(points)[:, None], values[:, 1:]], 1)

    def _activate(self, values: Tensor, normals: Tensor | None) -> FieldSamples:
        density = activate_density(values[:, 0], self.density_activation)
        return FieldSamples(density, values[:, 1:].sigmoid(), normals)
