"""Colored points: where Gaussians begin."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from backend.rendering.textures import sample_texture
from protocol.assets import Mesh


class Points(NamedTuple):
    """``positions`` (n, 3) in the unit ball and ``colors`` (n, 3), sRGB in [0, 1]; float32."""

    positions: Tensor
    colors: Tensor


def neighbor_distances(positions: Tensor, count: int) -> Tensor:
    """Distances (n, count) from each point to its nearest others; 1 where there are too few."""
    tree = cKDTree(positions.cpu().numpy())
    distances = tree.query(tree.data, count + 1)[0][:, 1:]
    distances[~np.isfinite(distances)] = 1
    return torch.from_numpy(distances).to(positions)


def grow_points(
    seeds: Points, draws: int, reach: float, spread: float, generator: torch.Generator
) -> Points:
    """Noisy point growing with color perturbation (GaussianDreamer, section 3.3): of ``draws``
    points uniform in the bounding box of the seeds, those within ``reach`` of a seed are added,
    each in the color of its nearest seed plus uniform noise in [0, ``spread``), clipped to 1.

    The seeds come first and are unchanged.
    """
    low, high = seeds.positions.amin(0), seeds.positions.amax(0)
    drawn = low + (high - low) * torch.rand(draws, 3, generator=generator)
    noise = spread * torch.rand(draws, 3, generator=generator)
    distances, nearest = cKDTree(seeds.positions.numpy()).query(
        drawn.numpy(), distance_upper_bound=reach
    )
    near = torch.from_numpy(distances < reach)
    colors = seeds.colors[torch.from_numpy(nearest)[near]] + noise[near]
    return Points(
        torch.cat([seeds.positions, drawn[near]]),
        torch.cat([seeds.colors, colors.clamp(0, 1)]),
    )


def sample_surface(mesh: Mesh, count: int, generator: torch.Generator) -> Points:
    """``count`` points on a mesh, as many on each face as its area deserves, in the colors of its
    texture, else of its vertices, else of its material."""
    positions = torch.from_numpy(mesh.positions)
    faces = torch.from_numpy(mesh.faces).long()
    a, b, c = positions[faces].unbind(1)
    areas = torch.linalg.cross(b - a, c - a).norm(dim=-1).double()
    drawn = torch.rand(count, generator=generator, dtype=torch.float64) * areas.sum()
    chosen = torch.searchsorted(areas.cumsum(0), drawn).clamp_max(len(faces) - 1)
    shares = _uniform_shares(count, generator)
    places = (positions[faces[chosen]] * shares[..., None]).sum(1)
    return Points(places, surface_colors(mesh, chosen, shares))


def _uniform_shares(count: int, generator: torch.Generator) -> Tensor:
    """Barycentric coordinates (count, 3) of points spread evenly over a triangle."""
    u, v = torch.rand(2, count, generator=generator)
    root = u.sqrt()
    return torch.stack([1 - root, root * (1 - v), root * v], -1)


def surface_colors(mesh: Mesh, faces: Tensor, shares: Tensor) -> Tensor:
    """Colors (n, 3) at barycentric ``shares`` (n, 3) of ``faces`` (n,)."""
    material = mesh.material
    if material is not None and material.base_color_map is not None and mesh.uvs is not None:
        uvs = (torch.from_numpy(mesh.uvs)[faces] * shares[..., None]).sum(1)
        texture = torch.from_numpy(material.base_color_map.pixels).float() / 255
        return sample_texture(texture, uvs)[:, :3].expand(-1, 3)
    if "color" in mesh.attributes:
        corners = torch.from_numpy(mesh.faces).long()[faces]
        colors = torch.from_numpy(mesh.attributes["color"].values[:, :3]).float()
        return (colors[corners] * shares[..., None]).sum(1)
    factor = (0.8, 0.8, 0.8) if material is None else material.base_color[:3]
    return torch.tensor(factor).expand(len(faces), 3)
