"""Views drawn from a prior: a few jointly, then the rest given those (CAT3D, section 3.2)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend.diffusion.samplers import ddim
from backend.distillation.prompts import ConditionalText
from backend.multiview.images import cut_out
from backend.priors.base import Condition, Prior
from backend.priors.guidance import predict_x0
from backend.rendering.cameras import Cameras
from backend.rendering.sheet import sheet
from backend.studio import Progress, Studio
from protocol.assets import Asset, Image, View
from protocol.errors import InputError

GROUP = 4


@dataclass
class ViewSet:
    """Views of one object: ``latents`` (views, channels, height, width), which are ``drawn``."""

    cameras: Cameras
    latents: Tensor
    drawn: Tensor

    @classmethod
    def empty(cls, prior: Prior, cameras: Cameras) -> "ViewSet":
        """Nothing drawn yet."""
        return cls(
            cameras, torch.zeros(len(cameras), *prior.spec.latent), torch.zeros(len(cameras)).bool()
        )

    def part(self, which: slice) -> "ViewSet":
        """Some of them."""
        return ViewSet(self.cameras[which], self.latents[which], self.drawn[which])

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"latents": self.latents, "drawn": self.drawn}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.latents, self.drawn = state["latents"], state["drawn"]

    def fill(
        self, parts: Sequence[Tensor], steps: int, draw: Callable[[int, Tensor], Iterator[Tensor]],
        preview: Callable[[], Asset],
    ) -> Iterator[Progress]:
        """Draw ``parts`` (of which each is indices of views) in order, but for those that are drawn
        already; one that was interrupted begins anew. ``draw(number, part)`` gives the clean
        latents of a part as predicted after each of its ``steps``."""
        for number, part in enumerate(parts):
            if self.drawn[part].all():
                continue
            for count, latents in enumerate(draw(number, part), 1):
                self.latents[part] = latents
                self.drawn[part] |= count == steps
                yield Progress(number * steps + count, steps * len(parts), preview=preview)


@torch.no_grad()
def decode_cut_out(prior: Prior, latents: Tensor) -> tuple[Tensor, Tensor]:
    """Drawn views and their alpha, (views, height, width, 3 and 1); a prior that draws none is held
    to draw before a plain background: :class:`InputError` where that is not plain."""
    images, alpha = prior.decode(latents)
    if alpha is None:
        alpha = torch.stack([_outline(image) for image in images]).to(images)
    return images, alpha


def _outline(image: Tensor) -> Tensor:
    """Alpha (height, width, 1) of what a drawn view (height, width, 3) shows."""
    try:
        return torch.from_numpy(cut_out(image.cpu().numpy()))[..., None]
    except InputError as error:
        raise InputError(
            "views_background", "The prior drew views whose object fills the frame or does not "
            "stand before a plain background.",
            "Try another seed, or a picture or words for one whole object that stands free.",
        ) from error


@torch.no_grad()
def to_views(prior: Prior, cameras: Cameras, latents: Tensor) -> list[View]:
    """Drawn latents (views, channels, height, width) with their cameras, as an asset holds them;
    cut out where the prior draws alpha."""
    images, alpha = prior.decode(latents)
    if alpha is not None:
        behind = (prior.spec.background or 0.0) * (1 - alpha)
        straight = ((images - behind) / alpha.clamp_min(1e-3)).clamp(0, 1)
        images = torch.cat([straight, alpha], -1)
    pixels = (images * 255).round().to(torch.uint8).cpu().numpy()
    ortho = cameras.ortho_height
    fov = cameras.fov_degrees if ortho is None else cameras.fov_degrees * (ortho == 0)
    return [
        View(pose.numpy().astype(np.float32), degrees, Image(picture))
        for pose, degrees, picture in zip(cameras.c2w.cpu(), fov.tolist(), pixels, strict=True)
    ]


@dataclass(frozen=True)
class ViewSampler:
    """How views are drawn: ``GROUP`` jointly, the next given all before them, and so on. ``steps``
    of DDIM a group. ``scale``: guidance. ``rescale``: phi of the guidance rescale."""

    prior: Prior
    text: ConditionalText
    steps: int
    scale: float
    rescale: float = 0.5

    @torch.no_grad()
    def draw(self, views: ViewSet, studio: Studio) -> Iterator[Progress]:
        """Draw what ``views`` lacks; the noise of a group depends on the seed and its number."""

        def draw_group(number: int, group: Tensor) -> Iterator[Tensor]:
            noise = studio.noise((1, *views.latents.shape), "views", number)
            return self._draw_group(views, group.tolist(), noise)

        groups = torch.arange(len(views.drawn)).split(GROUP)
        yield from views.fill(groups, self.steps, draw_group, lambda: self.preview(views))

    def preview(self, views: ViewSet) -> Asset:
        """A picture of the views as they are now."""
        images, _ = self.prior.decode(views.latents)
        return Asset("views", contact_sheet=sheet(images, columns=min(len(images), 4)))

    def _draw_group(self, views: ViewSet, group: list[int], noise: Tensor) -> Iterator[Tensor]:
        """The clean latents of the group as predicted after each step."""
        known = views.drawn.nonzero()[:, 0].tolist()
        chosen = known + group
        given = torch.tensor([view in known for view in chosen])[None]
        cameras = views.cameras[chosen]
        text, negative = self.text.rows(cameras, 1)
        condition = Condition(text, cameras, given if known else None)
        start = torch.where(
            given[..., None, None, None], views.latents[None, chosen], noise[:, chosen]
        )

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            x0 = predict_x0(
                self.prior, noisy, t, condition, negative, self.scale, self.rescale
            )
            # Static thresholding (Imagen, section 2.3): guidance overshoots what pixels can be.
            return x0.clamp(-1, 1) if self.prior.spec.bounded else x0

        schedule, mask = self.prior.schedule, condition.given
        for step in ddim(predict, schedule, start, steps=self.steps, given=mask):
            yield step.x0[0, len(known) :]
