"""Losses that look at the 3D thing itself, not at a prior's opinion of it.

Renders come as :class:`~backend.rendering.buffers.Buffers`; per-sample values lie flat,
(samples, ...), with the unit directions of their rays.
"""

import torch
from torch import Tensor

from backend.rendering.buffers import Buffers


def orientation(weights: Tensor, normals: Tensor, directions: Tensor, rays: int) -> Tensor:
    """sum_i stop(w_i) max(0, n_i . d)**2 over a ray, mean over ``rays``: visible normals should
    not face away from the camera (Ref-NeRF, equation 11; DreamFusion, section 3.2).

    ``weights``: (samples,), ``normals`` and ``directions``: (samples, 3). The weights are not
    differentiated, or hiding the surface would pay off.
    """
    away = (normals * directions).sum(-1).clamp_min(0)
    return (weights.detach() * away**2).sum() / rays


def rendered_orientation(buffers: Buffers) -> Tensor:
    """:func:`orientation` of a render with samples that have normals."""
    inside = buffers.samples
    directions = inside["directions"][:, None]
    return orientation(
        inside["weights"], inside["normals"], directions, rays=buffers.alpha.numel()
    )


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


def laplacian(positions: Tensor, edges: Tensor) -> Tensor:
    """Mean over vertices (n, 3) of |the mean of the neighbors - the vertex|**2 (DreamEditor,
    section 4.3). ``edges``: (e, 2), each once; zero where every vertex is amid its neighbors."""
    ends = positions.index_select(0, edges.flip(1).T.reshape(-1))
    here = edges.T.reshape(-1)
    count = ends.new_zeros(len(positions)).index_add(0, here, torch.ones_like(ends[:, 0]))
    mean = torch.zeros_like(positions).index_add(0, here, ends) / count.clamp_min(1)[:, None]
    # Vertices without neighbors want nothing.
    return (((mean - positions) * (count > 0)[:, None]) ** 2).sum(-1).mean()


def edge_lengths(positions: Tensor, edges: Tensor, lengths: Tensor) -> Tensor:
    """Mean of (|edge| - its length before)**2: zero under rigid motion (DreamEditor, section 4.3).
    ``edges``: (e, 2); ``lengths``: (e,)."""
    first, second = (positions.index_select(0, end) for end in edges.T)
    return (((first - second).norm(dim=-1) - lengths) ** 2).mean()


def image_smoothness(image: Tensor) -> Tensor:
    """Mean squared difference of neighboring pixels of (views, height, width, channels), rows and
    columns summed: for renders of normals, as the released Zero123 configuration has it."""
    return (image.diff(dim=1) ** 2).mean() + (image.diff(dim=2) ** 2).mean()


def solid_losses(buffers: Buffers) -> dict[str, Tensor]:
    """What a solid thing with a smooth surface looks like from anywhere, of renders with normals
    and samples: ``smooth``, ``orientation``, ``opacity`` and ``entropy``."""
    assert buffers.normals is not None
    return {
        "smooth": image_smoothness(buffers.normals),
        "orientation": rendered_orientation(buffers),
        "opacity": opacity(buffers.alpha),
        "entropy": entropy(buffers.alpha),
    }
