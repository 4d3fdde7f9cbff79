"""New views of what one picture shows, each drawn alone (Zero-1-to-3, section 3.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.diffusion.samplers import ddim
from backend.multiview.views import ViewSet
from backend.priors.base import Condition, Prior
from backend.priors.guidance import GivenViews, predict_beside
from backend.rendering.cameras import Cameras
from backend.rendering.sheet import sheet
from backend.studio import Progress, Studio
from protocol.assets import Asset


@dataclass(frozen=True)
class NovelViewSampler:
    """Draws ``cameras`` beside a ``given`` picture in ``steps`` of DDIM; ``scale`` is the guidance
    toward the picture. No view knows of the others. ``sets``: how often each is drawn."""

    prior: Prior
    given: GivenViews
    cameras: Cameras
    steps: int
    scale: float
    sets: int = 1

    def empty(self) -> ViewSet:
        """Nothing drawn yet, set after set."""
        return ViewSet.empty(self.prior, Cameras.join([self.cameras] * self.sets))

    @torch.no_grad()
    def draw(self, views: ViewSet, studio: Studio) -> Iterator[Progress]:
        """Draw what ``views`` lacks; the noise of a set depends on the seed and its number."""

        def draw_set(number: int, part: Tensor) -> Iterator[Tensor]:
            noise = studio.noise((len(part), 1, *self.prior.spec.latent), "novel views", number)
            for step in ddim(self._predict, self.prior.schedule, noise, steps=self.steps):
                yield step.x0[:, 0]

        parts = torch.arange(len(views.drawn)).chunk(self.sets)
        yield from views.fill(parts, self.steps, draw_set, lambda: self.preview(views))

    def _predict(self, noisy: Tensor, t: Tensor) -> Tensor:
        condition = Condition(cameras=self.cameras)
        x0 = predict_beside(self.prior, self.given, noisy, t, condition, self.scale).x0
        return x0.clamp(-1, 1) if self.prior.spec.bounded else x0

    @torch.no_grad()
    def preview(self, views: ViewSet) -> Asset:
        """A picture of the views as they are now."""
        images, _ = self.prior.decode(views.latents)
        return Asset("views", contact_sheet=sheet(images, columns=4))
