"""Pictures with holes, filled by a prior that is told which pixels are known."""

from dataclasses import dataclass

import torch
from scipy.ndimage import binary_dilation, binary_fill_holes
from torch import Tensor

from backend.diffusion.samplers import ddim
from backend.editing.pictures import to_latents, to_mask, to_pictures
from backend.priors.base import Condition, KnownPixels, Prior, TextEmbedding
from backend.priors.guidance import predict_guided
from backend.rendering.cameras import Cameras
from backend.studio import Studio


@dataclass(frozen=True)
class Inpainter:
    """An editor for :class:`backend.editing.dataset_update.DatasetUpdate` that fills the places of
    pictures with what the words say.

    ``text`` and ``nothing``: one row each. ``scale``: guidance; ``steps`` of DDIM from pure noise.
    """

    prior: Prior
    text: TextEmbedding
    nothing: TextEmbedding
    studio: Studio
    scale: float = 1.0
    steps: int = 20

    @classmethod
    def embed(
        cls, prior: Prior, prompt: str, studio: Studio, scale: float, steps: int
    ) -> "Inpainter":
        """With the words embedded."""
        text = prior.embed_text([prompt, ""])
        return cls(prior, text[:1], text[1:], studio, scale, steps)

    @torch.no_grad()
    def __call__(
        self, current: Tensor, originals: Tensor, places: Tensor, cameras: Cameras, number: int
    ) -> Tensor:
        """See :class:`backend.editing.dataset_update.Editor`."""
        latents = to_latents(self.prior, current)
        known = 1 - to_mask(places, latents)
        condition = Condition(
            self.text.repeat(len(latents)), cameras, known=KnownPixels(latents, known),
            alpha_known=current.shape[-1] == 4,
        )
        nothing = self.nothing.repeat(len(latents))

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            x0 = predict_guided(self.prior, noisy, t, condition, nothing, self.scale).x0
            return x0.clamp(-1, 1) if self.prior.spec.bounded else x0

        noise = self.studio.noise(tuple(latents.shape), "inpaint", number).to(latents)
        drawn = latents
        for step in ddim(predict, self.prior.schedule, noise, steps=self.steps):
            drawn = step.x0
        filled = to_pictures(self.prior, drawn, current)
        return torch.lerp(current, filled, places[..., None])


def holes_of(shown: Tensor, grow: int) -> Tensor:
    """Masks (views, height, width) of where ``shown``, of the same shape, is above eight
    tenths of its most, wider by ``grow`` pixels, without gaps."""
    solid = (shown > 0.8 * shown.max()).numpy()
    grown = [
        binary_fill_holes(binary_dilation(view, iterations=grow) if grow else view)
        for view in solid
    ]
    return torch.stack([torch.from_numpy(view) for view in grown]).float()
