"""Fitting a signed distance field to views with color, mask, normals or depth that agree only
nearly: Wonder3D's geometry-aware normal fusion (Long et al., arXiv 2310.15008, section 4.3)."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, normalize

from backend.diffusion.annealing import Number, Schedule, value_at
from backend.distillation.loop import State, distill
from backend.multiview.hull import inside_outlines
from backend.rendering.cameras import Cameras
from backend.rendering.volume import BallRays, rays_through_ball
from backend.representations.sdf import RayValues, Sdf, SdfNodes
from backend.studio import Progress, Studio
from protocol.assets import Asset

# The released configuration's weights, but for sparsity: legs and plates are two cells thick in
# views of 64 pixels, and more of it wears them away. Ours are "depth", for views that have it,
# "solid" and "empty", and the growing smoothness: hollows are found first, then what the views do
# not agree on is evened out.
WEIGHTS: Mapping[str, Number] = {
    "color": 0.5, "mask": 1.0, "normals": 1.0, "depth": 1.0, "eikonal": 0.2,
    "sparsity": 0.05, "smoothness": Schedule(0.1, 0.5), "solid": 0.3, "empty": 1.0,
}
RATES: Mapping[str, Number] = {
    "geometry": Schedule(2e-2, 1e-3, shape="exponential"),
    "color": Schedule(0.03, 0.005),
    "deviation": 2e-3,
}
# A node on the finer grid moves with the pyramid's three levels, so that 0.02 a step would shake
# what the coarse one found by two cells: thin parts and undersides do not come back from that.
FINE_RATES: Mapping[str, Number] = {
    **RATES, "geometry": Schedule(5e-3, 5e-4, shape="exponential"),
}
# Outlines are what drawn views know best. Counted like this from the beginning they leave hollows
# filled, which open through states that no outline likes; once those are found, they sharpen.
FINE_WEIGHTS: Mapping[str, Number] = {**WEIGHTS, "mask": 3.0}
EPSILON = 1e-5
"""Of Adam. Below the gradients of what pixels decide, above those of nodes inside of things and
beneath them, which few samples reach: with less, each such sample moves them as far as a pixel
would, and undersides that no view shows are eaten away."""
GRAZING = -0.1
"""Cosine between ray and normal above which a surface faces too far away to be believed."""
SPARSITY_SCALE = 100.0
OUTLINED_POINTS = 400_000
"""In the ball, of which those are kept that all outlines agree on."""
OUTLINED_ALPHA = 0.6
"""Above which a pixel is surely inside of an outline; below one minus this, outside."""
CLEARANCE = 0.01
"""World units that such points are from the surface at least: less than half of what the thinnest
parts in sight are thick."""


@dataclass(frozen=True)
class SurfaceTargets:
    """Views to fit, (views, height, width, channels): ``premultiplied`` color times alpha,
    ``alpha``, and perhaps world ``normals`` (any length, zero where there is none) and ``depth``
    (along the view axis, zero where there is none). ``weights``: how much each view's color
    counts, (views,)."""

    cameras: Cameras
    premultiplied: Tensor
    alpha: Tensor
    normals: Tensor | None = None
    depth: Tensor | None = None
    weights: Tensor | None = None


@dataclass(frozen=True)
class RayTargets:
    """The targets of the rays that meet the ball, one row a ray."""

    rays: BallRays
    premultiplied: Tensor
    alpha: Tensor
    normals: Tensor | None
    distance: Tensor | None
    weights: Tensor

    @classmethod
    def of(cls, targets: SurfaceTargets) -> "RayTargets":
        """All rays of all views."""
        rays = rays_through_ball(targets.cameras)

        def pick(image: Tensor | None) -> Tensor | None:
            return None if image is None else image.reshape(-1, image.shape[-1])[rays.pixels]

        depth = pick(targets.depth)
        weights = torch.ones(len(targets.cameras)) if targets.weights is None else targets.weights
        return cls(
            rays, pick(targets.premultiplied), pick(targets.alpha), pick(targets.normals),
            None if depth is None else depth / rays.axial[:, None], weights[rays.views],
        )

    def __getitem__(self, index: Tensor) -> "RayTargets":
        return RayTargets(
            **{name: None if value is None else value[index] for name, value in vars(self).items()}
        )


@dataclass(frozen=True)
class SurfaceSize:
    """How much is spent on a surface: ``steps`` of fitting in all, of ``rays`` each with
    ``samples``, on a grid of ``cells`` along each side."""

    steps: int
    cells: int
    rays: int = 4096
    samples: int = 24


def reconstruct(
    targets: SurfaceTargets, size: SurfaceSize, dropped: float, studio: Studio,
    preview: Callable[[Sdf], Asset],
) -> Generator[Progress, None, Sdf]:
    """The stages "fit coarse surface" and "fit surface": half of the steps on half of the grid, the
    rest on all of it, toward the end without the share ``dropped`` of the rays, those that fit
    worst. Coarse to fine stands for the released hash grid of Wonder3D, which opens its levels one
    after another."""
    sdf = Sdf(size.cells // 2, samples=size.samples)
    fit = SurfaceFit(targets, studio, 0.0, size.rays, preview=lambda: preview(sdf))
    yield from _fit_stage("fit coarse surface", fit, sdf, size.steps // 2)
    sdf = sdf.resized(size.cells)
    fit.dropped = Schedule(0.0, dropped, begin=0.5, end=0.75)
    fit.rates, fit.weights = FINE_RATES, FINE_WEIGHTS
    yield from _fit_stage("fit surface", fit, sdf, size.steps // 2)
    return sdf


def _fit_stage(
    name: str, fit: "SurfaceFit", sdf: Sdf, steps: int
) -> Generator[Progress, None, State]:
    return fit.studio.stage(name, start(sdf), lambda state: fit.run(sdf, state, steps, name))


def start(sdf: Sdf) -> State:
    """For :meth:`SurfaceFit.run`: all of ``sdf`` at the rates of a surface."""
    return State.create(sdf, RATES, fused=True, eps=EPSILON)


@dataclass
class SurfaceFit:
    """Fits an :class:`Sdf` to ``rays_a_step`` random rays a step.

    ``dropped``: the share of rays whose color and normal errors are left out, the largest ones:
    what single views made up does not shape the surface. Begin without, or the object's own
    features are left out: hollows are what fits worst for long. The paper drops 0.1 for the mask as
    well; in pictures of 64 pixels the outlines are no more than that, and an egg fitted without
    them is twice as far off.
    """

    targets: SurfaceTargets
    studio: Studio
    dropped: Number = 0.0
    rays_a_step: int = 4096
    rates: Mapping[str, Number] = field(default_factory=lambda: RATES)
    weights: Mapping[str, Number] = field(default_factory=lambda: WEIGHTS)
    preview: Callable[[], Asset] | None = None

    def __post_init__(self) -> None:
        self.every = RayTargets.of(self.targets)
        points = ball_points(OUTLINED_POINTS, self.studio.generator("outlined points"))
        cameras, alpha = self.targets.cameras, self.targets.alpha
        self.inside = inside_outlines(cameras, alpha, points, OUTLINED_ALPHA)
        self.outside = inside_outlines(cameras, 1 - alpha, points, OUTLINED_ALPHA)

    def run(self, sdf: Sdf, state: State, steps: int, name: str) -> Iterator[Progress]:
        """Optimize until ``steps``; ``name`` sets the random choices of this stage apart."""
        return distill(
            state, steps, lambda step: self.losses(sdf, name, step, step / steps), self.weights,
            rates=self.rates, preview=self.preview,
        )

    def losses(self, sdf: Sdf, name: str, step: int, progress: float) -> dict[str, Tensor]:
        """The losses of one step by name; those without targets are absent."""
        generator = self.studio.generator(name, step)
        count = len(self.every.rays)
        chosen = torch.randint(count, (self.rays_a_step,), generator=generator).sort().values
        wanted, nodes = self.every[chosen], sdf.nodes()
        found = sdf.trace(
            nodes, wanted.rays, jitter=torch.rand(len(chosen), generator=generator)
        )
        points = ball_points(self.rays_a_step // 2, generator)
        return {
            **seen_losses(found, wanted, value_at(self.dropped, progress)),
            **field_losses(nodes, found, points, sdf.normal_cells, generator),
            "solid": outlined_loss(nodes, self.inside, -1, len(points), generator),
            "empty": outlined_loss(nodes, self.outside, 1, len(points), generator),
        }


def seen_losses(found: RayValues, wanted: RayTargets, dropped: float) -> dict[str, Tensor]:
    """What the views say, but for the share ``dropped`` of the worst colors and normals."""
    difference = (found.color - wanted.premultiplied).abs().mean(1)
    losses = {
        "color": keep_lowest(difference * wanted.weights, dropped).mean(),
        "mask": binary_cross_entropy(found.alpha.clamp(1e-3, 1 - 1e-3), wanted.alpha),
    }
    if wanted.normals is not None:
        losses["normals"] = normal_loss(found, wanted, dropped)
    if wanted.distance is not None:
        off = (found.distance - wanted.distance).abs() * (wanted.distance > 0) * found.alpha
        losses["depth"] = off.mean()
    return losses


def normal_loss(found: RayValues, wanted: RayTargets, dropped: float) -> Tensor:
    """Geometry-aware normal loss (equations 8 and 9): the mean of 1 - cos between the rendered and
    the given normals, weighted by :func:`facing_weight`, without the share ``dropped`` of the
    largest errors among the rays that count."""
    assert wanted.normals is not None
    weight = facing_weight(wanted.normals, wanted.rays.directions)
    counting = (weight > 0).nonzero()[:, 0]
    given = normalize(wanted.normals[counting], dim=-1)
    cosine = (normalize(found.normals[counting], dim=-1) * given).sum(-1)
    error = (1 - cosine) * wanted.alpha[counting, 0]
    kept = lowest(error.detach(), dropped)
    weight = weight[counting][kept]
    return (weight * error[kept]).sum() / weight.sum().clamp_min(1e-6)


def facing_weight(normals: Tensor, directions: Tensor) -> Tensor:
    """exp(|cos|) of the angle between given normals (n, 3) of any length and rays, (n,); zero for
    grazing and averted ones, which a 2D model draws least reliably, and where there is none."""
    cosine = (normalize(normals, dim=-1) * directions).sum(-1)
    return torch.where(cosine < GRAZING, cosine.abs().exp(), 0.0)


def field_losses(
    nodes: SdfNodes, found: RayValues, points: Tensor, cells: float, generator: torch.Generator
) -> dict[str, Tensor]:
    """What holds the field together where no pixel says: unit gradients (eikonal), no surface in
    open space (sparsity, exp(-100 |f|)), and normals that change slowly (smoothness)."""
    space = nodes.gradient(points, cells)
    gradients = torch.cat([found.gradients, space])
    return {
        "eikonal": (gradients.norm(dim=-1) - 1).square().mean(),
        "sparsity": (-SPARSITY_SCALE * nodes.distance(points).abs()).exp().mean(),
        "smoothness": bending(nodes, found.points, len(points), cells, generator),
    }


def outlined_loss(
    nodes: SdfNodes, points: Tensor, sign: int, count: int, generator: torch.Generator
) -> Tensor:
    """How far ``count`` of ``points`` (n, 3) are from being on their side of the surface, inside
    (``sign`` -1) or outside (1); zero where there are no points.

    No ray says what is within a thing: level cameras see the rim of a table and nothing of its
    top, and a ring pleases them all as well. So what lies in every outline is solid, as in the
    visual hull, but for where normals and colors say more strongly that it is hollow. Nor does a
    ray see what it begins in, so that what lies in no outline may fill at the border of the ball.
    """
    if not len(points):
        return nodes.distances.new_zeros(())
    chosen = torch.randint(len(points), (count,), generator=generator)
    return (CLEARANCE - sign * nodes.distance(points[chosen])).relu().mean()


def bending(
    nodes: SdfNodes, points: Tensor, count: int, cells: float, generator: torch.Generator
) -> Tensor:
    """Mean squared change of the gradient from ``count`` of ``points`` (n, 3) on the surface to
    places up to two cells aside."""
    chosen = torch.randint(len(points), (count,), generator=generator)
    here = points[chosen].detach()
    aside = here + (torch.rand(here.shape, generator=generator) - 0.5) * (4 * nodes.cell)
    change = nodes.gradient(here, cells) - nodes.gradient(aside, cells)
    return change.square().sum(-1).mean()


def keep_lowest(errors: Tensor, dropped: float) -> Tensor:
    """``errors`` (n,) without the share ``dropped`` of the largest."""
    return errors[lowest(errors.detach(), dropped)]


def lowest(errors: Tensor, dropped: float) -> Tensor:
    """The indices of all but the share ``dropped`` of the largest of ``errors`` (n,)."""
    if dropped == 0:
        return torch.arange(len(errors))
    return errors.argsort(stable=True)[: len(errors) - round(dropped * len(errors))]


def ball_points(count: int, generator: torch.Generator) -> Tensor:
    """Points evenly in the unit ball, (count, 3)."""
    directions = normalize(torch.randn(count, 3, generator=generator), dim=-1)
    return directions * torch.rand(count, 1, generator=generator) ** (1 / 3)
