"""The call that draws Gaussians: compiled kernels on the CPU, gsplat on CUDA."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from backend.rendering.cameras import Cameras
from backend.rendering.splatting import kernels
from backend.rendering.splatting.projection import NEAR, Projected, project


class Splatted(NamedTuple):
    """``images``: (views, height, width, channels), features weighted by how much of each Gaussian
    is seen, over nothing. ``alpha``: (views, height, width, 1). ``centers``: (views, n, 2), where
    in the picture each Gaussian stands, in pixels: hook it for view-space gradients. ``radii``:
    (views, n), three standard deviations along the longer axis, in pixels; 0 where not drawn."""

    images: Tensor
    alpha: Tensor
    centers: Tensor
    radii: Tensor


def splat(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    features: Tensor,
    cameras: Cameras,
) -> Splatted:
    """Draw Gaussians by sorting and blending them front to back, view by view.

    ``means`` (n, 3), ``quats`` (n, 4) w first, ``scales`` (n, 3) standard deviations,
    ``opacities`` (n,) in [0, 1], ``features`` (n, channels) or (views, n, channels): colors, depth
    or anything else. Differentiable in all of them. Same bits on every run and for any number of
    threads on the CPU. Gaussians with values that are not finite are not drawn.
    """
    features = features.expand(len(cameras), -1, -1)
    if means.device.type == "cuda":
        from backend.rendering.splatting.cuda import splat_cuda

        return splat_cuda(means, quats, scales, opacities, features, cameras)
    projected = project(means, quats, scales, cameras)
    size = (cameras.height, cameras.width)
    images, alpha, drawn = _Composite.apply(
        projected.centers, _conics(projected.covariances), opacities, features.contiguous(),
        projected.covariances.detach(), projected.depth.detach(), size,
    )
    radii = torch.where(drawn, _radii(projected), 0)
    return Splatted(images, alpha[..., None], projected.centers, radii)


def _conics(covariances: Tensor) -> Tensor:
    """Inverses of symmetric 2 x 2 matrices (xx, xy, yy)."""
    xx, xy, yy = covariances.unbind(-1)
    determinant = xx * yy - xy * xy
    return torch.stack([yy, -xy, xx], -1) / determinant[..., None]


def _radii(projected: Projected) -> Tensor:
    """Three standard deviations along the longer axis, (views, n)."""
    xx, xy, yy = projected.covariances.detach().unbind(-1)
    half = ((xx - yy) ** 2 / 4 + xy * xy).sqrt()
    return 3 * ((xx + yy) / 2 + half).sqrt()


class _Composite(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        centers: Tensor,
        conics: Tensor,
        opacities: Tensor,
        features: Tensor,
        covariances: Tensor,
        depth: Tensor,
        size: tuple[int, int],
    ) -> tuple[Tensor, Tensor, Tensor]:
        arrays = [value.detach().contiguous().numpy() for value in
                  (centers, conics, opacities, features)]
        boxes, starts, splats = _list_splats(
            arrays[0], covariances.numpy(), arrays[2], depth.numpy(), size
        )
        kind = arrays[3].dtype
        views, _, channels = features.shape
        images, light = np.zeros((views, *size, channels), kind), np.ones((views, *size), kind)
        lasts = np.zeros((views, *size), np.int32)
        kernels.composite(starts, splats, boxes, *arrays, images, light, lasts)
        ctx.lists = (starts, splats, boxes)
        ctx.arrays = (*arrays, light, lasts)
        drawn = torch.from_numpy(boxes[..., 2] >= boxes[..., 0])
        ctx.mark_non_differentiable(drawn)
        return torch.from_numpy(images), torch.from_numpy(1 - light), drawn

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        to_images, to_alpha = (gradient.contiguous().numpy() for gradient in gradients[:2])
        starts, splats, _ = ctx.lists
        _, _, _, features, _, _ = ctx.arrays
        views, n, channels = features.shape
        parts = np.zeros((len(splats), 6 + channels), features.dtype)
        kernels.differentiate(*ctx.lists, *ctx.arrays, to_images, -to_alpha, parts)
        sums = np.zeros((views, n, 6 + channels), features.dtype)
        kernels.gather(starts, splats, parts, sums)
        found = torch.from_numpy(sums)
        to_opacities = found[..., 5].sum(0)
        splats_gradients = (found[..., :2], found[..., 2:5], to_opacities, found[..., 6:])
        return (*splats_gradients, None, None, None)


def _list_splats(
    centers: np.ndarray,
    covariances: np.ndarray,
    opacities: np.ndarray,
    depth: np.ndarray,
    size: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes (views, n, 4), where each tile's list starts (views, tiles + 1), and the lists."""
    height, width = size
    views, n = depth.shape
    tiles = -(-height // kernels.TILE) * -(-width // kernels.TILE)
    boxes, counts = np.empty((views, n, 4), np.int32), np.zeros((views, tiles), np.int32)
    kernels.find_boxes(
        centers, covariances, opacities, depth, NEAR, height, width, boxes, counts
    )
    ends = counts.cumsum(dtype=np.int32)
    total = int(ends[-1])
    starts = np.empty((views, tiles + 1), np.int32)
    starts[:, 1:] = ends.reshape(views, tiles)
    starts[:, 0] = np.concatenate([[0], starts[:-1, -1]])
    # Stable: Gaussians at one depth keep their order.
    order = np.argsort(depth, axis=1, kind="stable").astype(np.int32)
    splats = np.empty(total, np.int32)
    kernels.fill_lists(order, boxes, starts, width, splats)
    return boxes, starts, splats
