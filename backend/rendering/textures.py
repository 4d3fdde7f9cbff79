"""Bilinear look-up in a texture, forward and backward, on the CPU in a fixed order of sums."""

from typing import Any

import torch
from numba import njit, prange
from torch import Tensor


def sample_texture(texels: Tensor, uvs: Tensor) -> Tensor:
    """Values (..., channels) of ``texels`` (height, width, channels), row 0 at the top, at ``uvs``
    (..., 2), origin bottom left; outside [0, 1] the nearest texel. Differentiable in both."""
    places = uvs.reshape(-1, 2).to(texels.dtype).contiguous()
    sampled: Tensor = _Sample.apply(texels.contiguous(), places)
    return sampled.reshape(*uvs.shape[:-1], texels.shape[-1])


class _Sample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, texels: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(texels, places)
        values = texels.new_empty(len(places), texels.shape[-1])
        _gather(texels.detach().numpy(), places.detach().numpy(), values.numpy())
        return values

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        texels, places = (entry.detach() for entry in ctx.saved_tensors)
        gradient = gradients[0].contiguous().numpy()
        of_texels = of_places = None
        if ctx.needs_input_grad[0]:
            of_texels = torch.zeros_like(texels)
            _scatter(gradient, places.numpy(), of_texels.numpy())
        if ctx.needs_input_grad[1]:
            of_places = torch.empty_like(places)
            _slope(gradient, texels.numpy(), places.numpy(), of_places.numpy())
        return of_texels, of_places


@njit(cache=True, inline="always")
def _locate(share, count):  # type: ignore[no-untyped-def]
    """The texel before a place in [0, 1], the one after it, and the fraction of the way there."""
    place = min(max(share * count - 0.5, 0.0), count - 1.0)
    first = int(place)
    return first, min(first + 1, count - 1), place - first


@njit(cache=True, parallel=True, error_model="numpy")
def _gather(texels, places, values):  # type: ignore[no-untyped-def]
    height, width, channels = texels.shape
    for n in prange(len(places)):
        left, right, x = _locate(places[n, 0], width)
        top, bottom, y = _locate(1 - places[n, 1], height)
        for c in range(channels):
            above = texels[top, left, c] * (1 - x) + texels[top, right, c] * x
            below = texels[bottom, left, c] * (1 - x) + texels[bottom, right, c] * x
            values[n, c] = above * (1 - y) + below * y


@njit(cache=True, error_model="numpy")
def _scatter(gradient, places, of_texels):  # type: ignore[no-untyped-def]
    height, width, channels = of_texels.shape
    for n in range(len(places)):
        if not gradient[n].any():
            continue  # pixels beside the mesh
        left, right, x = _locate(places[n, 0], width)
        top, bottom, y = _locate(1 - places[n, 1], height)
        for c in range(channels):
            of_texels[top, left, c] += gradient[n, c] * (1 - x) * (1 - y)
            of_texels[top, right, c] += gradient[n, c] * x * (1 - y)
            of_texels[bottom, left, c] += gradient[n, c] * (1 - x) * y
            of_texels[bottom, right, c] += gradient[n, c] * x * y


@njit(cache=True, parallel=True, error_model="numpy")
def _slope(gradient, texels, places, of_places):  # type: ignore[no-untyped-def]
    height, width, channels = texels.shape
    for n in prange(len(places)):
        left, right, x = _locate(places[n, 0], width)
        top, bottom, y = _locate(1 - places[n, 1], height)
        across, down = 0.0, 0.0
        for c in range(channels):
            a, b = texels[top, left, c], texels[top, right, c]
            d, e = texels[bottom, left, c], texels[bottom, right, c]
            across += gradient[n, c] * ((b - a) * (1 - y) + (e - d) * y)
            down += gradient[n, c] * ((d - a) * (1 - x) + (e - b) * x)
        inside_x = 0.5 < places[n, 0] * width < width - 0.5
        inside_y = 0.5 < places[n, 1] * height < height - 0.5
        of_places[n, 0] = across * width if inside_x else 0.0
        of_places[n, 1] = -down * height if inside_y else 0.0
