"""The same call through gsplat, on an NVIDIA GPU."""

import torch
from torch import Tensor

from backend.rendering.cameras import Cameras
from backend.rendering.splatting.projection import LOW_PASS, NEAR
from backend.rendering.splatting.splat import Splatted

# Blender's and OpenGL's cameras look down -z with +y up, gsplat's down +z with +y down.
FLIP = (1.0, -1.0, -1.0, 1.0)


def splat_cuda(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    features: Tensor,
    cameras: Cameras,
) -> Splatted:
    """As :func:`backend.rendering.splatting.splat`; ``features`` (views, n, channels)."""
    parts = []
    for flat in (False, True):
        chosen = _views_of_kind(cameras, flat)
        if len(chosen):
            drawn = _rasterize(
                means, quats, scales, opacities, features[chosen], cameras[chosen], flat
            )
            parts.append((chosen, drawn))
    if len(parts) == 1:
        return parts[0][1]
    order = torch.cat([chosen for chosen, _ in parts]).argsort()
    return Splatted(*(torch.cat(values)[order] for values in zip(*(p[1] for p in parts))))


def _views_of_kind(cameras: Cameras, flat: bool) -> Tensor:
    """The numbers of the orthographic, or of the perspective, views."""
    if cameras.ortho_height is None:
        kind = torch.zeros(len(cameras), dtype=torch.bool, device=cameras.c2w.device)
    else:
        kind = cameras.ortho_height > 0
    return (kind == flat).nonzero()[:, 0]


def _rasterize(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    features: Tensor,
    cameras: Cameras,
    flat: bool,
) -> Splatted:
    from gsplat import rasterization

    images, alpha, info = rasterization(
        means, quats, scales, opacities, features.contiguous(),
        viewmats=(cameras.c2w * cameras.c2w.new_tensor(FLIP)).inverse(),
        Ks=_intrinsics(cameras, flat), width=cameras.width, height=cameras.height,
        near_plane=NEAR, eps2d=LOW_PASS, packed=False,
        camera_model="ortho" if flat else "pinhole",
    )
    radii = info["radii"]
    radii = radii.amax(-1) if radii.dim() == 3 else radii
    return Splatted(images, alpha, info["means2d"], radii.to(means))


def _intrinsics(cameras: Cameras, flat: bool) -> Tensor:
    """(views, 3, 3): pixels per unit of slope, or of space where they are orthographic."""
    if flat and cameras.ortho_height is not None:
        extent = cameras.ortho_height
    else:
        extent = 2 * (cameras.fov_degrees.deg2rad() / 2).tan()
    focal = cameras.height / extent
    matrices = torch.zeros(len(cameras), 3, 3).to(focal)
    matrices[:, 0, 0] = matrices[:, 1, 1] = focal
    matrices[:, 0, 2], matrices[:, 1, 2], matrices[:, 2, 2] = (
        cameras.width / 2, cameras.height / 2, 1.0
    )
    return matrices
