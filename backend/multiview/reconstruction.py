"""Reconstruction from generated views, which agree only nearly: robust losses, worst views left
out (CAT3D, section 3.3; Wonder3D, section 4.3 drops the worst in the same spirit)."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.diffusion.annealing import Schedule
from backend.distillation.loop import State, distill
from backend.multiview.views import ViewSampler, ViewSet, decode_cut_out
from backend.priors.base import Prior
from backend.rendering.cameras import Cameras
from backend.representations.volume import Volume
from backend.studio import Progress, Studio
from protocol.assets import Asset

GRAY = 0.5
RATES = {"grid": Schedule(0.1, 0.02)}
WEIGHTS = {"color": 1.0, "alpha": 0.5}
DROPPED = 0.25
"""Share of the views that recipes leave out of the second half of a fit: those that agree least."""
CHARBONNIER = 0.05
"""Where the robust loss turns from square to absolute, in units of color."""


@dataclass(frozen=True)
class Targets:
    """Views to fit. ``premultiplied``: color times alpha, (views, height, width, 3)."""

    cameras: Cameras
    premultiplied: Tensor
    alpha: Tensor

    @classmethod
    @torch.no_grad()
    def decode(cls, prior: Prior, views: ViewSet) -> "Targets":
        """What a prior's latents show, cut out."""
        images, alpha = decode_cut_out(prior, views.latents)
        behind = prior.spec.background or 0.0
        height, width = images.shape[1:3]
        cameras = views.cameras.resized(height, width)
        return cls(cameras, (images - behind * (1 - alpha)).clamp_min(0), alpha)

    def over(self, background: Tensor, index: Tensor) -> Tensor:
        """The views ``index`` over a color (3,)."""
        return self.premultiplied[index] + (1 - self.alpha[index]) * background


@dataclass
class ViewFit:
    """Fits a volume to views, ``views_a_step`` random ones of those ``kept`` (all, at first)."""

    targets: Targets
    studio: Studio
    preview: Callable[[], Asset] | None = None
    views_a_step: int = 4

    def __post_init__(self) -> None:
        self.kept = torch.arange(len(self.targets.cameras))

    def run(self, volume: Volume, state: State, steps: int) -> Iterator[Progress]:
        """Optimize until ``steps``."""
        return distill(
            state, steps, lambda step: self._losses(volume, step), WEIGHTS, rates=RATES,
            after_step=volume.upkeep, preview=self.preview,
        )

    @torch.no_grad()
    def drop_worst(self, volume: Volume, share: float) -> None:
        """From now on leave out the ``share`` of the views that the volume explains worst."""
        gray = torch.full((3,), GRAY)
        color = volume.render(self.targets.cameras, background=gray).color
        every = torch.arange(len(self.targets.cameras))
        error = (color - self.targets.over(gray, every)).abs().mean((1, 2, 3))
        count = len(error) - round(share * len(error))
        self.kept = error.argsort()[:count].sort().values

    def _choose(self, generator: torch.Generator) -> Tensor:
        chosen = torch.randperm(len(self.kept), generator=generator)[: self.views_a_step]
        return self.kept[chosen].sort().values

    def _losses(self, volume: Volume, step: int) -> dict[str, Tensor]:
        generator = self.studio.generator("fit views", len(self.kept), step)
        index = self._choose(generator)
        background = torch.rand(3, generator=generator)
        cameras = self.targets.cameras[index]
        jitter = torch.rand(len(cameras), cameras.height, cameras.width, generator=generator)
        buffers = volume.render(cameras, background=background, jitter=jitter)
        return {
            "color": charbonnier(buffers.color - self.targets.over(background, index)),
            "alpha": charbonnier(buffers.alpha - self.targets.alpha[index]),
        }


def fit_sampled_views(
    sampler: ViewSampler, cameras: Cameras, volume: Volume, steps: int, dropped: float,
    studio: Studio, preview: Callable[[], Asset],
) -> Generator[Progress, None, None]:
    """Sample the views of ``cameras``, the stage "sample views", and fit them."""
    prior = sampler.prior
    views = yield from studio.stage(
        "sample views", ViewSet.empty(prior, cameras), lambda views: sampler.draw(views, studio)
    )
    yield from fit_views(Targets.decode(prior, views), volume, steps, dropped, studio, preview)


def fit_views(
    targets: Targets, volume: Volume, steps: int, dropped: float, studio: Studio,
    preview: Callable[[], Asset],
) -> Generator[Progress, None, None]:
    """Fit views twice in ``steps`` steps, the stages "fit views" and "fit agreeing views": all of
    them, then without the share ``dropped`` of those that agree least."""
    fit = ViewFit(targets, studio, preview)
    yield from _fit_stage("fit views", fit, volume, steps // 2)
    fit.drop_worst(volume, dropped)
    yield from _fit_stage("fit agreeing views", fit, volume, steps // 2)


def _fit_stage(
    name: str, fit: ViewFit, volume: Volume, steps: int
) -> Generator[Progress, None, State]:
    state = State.create(volume, RATES)
    return fit.studio.stage(name, state, lambda state: fit.run(volume, state, steps))


def charbonnier(difference: Tensor) -> Tensor:
    """Mean of sqrt(d**2 + c**2) - c: quadratic near zero, absolute far off."""
    return ((difference**2 + CHARBONNIER**2).sqrt() - CHARBONNIER).mean()
