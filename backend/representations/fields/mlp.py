"""The paper's field: an MLP on integrated positional encoding (DreamFusion, appendix A.2).

Slow on CPU (about a hundred times the grid); it is for GPUs, and for tests.
"""

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.functional import silu

from backend.representations.fields.base import DensityActivation, DensityBias, dreamfusion_blob
from backend.representations.fields.network import NetworkField

OCTAVES = 8


class MlpField(NetworkField):
    """Five residual blocks of 128 with SiLU and layer normalization.

    ``inflation``: a variance that is added to that of every sample. The paper anneals it from
    5e-2 to 2e-3 over the first third of the run, from coarse to fine; the recipe sets it.
    """

    integrated = True

    def __init__(
        self,
        width: int = 128,
        blocks: int = 5,
        density_activation: DensityActivation = "exp",
        density_bias: DensityBias | None = dreamfusion_blob,
    ) -> None:
        super().__init__(density_activation, density_bias)
        self.inflation = 5e-2
        self.first = nn.Linear(6 * OCTAVES, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(blocks))
        self.last = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4))

    def raw(self, points: Tensor, variances: Tensor | None) -> Tensor:
        """See :class:`NetworkField`; without variances only the inflation is integrated over."""
        spread = torch.zeros_like(points) if variances is None else variances
        hidden = self.first(integrated_encoding(points, spread + self.inflation, OCTAVES))
        for block in self.blocks:
            hidden = block(hidden)
        values: Tensor = self.last(hidden)
        return values

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """One group, "network"."""
        return {"network": list(self.parameters())}


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.into = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        residual: Tensor = self.out(silu(self.into(self.norm(hidden))))
        return hidden + residual


def integrated_encoding(means: Tensor, variances: Tensor, octaves: int) -> Tensor:
    """Expected sine and cosine of 2^l x, l < ``octaves``, for Gaussians of diagonal covariance.

    ``means`` and ``variances`` (n, 3) give (n, 6 * octaves); frequencies much finer than a
    Gaussian fade out (mip-NeRF, equation 14).
    """
    frequencies = 2.0 ** torch.arange(octaves, device=means.device).to(means)
    phase = means[:, None] * frequencies[:, None]
    damping = (-0.5 * variances[:, None] * frequencies[:, None] ** 2).exp()
    return torch.cat([damping * phase.sin(), damping * phase.cos()], 1).flatten(1)
