"""Splatting again, for reading: dense, in torch, and with nothing of the project's own projection.

Every pixel looks at every Gaussian. The covariance in the picture comes from the Jacobian of
``Cameras.project`` by automatic differentiation.
"""

import torch
from torch import Tensor

from backend.rendering.cameras import Cameras

LOW_PASS, LEAST_ALPHA, MOST_ALPHA, LEAST_LIGHT, NEAR = 0.3, 1 / 255, 0.99, 1e-4, 0.01


def covariance_matrices(quats: Tensor, scales: Tensor) -> Tensor:
    """R S S R^T, the rotation applied as a quaternion product: q v q*."""
    unit = quats / quats.norm(dim=-1, keepdim=True)
    w, v = unit[:, :1, None], unit[:, None, 1:].expand(-1, 3, 3)
    axes = torch.eye(3).to(quats).expand(len(quats), 3, 3)
    cross = torch.linalg.cross(v, axes)
    turned = axes + 2 * w * cross + 2 * torch.linalg.cross(v, cross)
    axes = turned * scales[..., None]  # rows
    return axes.transpose(1, 2) @ axes


def splat_reference(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, features: Tensor,
    cameras: Cameras,
) -> tuple[Tensor, Tensor]:
    """Images (views, height, width, c) of ``features`` (n, c), and alpha (views, h, w, 1)."""
    drawn = [
        _one_view(means, covariance_matrices(quats, scales), opacities, features, cameras[view])
        for view in range(len(cameras))
    ]
    images, alpha = (torch.stack(values) for values in zip(*drawn, strict=True))
    return images, alpha


def _one_view(
    means: Tensor, covariances: Tensor, opacities: Tensor, features: Tensor, camera: Cameras
) -> tuple[Tensor, Tensor]:
    def locate(point: Tensor) -> Tensor:
        return camera.project(point[None])[0][0, 0]

    (centers,), (depth,) = camera.project(means)
    jacobians = torch.func.vmap(torch.func.jacrev(locate))(means)
    flat = jacobians @ covariances @ jacobians.transpose(1, 2)
    flat = flat + LOW_PASS * torch.eye(2).to(flat)
    order = depth.detach().argsort(stable=True)
    order = order[depth[order] > NEAR]
    rows, columns = torch.meshgrid(
        torch.arange(camera.height), torch.arange(camera.width), indexing="ij"
    )
    pixels = torch.stack([columns, rows], -1).to(means) + 0.5
    away = pixels[:, :, None] - centers[order]
    power = 0.5 * torch.einsum("hwni,nij,hwnj->hwn", away, flat[order].inverse(), away)
    alpha = (opacities[order] * (-power).exp()).clamp_max(MOST_ALPHA)
    alpha = torch.where(alpha < LEAST_ALPHA, 0, alpha)
    after = (1 - alpha).cumprod(-1)
    # The first splat that would leave too little light, and all behind it, are not drawn.
    alpha = torch.where(after < LEAST_LIGHT, 0, alpha)
    after = (1 - alpha).cumprod(-1)
    before = torch.cat([torch.ones_like(after[..., :1]), after[..., :-1]], -1)
    return (alpha * before) @ features[order], 1 - after[..., -1:]
