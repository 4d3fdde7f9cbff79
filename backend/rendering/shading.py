"""Shading of a diffuse surface by a point light and ambient light (DreamFusion, section 3.2)."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Shading:
    """One light a view. ``light_positions``: (views, 3). ``diffuse`` and ``ambient``: light colors
    l_rho and l_a, (3,) or single numbers in [0, 1]. ``textureless`` paints the surface white.
    """

    light_positions: Tensor
    diffuse: float | Tensor = 0.9
    ambient: float | Tensor = 0.1
    textureless: bool = False


def shade(
    albedo: Tensor, normals: Tensor, points: Tensor, light: Tensor, shading: Shading
) -> Tensor:
    """c = rho * (l_rho * max(0, n . (l - mu) / |l - mu|) + l_a), for tensors (..., 3).

    ``light`` is the position of the light of each point, broadcastable to ``points``.
    """
    toward = torch.nn.functional.normalize(light - points, dim=-1)
    lambert = (normals * toward).sum(-1, keepdim=True).clamp_min(0)
    surface = torch.ones_like(albedo) if shading.textureless else albedo
    return surface * (shading.diffuse * lambert + shading.ambient)
