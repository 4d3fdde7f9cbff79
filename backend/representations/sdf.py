"""A signed distance field and its color in the unit ball, rendered as NeuS renders it."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.functional import normalize

from backend.meshing.surface import mesh_distances, preview_distances
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.rendering.neus import concentrate, neus_weights
from backend.rendering.shading import Shading, shade
from backend.rendering.trilinear import interpolate
from backend.rendering.volume import BallRays, rays_through_ball, to_image
from backend.representations.background import Background
from backend.representations.base import Want
from backend.representations.fields.pyramid import make_pyramid, node_points, resample, sum_pyramid
from backend.representations.module import StatefulModule
from protocol.assets import Mesh

RAYS_AT_ONCE = 1 << 14
# Below this weight a sample's color and normal are not looked up, and below this alpha a ray has
# no depth.
VISIBLE = 1e-3
SPHERE_RADIUS = 0.5
IMAGE_NAMES = ("alpha", "color", "depth", "normals", "coords")


@dataclass(frozen=True)
class RayValues:
    """What rays see: ``alpha`` (rays, 1), ``color`` and ``normals`` (rays, 3) premultiplied by it,
    ``distance`` (rays, 1) along the ray and ``points`` (rays, 3) of the visible surface, zero
    where there is none. ``gradients``: (samples, 3) of the distance, at all visible samples."""

    alpha: Tensor
    color: Tensor
    normals: Tensor
    distance: Tensor
    points: Tensor
    gradients: Tensor


class SdfNodes:
    """The field of one set of parameters: look-ups of points (n, 3). ``distances``: (x, y, z),
    levels summed; ``colors``: levels (x, y, z, 3), summed where they are looked up."""

    def __init__(self, distances: Tensor, colors: Sequence[Tensor]) -> None:
        self.distances, self.colors = distances, colors
        self.cell = 2 / (len(distances) - 1)

    def distance(self, points: Tensor) -> Tensor:
        """Signed distance (n,), positive outside."""
        return interpolate(self.distances[..., None], points)[:, 0]

    def gradient(self, points: Tensor, cells: float = 1.0) -> Tensor:
        """Its gradient (n, 3), by central differences over ``cells`` to either side (numerical
        gradients as in Neuralangelo, section 3.2: they reach over several cells)."""
        reach = cells * self.cell
        shifts = reach * torch.cat([torch.eye(3), -torch.eye(3)]).to(points)
        ahead, behind = self.distance((points + shifts[:, None]).reshape(-1, 3)).view(2, 3, -1)
        return ((ahead - behind) / (2 * reach)).T

    def color(self, points: Tensor) -> Tensor:
        """Albedo (n, 3) in [0, 1]."""
        levels = torch.stack([interpolate(level, points) for level in self.colors])
        return levels.sum(0).sigmoid()


class Sdf(StatefulModule):
    """Dense grids of distance and color over [-1, 1]^3, each of three resolutions summed, and
    NeuS's inverse deviation s = exp(10 v) with its one parameter v ("deviation").

    Begins as a gray ball of radius ``SPHERE_RADIUS``. ``samples``: intervals on each ray, crowded
    at the surface. ``normal_cells``: over how many cells normals are differences (may be set
    while training).
    """

    def __init__(
        self,
        resolution: int = 64,
        background: Background | None = None,
        samples: int = 24,
        inverse_deviation: float = 20.0,
    ) -> None:
        super().__init__()
        self.geometry = make_pyramid(1, resolution)
        self.colors = nn.ParameterList(
            level.permute(1, 2, 3, 0).contiguous() for level in make_pyramid(3, resolution)
        )
        self.deviation = nn.Parameter(torch.tensor(inverse_deviation).log() / 10)
        self.background = background
        self.samples = samples
        self.normal_cells = 1.0
        with torch.no_grad():
            points = node_points(self.geometry[-1])
            self.geometry[-1].copy_(points.norm(dim=-1)[None] - SPHERE_RADIUS)

    @property
    def resolution(self) -> int:
        """Nodes along each axis of the finest level."""
        return int(self.geometry[-1].shape[-1])

    @property
    def device(self) -> torch.device:
        """Where it lives and is rendered."""
        return self.deviation.device

    @property
    def inverse_deviation(self) -> Tensor:
        """s, per world unit: the larger, the sharper the surface."""
        return (10 * self.deviation).exp()

    def nodes(self) -> SdfNodes:
        """Its look-ups as the parameters stand now, differentiable in them."""
        return SdfNodes(sum_pyramid(self.geometry)[0], list(self.colors))

    def render(
        self,
        cameras: Cameras,
        *,
        want: Set[Want] = frozenset({"color", "alpha"}),
        shading: Shading | None = None,
        background: Tensor | None = None,
        jitter: Tensor | None = None,
    ) -> Buffers:
        """See :class:`backend.representations.base.Representation`.

        With "samples" wanted, ``Buffers.samples`` holds ``gradients`` (samples, 3) of the
        distance at all visible samples.
        """
        rays = rays_through_ball(cameras)
        shifts = None if jitter is None else jitter.reshape(-1)[rays.pixels]
        nodes = self.nodes()
        size = len(rays) if torch.is_grad_enabled() else RAYS_AT_ONCE
        parts = [
            self.trace(nodes, rays[part], shading, None if shifts is None else shifts[part])
            for part in _slices(len(rays), size)
        ]
        values = {name: torch.cat([vars(part)[name] for part in parts]) for name in vars(parts[0])}
        return self._assemble(values, rays, cameras, want, background)

    def trace(
        self,
        nodes: SdfNodes,
        rays: BallRays,
        shading: Shading | None = None,
        jitter: Tensor | None = None,
    ) -> RayValues:
        """What ``rays`` see of ``nodes``; ``jitter``: (rays,) in [0, 1)."""
        sharpness = self.inverse_deviation
        places = concentrate(
            nodes.distances.detach(), rays, self.samples, float(sharpness.detach()), jitter
        )
        sdf = nodes.distance(_along(rays, places).reshape(-1, 3)).view(places.shape)
        weights = neus_weights(sdf, sharpness)
        middles = (places[:, 1:] + places[:, :-1]) / 2
        ray, interval = (weights.detach() > VISIBLE).nonzero(as_tuple=True)
        points = _along(rays[ray], middles[ray, interval][:, None])[:, 0]
        gradients = nodes.gradient(points, self.normal_cells)
        normals, color = normalize(gradients, dim=-1), nodes.color(points)
        if shading is not None:
            light = shading.light_positions[rays.views[ray]]
            color = shade(color, normals, points, light, shading)
        alpha = weights.sum(1, keepdim=True)
        seen = torch.where(alpha > VISIBLE, 1 / alpha.clamp_min(VISIBLE), 0.0)
        distance = (weights * middles).sum(1, keepdim=True) * seen
        weight = weights[ray, interval][:, None]
        gather = torch.zeros(len(rays), 3).to(weight)
        return RayValues(
            alpha,
            gather.index_add(0, ray, weight * color),
            gather.index_add(0, ray, weight * normals),
            distance,
            (rays.origins + distance * rays.directions) * (seen > 0),
            gradients,
        )

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """"geometry", "color", "deviation", and "background" where one is learned."""
        groups = {
            "geometry": list(self.geometry), "color": list(self.colors),
            "deviation": [self.deviation],
        }
        if self.background is not None:
            groups["background"] = list(self.background.parameters())
        return groups

    def resized(self, resolution: int) -> "Sdf":
        """The same field at another resolution (new parameters)."""
        sdf = Sdf(resolution, self.background, self.samples, float(self.inverse_deviation.detach()))
        with torch.no_grad():
            sdf.geometry[-1].copy_(resample(sum_pyramid(self.geometry), resolution))
            colors = sum_pyramid([level.permute(3, 0, 1, 2) for level in self.colors])
            sdf.colors[-1].copy_(resample(colors, resolution).permute(1, 2, 3, 0))
        return sdf.to(self.device)

    def look_up(self) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
        """A function from points (n, 3) to distance (n,) and albedo (n, 3), good until the
        parameters change."""
        with torch.no_grad():
            nodes = self.nodes()
        return lambda points: (nodes.distance(points), nodes.color(points))

    def to_mesh(self, resolution: int = 96, texture_size: int = 1024, faces: int = 20_000) -> Mesh:
        """A closed, textured mesh of about ``faces`` triangles at most; raises DistilleryError
        ``mesh_nothing`` where there is no surface."""
        return mesh_distances(self.look_up(), resolution, texture_size, faces, str(self.device))

    def preview_mesh(self, resolution: int = 32) -> Mesh:
        """A coarse mesh with vertex colors, made in a tenth of a second."""
        return preview_distances(self.look_up(), resolution, str(self.device))

    def _assemble(
        self,
        values: dict[str, Tensor],
        rays: BallRays,
        cameras: Cameras,
        want: Set[Want],
        background: Tensor | None,
    ) -> Buffers:
        values = {
            **values, "coords": values["points"],
            "depth": values["distance"] * rays.axial[:, None],
        }
        images: dict[str, Any] = {
            name: to_image(values[name], rays.pixels, cameras)
            for name in IMAGE_NAMES if name in want or name == "alpha"
        }
        behind = background
        if behind is None and self.background is not None:
            behind = self.background(cameras.rays().directions)
        if "color" in images and behind is not None:
            images["color"] = images["color"] + (1 - images["alpha"]) * behind
        samples = {"gradients": values["gradients"]} if "samples" in want else {}
        return Buffers(**images, samples=samples)


def _along(rays: BallRays, places: Tensor) -> Tensor:
    """Points (rays, n, 3) at the distances ``places`` (rays, n)."""
    return rays.origins[:, None] + places[..., None] * rays.directions[:, None]


def _slices(count: int, size: int) -> list[slice]:
    """``count`` things in parts of ``size``; one empty part of nothing."""
    return [slice(start, start + size) for start in range(0, max(count, 1), max(size, 1))]
