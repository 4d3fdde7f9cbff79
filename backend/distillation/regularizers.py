"""Losses that look at the 3D thing itself, not at a prior's opinion of it.

Renders come as :class:`~backend.rendering.buffers.Buffers`; per-sample values lie flat,
(samples, ...), with the unit directions of their rays.
"""

from torch import Tensor


def orientation(weights: Tensor, normals: Tensor, directions: Tensor, rays: int) -> Tensor:
    """sum_i stop(w_i) max(0, n_i . d)**2 over a ray, mean over ``rays``: visible normals should
    not face away from the camera (Ref-NeRF, equation 11; DreamFusion, section 3.2).

    ``weights``: (samples,), ``normals`` and ``directions``: (samples, 3). The weights are not
    differentiated, or hiding the surface would pay off.
    """
    away = (normals * directions).sum(-1).clamp_min(0)
    return (weights.detach() * away**2).sum() / rays


def opacity(alpha: Tensor) -> Tensor:
    """mean of sqrt(alpha**2 + 0.01) over pixels: empty what need not be full (DreamFusion)."""
    return (alpha**2 + 0.01).sqrt().mean()


def entropy(alpha: Tensor) -> Tensor:
    """Mean binary entropy of alpha in nats: a pixel should be object or background."""
    p = alpha.clamp(1e-5, 1 - 1e-5)
    return -(p * p.log() + (1 - p) * (1 - p).log()).mean()


def total_variation(grid: Tensor) -> Tensor:
    """Mean squared difference of neighbors of a grid (..., depth, height, width), axes summed."""
    return sum(  # type: ignore[return-value]
        (grid.diff(dim=axis) ** 2).mean() for axis in (-1, -2, -3)
    )
