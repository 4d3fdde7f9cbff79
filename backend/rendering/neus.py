"""Volume rendering of signed distances: NeuS (Wang et al., arXiv 2106.10689, section 3.1).

A distance f becomes an opaque density through the logistic CDF of s·f, s being the inverse
deviation, so that a ray's weights are unbiased (largest where f crosses zero) and aware of
occlusion. Distances are positive outside.
"""

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor
from torch.nn.functional import logsigmoid, max_pool1d

from backend.rendering.trilinear import interpolate, locate
from backend.rendering.volume import BallRays

COARSE = 48
"""Intervals of a ray that are looked at to find its surfaces."""

FLOOR = 1e-3
"""Weight that every coarse interval has at least: no part of a ray stays unseen for ever."""

SHARPEST = 3.0
"""Inverse deviation times interval that the coarse look at a ray can resolve."""


def neus_weights(sdf: Tensor, inverse_deviation: Tensor | float) -> Tensor:
    """How much each interval is seen, (rays, intervals), from distances at the intervals' ends,
    (rays, intervals + 1).

    Equation 13: alpha_i = max(1 - cdf(s f_{i+1}) / cdf(s f_i), 0), composited from the front;
    written with logarithms, so that nothing divides by zero deep inside.
    """
    change = logsigmoid(inverse_deviation * sdf).diff(dim=1).clamp_max(0)
    passed = change.cumsum(1) - change
    weights: Tensor = -passed.exp() * change.expm1()
    return weights


def concentrate(
    distances: Tensor,
    rays: BallRays,
    count: int,
    inverse_deviation: float,
    jitter: Tensor | None = None,
) -> Tensor:
    """Places along each ray, ascending, (rays, count + 1), crowded where it meets surfaces.

    ``distances``: (x, y, z) nodes over [-1, 1]^3. Each of ``COARSE`` intervals gets places in
    proportion to the largest weight of it and its neighbors (NeuS, section 3.3 samples by weight
    too). ``jitter``: (rays,) in [0, 1), None the middle.
    """
    offset = torch.full_like(rays.enter, 0.5) if jitter is None else jitter
    if distances.device.type != "cpu" or distances.dtype != torch.float32:
        return concentrate_reference(distances, rays, count, inverse_deviation, offset)
    places = torch.empty(len(rays), count + 1)
    _concentrate(
        distances.detach().numpy(), rays.origins.numpy(), rays.directions.numpy(),
        rays.enter.numpy(), rays.leave.numpy(), offset.numpy(), inverse_deviation, places.numpy(),
    )
    return places


@torch.no_grad()
def concentrate_reference(
    distances: Tensor, rays: BallRays, count: int, inverse_deviation: float, offset: Tensor
) -> Tensor:
    """The same through torch, on any device."""
    step = ((rays.leave - rays.enter) / COARSE)[:, None]
    along = rays.enter[:, None] + torch.arange(COARSE + 1).to(step) * step
    points = rays.origins[:, None] + along[..., None] * rays.directions[:, None]
    sdf = interpolate(distances[..., None], points.reshape(-1, 3)).reshape(along.shape)
    weights = neus_weights(sdf, (SHARPEST / step).clamp_max(inverse_deviation))
    shares = max_pool1d(weights[:, None], 3, stride=1, padding=1)[:, 0] + FLOOR
    total = torch.nn.functional.pad(shares.cumsum(1), (1, 0))
    wanted = (torch.arange(count + 1).to(step) + offset[:, None]) / (count + 1) * total[:, -1:]
    index = (torch.searchsorted(total, wanted, right=True) - 1).clamp(0, COARSE - 1)
    inside = (wanted - total.gather(1, index)) / shares.gather(1, index)
    return rays.enter[:, None] + (index + inside) * step


@njit(cache=True, inline="always")
def _distance_at(distances, x, y, z):  # type: ignore[no-untyped-def]
    nx, ny, nz = distances.shape
    i, u = locate(x, nx)
    j, v = locate(y, ny)
    k, w = locate(z, nz)
    near_low = distances[i, j, k] * (1 - w) + distances[i, j, k + 1] * w
    near_high = distances[i, j + 1, k] * (1 - w) + distances[i, j + 1, k + 1] * w
    far_low = distances[i + 1, j, k] * (1 - w) + distances[i + 1, j, k + 1] * w
    far_high = distances[i + 1, j + 1, k] * (1 - w) + distances[i + 1, j + 1, k + 1] * w
    near = near_low * (1 - v) + near_high * v
    return near * (1 - u) + (far_low * (1 - v) + far_high * v) * u


@njit(cache=True, inline="always")
def _log_cdf(x):  # type: ignore[no-untyped-def]
    return min(x, 0.0) - np.log1p(np.exp(-abs(x)))


@njit(cache=True, parallel=True, error_model="numpy")
def _concentrate(  # type: ignore[no-untyped-def]
    distances, origins, directions, enter, leave, offset, inverse_deviation, places
):
    for ray in prange(len(enter)):
        step = (leave[ray] - enter[ray]) / COARSE
        shares = np.zeros(COARSE)
        _look_along(
            distances, origins[ray], directions[ray], enter[ray], step,
            min(inverse_deviation, SHARPEST / step), shares,
        )
        _place(shares, enter[ray], step, offset[ray], places[ray])


@njit(cache=True, error_model="numpy")
def _look_along(  # type: ignore[no-untyped-def]
    distances, origin, direction, enter, step, inverse_deviation, shares
):
    """The NeuS weight of each coarse interval."""
    passed, before = 1.0, 0.0
    for i in range(len(shares) + 1):
        along = enter + i * step
        sdf = _distance_at(
            distances, origin[0] + along * direction[0], origin[1] + along * direction[1],
            origin[2] + along * direction[2],
        )
        here = _log_cdf(inverse_deviation * sdf)
        if i > 0:
            kept = np.exp(min(here - before, 0.0))
            shares[i - 1] = passed * (1 - kept)
            passed *= kept
            if passed < FLOOR / 100:
                break
        before = here


@njit(cache=True, error_model="numpy")
def _place(shares, enter, step, offset, places):  # type: ignore[no-untyped-def]
    """The inverse of the cumulated shares, each widened to its neighbors."""
    last = len(shares) - 1
    wide = np.empty_like(shares)
    for i in range(last + 1):
        wide[i] = max(shares[max(i - 1, 0)], shares[i], shares[min(i + 1, last)]) + FLOOR
    total, interval, below = wide.sum(), 0, 0.0
    for k in range(len(places)):
        wanted = (k + offset) / len(places) * total
        while interval < last and below + wide[interval] <= wanted:
            below += wide[interval]
            interval += 1
        places[k] = enter + (interval + (wanted - below) / wide[interval]) * step
