"""Stable Diffusion for inpainting (Rombach et al., arXiv 2112.10752, section 4.5) from a folder
that diffusers wrote, or an id of the hub: what is missing in a picture, as words say.

The network is Stable Diffusion's with nine channels in: the noisy latents, the mask (1 where
something is wanted), then the latents of the picture with mid-gray where it is not known.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from backend.diffusion.conversions import from_x0
from backend.diffusion.schedules import expand_like
from backend.priors.base import Capability, Condition, KnownPixels, Prediction
from backend.priors.checkpoints import Layout
from backend.priors.stable_diffusion import PARTS, StableDiffusionPrior

GRAY = 0.5


@dataclass
class StableDiffusionInpaintPrior(StableDiffusionPrior):
    """Answers ``inpaint``: ``Condition.known`` says what stays; without it all is wanted.

    The known picture is seen as the VAE decodes it. Known latents come back as they are, as
    :class:`backend.priors.base.Condition` promises; the published pipeline leaves them to the
    network.
    """

    layout: ClassVar[Layout] = Layout("Stable Diffusion for inpainting", PARTS)
    pipeline: ClassVar[str] = "StableDiffusionInpaintPipeline"
    called: ClassVar[str] = "stable-diffusion-inpaint"
    capability: ClassVar[Capability] = "inpaint"
    license: ClassVar[str] = "CreativeML OpenRAIL-M for stable-diffusion-inpainting"

    _seen: tuple[KnownPixels, Tensor] | None = field(default=None, init=False, repr=False)

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One evaluation of each view alone; what is known stays."""
        x0, eps = super().predict(noisy, t, condition)
        if condition.known is None:
            return Prediction(x0, eps)
        x0 = torch.lerp(x0, condition.known.latents.to(x0), condition.known.mask.to(x0))
        alpha, sigma = (expand_like(value, noisy) for value in self.schedule.alpha_sigma(t))
        return Prediction(*from_x0(noisy, x0, alpha, sigma))

    def beside(self, noisy: Tensor, condition: Condition) -> list[Tensor]:
        """The mask of what is wanted, and the latents of the picture without it."""
        known = condition.known
        if known is None:
            known = KnownPixels(torch.zeros_like(noisy), torch.zeros_like(noisy[:, :, :1]))
        return [1 - known.mask.to(noisy), self._look_at(known).to(noisy)]

    @torch.no_grad()
    def _look_at(self, known: KnownPixels) -> Tensor:
        """The latents of a picture with gray where it is not known; those of the last one are
        kept, for all steps of a sampler."""
        if self._seen is None or not _same(self._seen[0], known):
            color, _ = self.decode(known.latents.flatten(0, 1))
            mask = interpolate(known.mask.flatten(0, 1).to(color), color.shape[1:3])
            masked = torch.where(mask.permute(0, 2, 3, 1) > 0.5, color, GRAY)
            self._seen = known, self.encode(masked).view_as(known.latents)
        return self._seen[1]

    @classmethod
    def more_channels(cls, latent: int) -> int:
        """The mask's and the picture's."""
        return latent + 1


def _same(one: KnownPixels, other: KnownPixels) -> bool:
    return torch.equal(one.latents, other.latents) and torch.equal(one.mask, other.mask)
