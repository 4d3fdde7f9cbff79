"""Pictures edited as an instruction says (Brooks et al., InstructPix2Pix, arXiv 2211.09800), from
where they stand now, as a dataset update wants it (Instruct-NeRF2NeRF, section 3.2)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from backend.diffusion.samplers import ddim
from backend.diffusion.schedules import add_noise
from backend.editing.pictures import to_latents, to_mask, to_pictures
from backend.priors.base import Condition, Prior, TextEmbedding
from backend.priors.guidance import predict_instruction
from backend.rendering.cameras import Cameras
from backend.studio import Studio

STRONGEST = 0.98
"""What share of the noise process an edit goes back at most."""


@dataclass(frozen=True)
class InstructionEditor:
    """An editor for :class:`backend.editing.dataset_update.DatasetUpdate`.

    ``instruction`` and ``nothing``: one row each. The render is noised to a level drawn from
    ``t_range`` and denoised in ``steps`` of DDIM; the condition is always the original picture, and
    where it may change.
    Scales in the convention of :func:`backend.diffusion.guidance.guide_instruction`; the released
    ones are for the published checkpoint. Pictures have three channels, or four where the fourth is
    alpha: color is then composited over the prior's background.
    """

    prior: Prior
    instruction: TextEmbedding
    nothing: TextEmbedding
    studio: Studio
    image_scale: float = 1.5
    text_scale: float = 7.5
    t_range: tuple[float, float] = (0.02, STRONGEST)
    steps: int = 20

    @classmethod
    def embed(
        cls, prior: Prior, instruction: str, studio: Studio, **choices: Any
    ) -> "InstructionEditor":
        """With the words embedded; ``choices`` as the fields."""
        text = prior.embed_text([instruction, ""])
        return cls(prior, text[:1], text[1:], studio, **choices)

    @torch.no_grad()
    def __call__(
        self, current: Tensor, originals: Tensor, places: Tensor, cameras: Cameras, number: int
    ) -> Tensor:
        """See :class:`backend.editing.dataset_update.Editor`."""
        latents, source = to_latents(self.prior, current), to_latents(self.prior, originals)
        sets = latents.shape[:2]
        condition = Condition(
            self.instruction.repeat(sets[0]), cameras, source=source,
            place=to_mask(places, latents), alpha_known=current.shape[-1] == 4,
        )
        nothing = self.nothing.repeat(sets[0])

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            x0 = predict_instruction(
                self.prior, noisy, t, condition, nothing, self.image_scale, self.text_scale
            ).x0
            return x0.clamp(-1, 1) if self.prior.spec.bounded else x0

        low, high = self.t_range
        share = torch.rand((), generator=self.studio.generator("edit level", number))
        t = (low + (high - low) * share).to(latents).expand(sets)
        noise = self.studio.noise(tuple(latents.shape), "edit", number).to(latents)
        noisy = add_noise(self.prior.schedule, latents, noise, t)
        x0 = latents
        for step in ddim(predict, self.prior.schedule, noisy, steps=self.steps, t_start=t):
            x0 = step.x0
        return to_pictures(self.prior, x0, current)
