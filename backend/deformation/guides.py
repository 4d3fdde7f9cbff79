"""What says how a thing moves: a prior of clips and a prior of pictures, together.

Align Your Gaussians (Ling et al., CVPR 2024, arXiv 2312.13763), section 3.2: score distillation
toward the product of both, by the classifier score of each. The first makes frames move, the second
keeps each of them a good picture.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.deformation.clips import ClipDistillation, MovingGaussians
from backend.distillation.curve import Probe, curve_value
from backend.distillation.prompts import ConditionalText
from backend.distillation.renders import encode_over
from backend.distillation.score import ScoreDistillation
from backend.distillation.sources import GuidanceSources, Source
from backend.priors.base import Prior
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.studio import Studio

STILL = "low motion, static statue, not moving, no motion"
"""What clips are steered away from, where a prior knows such words (the paper's)."""


@dataclass(frozen=True)
class ClipGuide:
    """``weights``: of clips and of pictures. ``strength``: of the motion, for a prior that can be
    told. ``pictures``: how many frames of a step the prior of pictures looks at."""

    video: ClipDistillation
    image: ScoreDistillation
    weights: tuple[float, float] = (1.0, 1.0)
    strength: float = 1.0
    pictures: int = 2

    @classmethod
    def of(
        cls, video: Prior, image: Prior, prompt: str, negative: str,
        weights: tuple[float, float], *, amplification: float, strength: float, pictures: int,
    ) -> "ClipGuide":
        """Told are cameras to a prior of clips that knows them, and views in words to the prior of
        pictures."""
        unmoving = STILL if video.spec.vocabulary is None else ""
        avoided = ", ".join(part for part in (negative, unmoving) if part)
        clips = ConditionalText.embed(video, prompt, avoided)
        views = ConditionalText.embed(image, prompt, negative, view_dependent=True)
        return cls(
            ClipDistillation(
                video, clips, 1.0, form="csd", amplification=amplification,
                see_cameras="text+cameras" in video.spec.capabilities,
            ),
            ScoreDistillation(image, views, 1.0, form="csd"), weights, strength, pictures,
        )

    def curve(
        self, moving: MovingGaussians, cameras: Cameras, studio: Studio
    ) -> Callable[[], float]:
        """A point of a report's curve whenever it is called: the first clip, its frames evenly
        apart and each by one of ``cameras``."""
        times = torch.linspace(0, 1, len(cameras))
        score = self.video.at(times, self.strength)
        probe = Probe.spread(score, cameras, 1, studio.generator("curve"))

        @torch.no_grad()
        def measure() -> float:
            buffers = moving.render(moving.at(times, 1), cameras)
            latents = encode_over(score.prior, buffers, torch.full((3,), 0.5))
            return curve_value(score, latents[None], probe)

        return measure

    def losses(
        self, buffers: Buffers, cameras: Cameras, times: Tensor, studio: Studio, *key: str | int
    ) -> dict[str, Tensor]:
        """``video`` and ``image``, unweighted, of renders over black of frames at ``times`` of
        their clip. What weighs nothing is not asked."""
        clip = Source(self.video.at(times, self.strength), self.weights[0], len(times))
        chosen = torch.randperm(len(times), generator=studio.generator(*key, "pictures"))
        chosen = chosen[: self.pictures]
        pictures = Buffers(color=buffers.color[chosen], alpha=buffers.alpha[chosen])
        picture = Source(self.image, self.weights[1])
        return {
            **GuidanceSources({"video": clip}).losses(buffers, cameras, 0.0, studio, *key),
            **GuidanceSources({"image": picture}).losses(
                pictures, cameras[chosen], 0.0, studio, *key
            ),
        }
