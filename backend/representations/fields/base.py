"""What every field can do, and how densities are made and begin."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.functional import softplus

DensityActivation = Literal["exp", "softplus"]
DensityBias = Callable[[Tensor], Tensor]


class FieldSamples(NamedTuple):
    """``density`` (n,) per world unit, ``albedo`` (n, 3) in [0, 1], unit ``normals`` (n, 3)."""

    density: Tensor
    albedo: Tensor
    normals: Tensor | None = None


class Field(nn.Module):
    """Density and albedo at points of the unit ball.

    ``integrated``: whether it makes use of the variances of samples.
    """

    integrated = False

    def forward(
        self, points: Tensor, variances: Tensor | None = None, normals: bool = False
    ) -> FieldSamples:
        """Look up ``points`` (n, 3).

        ``variances`` (n, 3): of the Gaussian that each sample covers, along the axes; fields
        without integrated encoding ignore them. ``normals``: also give -grad(density), normalized.
        """
        raise NotImplementedError

    def frozen(self) -> Callable[[Tensor], FieldSamples]:
        """A look-up of points for many calls between two changes of the parameters."""
        return self

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """Parameters by name of their group."""
        raise NotImplementedError


class _TruncatedExp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, raw: Tensor) -> Tensor:
        ctx.save_for_backward(raw)
        return raw.clamp_max(15.0).exp()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (raw,) = ctx.saved_tensors
        return gradients[0] * raw.clamp(-15.0, 15.0).exp()


def truncated_exp(raw: Tensor) -> Tensor:
    """exp whose value stops growing at e^15 and whose gradient never overflows nor dies
    (Instant-NGP, section 4: exponential density, with the gradient clamped)."""
    result: Tensor = _TruncatedExp.apply(raw)
    return result


def activate_density(raw: Tensor, activation: DensityActivation) -> Tensor:
    """Densities from what a field stores."""
    return truncated_exp(raw) if activation == "exp" else softplus(raw)


def dreamfusion_blob(points: Tensor) -> Tensor:
    """5 exp(-r^2 / (2 * 0.2^2)) at ``points`` (..., 3) (DreamFusion, appendix A.2)."""
    return 5.0 * (-(points * points).sum(-1) / (2 * 0.2**2)).exp()


def magic3d_blob(points: Tensor) -> Tensor:
    """10 (1 - r / 0.5) at ``points`` (..., 3) (Magic3D, section 4)."""
    return 10.0 * (1.0 - points.norm(dim=-1) / 0.5)


def soft_blob(points: Tensor) -> Tensor:
    """2 - 4 r at ``points`` (..., 3): under ``exp`` a fog that is nearly opaque through its middle
    (alpha 0.97) and thins out to 0.14 per unit at the ball's border, so that density can still
    grow anywhere."""
    return 2.0 - 4.0 * points.norm(dim=-1)
