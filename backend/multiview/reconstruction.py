"""Reconstruction from generated views, which agree only nearly: robust losses, worst views left
out (CAT3D, section 3.3; Wonder3D, section 4.3 drops the worst in the same spirit)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.diffusion.annealing import Number
from backend.distillation.loop import State, distill
from backend.multiview.views import ViewSet
from backend.priors.base import Prior
from backend.rendering.cameras import Cameras
from backend.representations.volume import Volume
from backend.studio import Progress, Studio

GRAY = 0.5
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
        """What a prior's latents show; a prior that draws no alpha gives opaque pictures."""
        images, alpha = prior.decode(views.latents)
        alpha = torch.ones_like(images[..., :1]) if alpha is None else alpha
        height, width = images.shape[1:3]
        cameras = views.cameras.resized(height, width)
        return cls(cameras, (images - GRAY * (1 - alpha)).clamp_min(0), alpha)

    def over(self, background: Tensor, index: Tensor) -> Tensor:
        """The views ``index`` over a color (3,)."""
        return self.premultiplied[index] + (1 - self.alpha[index]) * background


@dataclass
class ViewFit:
    """Fits a volume to views. ``views_a_step``: how many are rendered at once. ``dropped``: the
    share of views that is left out, the worst by error, from the middle of the run on."""

    targets: Targets
    studio: Studio
    weights: dict[str, Number]
    views_a_step: int = 4
    dropped: float = 0.25

    def fit(self, volume: Volume, state: State, steps: int) -> Iterator[Progress]:
        """Optimize until ``steps``."""

        def losses(step: int) -> dict[str, Tensor]:
            index = self._choose(volume, step, steps)
            return self._losses(volume, index, step)

        def upkeep(step: int) -> None:
            if step % 20 == 10:
                volume.update_occupancy()

        yield from distill(state, steps, losses, self.weights, after_step=upkeep)

    def _choose(self, volume: Volume, step: int, steps: int) -> Tensor:
        """Views of this step: random ones, after the middle only of those that agree."""
        generator = self.studio.generator("fit views", step)
        count = len(self.targets.cameras)
        pool = torch.arange(count)
        if step >= steps // 2 and self.dropped > 0:
            pool = self.agreeing(volume)
        chosen = torch.randperm(len(pool), generator=generator)[: self.views_a_step]
        return pool[chosen].sort().values

    @torch.no_grad()
    def agreeing(self, volume: Volume) -> Tensor:
        """Numbers of the views that the volume explains best, all but the share ``dropped``."""
        gray = torch.full((3,), GRAY)
        color = volume.render(self.targets.cameras, background=gray).color
        every = torch.arange(len(self.targets.cameras))
        error = (color - self.targets.over(gray, every)).abs().mean((1, 2, 3))
        kept = len(error) - round(self.dropped * len(error))
        return error.argsort()[:kept].sort().values

    def _losses(self, volume: Volume, index: Tensor, step: int) -> dict[str, Tensor]:
        generator = self.studio.generator("fit", step)
        background = torch.rand(3, generator=generator)
        cameras = self.targets.cameras[index]
        jitter = torch.rand(len(cameras), cameras.height, cameras.width, generator=generator)
        buffers = volume.render(cameras, background=background, jitter=jitter)
        return {
            "color": charbonnier(buffers.color - self.targets.over(background, index)),
            "alpha": charbonnier(buffers.alpha - self.targets.alpha[index]),
        }


def charbonnier(difference: Tensor) -> Tensor:
    """Mean of sqrt(d**2 + c**2) - c: quadratic near zero, absolute far off."""
    return ((difference**2 + CHARBONNIER**2).sqrt() - CHARBONNIER).mean()
