"""InstructPix2Pix (Brooks et al., arXiv 2211.09800) from a folder that diffusers wrote, or an id of
the hub: pictures edited as an instruction says.

The network is Stable Diffusion's with eight channels in: the noisy latents, then those of the
picture that is edited, which are not scaled (section 3.2). Without a source they are zero, which is
the unconditional branch of its two-scale guidance:
:func:`backend.priors.guidance.predict_instruction`.
"""

from typing import ClassVar

import torch
from torch import Tensor

from backend.priors.base import Capability, Condition
from backend.priors.checkpoints import Layout
from backend.priors.stable_diffusion import PARTS, StableDiffusionPrior


class InstructPix2PixPrior(StableDiffusionPrior):
    """Answers ``instruction``: ``Condition.text`` says what to change in ``Condition.source``."""

    layout: ClassVar[Layout] = Layout("InstructPix2Pix", PARTS)
    pipeline: ClassVar[str] = "StableDiffusionInstructPix2PixPipeline"
    called: ClassVar[str] = "instruct-pix2pix"
    capability: ClassVar[Capability] = "instruction"
    license: ClassVar[str] = "MIT for timbrooks/instruct-pix2pix"

    def beside(self, noisy: Tensor, condition: Condition) -> list[Tensor]:
        """The source's latents, not scaled; zeros without one."""
        if condition.source is None:
            return [torch.zeros_like(noisy)]
        return [condition.source.to(noisy) / self.vae.config.scaling_factor]

    @classmethod
    def more_channels(cls, latent: int) -> int:
        """Those of the source."""
        return latent
