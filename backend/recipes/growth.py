"""How Gaussians become more, as recipes that begin from few points share it: noisy points around
the first ones (GaussianDreamer, arXiv 2310.08529, section 3.3), then the density control of 3D
Gaussian Splatting (Kerbl et al., arXiv 2308.04079, section 5) while they are distilled, paced as
GaussianDreamer's released code does."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from backend.diffusion.annealing import Number
from backend.distillation.curve import Curve
from backend.distillation.loop import State, distill
from backend.distillation.prompts import ConditionalText
from backend.distillation.watchdog import Watchdog
from backend.multiview.reconstruction import DROPPED, fit_sampled_views
from backend.multiview.rigs import ring
from backend.multiview.views import ViewSampler
from backend.recipes.options import option
from backend.recipes.recipe import Inputs
from backend.recipes.volumes import preview
from backend.representations.densify import Densifier, DensityRule
from backend.representations.gaussians import Gaussians
from backend.representations.volume import grid_volume
from backend.studio import Progress, Studio
from protocol.assets import Asset

RUN = 1200
"""Steps of the published run, in which its times are told."""

EXTENT = 4.0
"""Of the scene, which the thresholds of scale are told in: the released code's camera distance."""

VIEWS_GRID = 64
"""Cells along each side of the volume that is fitted to views to begin from."""


@dataclass(frozen=True)
class GrowthOptions:
    """Options of every recipe whose Gaussians grow from points."""

    start: Literal["views", "points"] = option(
        "views", "Without a mesh, begin from views that a prior told cameras draws, fitted, or "
        "from points that a prior draws as in the paper",
    )
    view_steps: int = option(20, "Denoising steps for each such view", low=4, high=200)
    fit_steps: int = option(100, "Steps of fitting them", low=10, high=10000)
    steps: int = option(1200, "Steps of score distillation", low=1, high=20000)
    seeds: int = option(4096, "Points to begin from", low=64, high=65536)
    grow: bool = option(True, "Add noisy points around the first ones")
    draws: int = option(
        1000000, "Points drawn in the bounding box when growing", low=0, high=2000000,
        advanced=True,
    )
    reach: float = option(
        0.01, "Drawn points stay this near to a first one", low=0.0, high=0.5, advanced=True
    )
    perturbation: float = option(
        0.2, "How much brighter than its nearest a grown point may be", low=0.0, high=1.0,
        advanced=True,
    )
    densify_gradient: float = option(
        2e-4, "Gaussians with a larger gradient in the picture multiply", low=0.0, high=1e6,
        advanced=True,
    )
    least_opacity: float = option(
        0.05, "Gaussians fainter than this go", low=0.0, high=1.0, advanced=True
    )
    most: int = option(100000, "Most Gaussians", low=100, high=1000000)


def mesh_of_views(
    inputs: Inputs, options: GrowthOptions, studio: Studio
) -> Generator[Progress, None, Inputs]:
    """The inputs with a mesh to begin from: around a volume that was fitted to views."""
    prior = studio.prior("text+cameras")
    text = ConditionalText.embed(prior, inputs.prompt, inputs.negative_prompt)
    sampler = ViewSampler(prior, text, options.view_steps, prior.spec.guidance_scale)
    volume = grid_volume(VIEWS_GRID, samples=VIEWS_GRID)
    yield from fit_sampled_views(
        sampler, ring(prior), volume, options.fit_steps, DROPPED, studio, lambda: preview(volume)
    )
    asset = Asset("views", mesh=volume.preview_mesh(VIEWS_GRID))
    return replace(inputs, assets={**inputs.assets, "mesh": asset})


def density_rule(step: int, steps: int, options: GrowthOptions) -> DensityRule | None:
    """What is cloned, split and pruned after ``step`` of ``steps``: something every 100 of 1200
    steps, from 300 to 900, neither included; large ones go only after 500."""
    interval = max(round(steps * 100 / RUN), 1)
    between = 300 * steps < step * RUN < 900 * steps
    if not between or step % interval:
        return None
    late = step * RUN > 500 * steps
    return DensityRule(
        gradient=options.densify_gradient, split_scale=0.01 * EXTENT, opacity=options.least_opacity,
        most_scale=0.1 * EXTENT if late else float("inf"),
        most_pixels=20 if late else float("inf"), most=options.most,
    )


def distill_growing(
    gaussians: Gaussians,
    losses: Callable[[int], Mapping[str, Tensor]],
    weights: Mapping[str, Number],
    rates: Mapping[str, Number],
    curve: Curve,
    watchdog: Watchdog,
    options: GrowthOptions,
    studio: Studio,
) -> Generator[Progress, None, None]:
    """The stage "distill": see :func:`backend.distillation.loop.distill`, with density control and
    a watchdog, to whom ``losses`` shows each step's alpha; the report gets the curve, how many
    Gaussians there are, and how often they were brought back."""

    def control_density(step: int) -> None:
        rule = density_rule(step + 1, options.steps, options)
        if rule is not None:
            densifier.densify(rule, studio.generator("densify", step), state.optimizer)

    size = curve.score.prior.spec.resolution
    densifier = Densifier(gaussians, (size, size))
    state = State.create(gaussians, rates, eps=1e-15)
    state.watchdog = watchdog
    yield from studio.stage(
        "distill", state,
        lambda state: distill(
            state, options.steps, losses, weights, rates=rates, after_step=control_density,
            preview=lambda: preview(gaussians), measure=curve,
        ),
    )
    studio.report |= {
        "curve": state.curve, "gaussians": len(gaussians), "recovered": watchdog.recovered
    }
