"""Colors and normals of the same views, drawn together from one picture (Wonder3D, section 4.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from backend.diffusion.samplers import ddim
from backend.multiview.surfaces import SurfaceTargets
from backend.multiview.views import ViewSet, decode_cut_out
from backend.priors.base import COLOR, NORMAL, Condition, Prior
from backend.priors.guidance import GivenViews, predict_beside
from backend.rendering.cameras import Cameras
from backend.rendering.sheet import sheet
from backend.studio import Progress, Studio
from protocol.assets import Asset

STEEPER = 4.0
"""Drawn alpha is smooth where the prior is in doubt; a surface is there or not."""


@dataclass(frozen=True)
class CrossDomainSampler:
    """Draws each of the ``rigs``, all of as many views, in color and as normals, in one joint set
    with the picture.

    One set means that every view and both domains see each other at every step: the multi-view and
    the cross-domain attention of the paper. ``steps`` of DDIM. ``scale``: guidance toward the
    picture, from the same set without it; 1 is plain.
    """

    prior: Prior
    given: GivenViews
    rigs: Sequence[Cameras]
    steps: int
    scale: float = 1.0

    def empty(self) -> ViewSet:
        """Nothing drawn yet: in each set the colors, then the normals."""
        return ViewSet.empty(self.prior, Cameras.join([rig for rig in self.rigs for _ in range(2)]))

    @torch.no_grad()
    def draw(self, views: ViewSet, studio: Studio) -> Iterator[Progress]:
        """Draw what ``views`` lacks; the noise of a set depends on the seed and its number."""

        def draw_set(number: int, part: Tensor) -> Iterator[Tensor]:
            shape = (1, len(part), *self.prior.spec.latent)
            noise = studio.noise(shape, "cross-domain views", number)
            predict = partial(self._predict, self.rigs[number])
            for step in ddim(predict, self.prior.schedule, noise, steps=self.steps):
                yield step.x0[0]

        parts = torch.arange(len(views.drawn)).chunk(len(self.rigs))
        yield from views.fill(parts, self.steps, draw_set, lambda: self.preview(views))

    def preview(self, views: ViewSet) -> Asset:
        """A picture of the colors above the normals, as they are now."""
        images, _ = self.prior.decode(views.latents)
        return Asset("views", contact_sheet=sheet(images, columns=len(self.rigs[0])))

    def targets(self, views: ViewSet, weights: Tensor) -> SurfaceTargets:
        """What the drawn views say of the surface, set after set; the outline is the mean of both
        domains', made steeper. ``weights``: of the colors of each camera of a set."""
        images, alphas = decode_cut_out(self.prior, views.latents)
        color, normals = images.unflatten(0, (len(self.rigs), 2, -1)).unbind(1)
        color, normals = color.flatten(0, 1), 2 * normals.flatten(0, 1) - 1
        alpha = alphas.unflatten(0, (len(self.rigs), 2, -1)).mean(1).flatten(0, 1)
        if self.prior.spec.normals_of == "picture":
            normals = normals @ self.given.cameras.c2w[0, :3, :3].T
        behind = self.prior.spec.background or 0.0
        cameras = Cameras.join(self.rigs).resized(*color.shape[1:3])
        premultiplied = (color - behind * (1 - alpha)).clamp_min(0)
        solid = ((alpha - 0.5) * STEEPER + 0.5).clamp(0, 1)
        premultiplied = premultiplied * solid / alpha.clamp_min(1 / 255)
        weights = weights.repeat(len(self.rigs))
        return SurfaceTargets(cameras, premultiplied, solid, normals, weights=weights)

    def _predict(self, rig: Cameras, noisy: Tensor, t: Tensor) -> Tensor:
        domain = [COLOR] * len(rig) + [NORMAL] * len(rig)
        condition = Condition(cameras=Cameras.join([rig, rig]), domain=torch.tensor([domain]))
        x0 = predict_beside(self.prior, self.given, noisy, t, condition, self.scale).x0
        return x0.clamp(-1, 1) if self.prior.spec.bounded else x0
