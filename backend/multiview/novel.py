"""New views of what one picture shows, each drawn alone (Zero-1-to-3, section 3.2)."""

from collections.abc import Generator, Iterator
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
    """Draws views beside a ``given`` picture in ``steps`` of DDIM; ``scale`` is the guidance toward
    the picture. No view knows of the others."""

    prior: Prior
    given: GivenViews
    steps: int
    scale: float

    @torch.no_grad()
    def draw(self, views: ViewSet, studio: Studio) -> Iterator[Progress]:
        """Draw all views unless they are there; begins anew where it was interrupted."""
        if views.drawn.all():
            return
        noise = studio.noise((len(views.cameras), 1, *self.prior.spec.latent), "novel views")
        condition = Condition(cameras=views.cameras)

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            x0 = predict_beside(self.prior, self.given, noisy, t, condition, self.scale).x0
            return x0.clamp(-1, 1) if self.prior.spec.bounded else x0

        steps = ddim(predict, self.prior.schedule, noise, steps=self.steps)
        for count, step in enumerate(steps, 1):
            views.latents = step.x0[:, 0]
            views.drawn[:] = count == self.steps
            yield Progress(count, self.steps, preview=lambda: self.preview(views))

    @torch.no_grad()
    def preview(self, views: ViewSet) -> Asset:
        """A picture of the views as they are now."""
        images, _ = self.prior.decode(views.latents)
        return Asset("views", contact_sheet=sheet(images, columns=4))


def draw_novel_views(
    sampler: NovelViewSampler, cameras: Cameras, studio: Studio
) -> Generator[Progress, None, ViewSet]:
    """The stage "draw views"."""
    return studio.stage(
        "draw views", ViewSet.empty(sampler.prior, cameras),
        lambda views: sampler.draw(views, studio),
    )
