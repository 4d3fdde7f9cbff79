"""Several guidances at once, each with a weight that may change while a recipe runs.

Magic123 weighs a prior of words against one of pictures (arXiv 2306.17843, section 3.3); Align Your
Gaussians adds pictures, views and motion (arXiv 2312.13763, section 3.2). Each source looks at the
same renders in its own way: encoded for its prior, over what that prior has behind objects, in sets
of as many views as it sees at once, at noise of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.diffusion.annealing import Number, value_at
from backend.distillation.renders import encode_over
from backend.distillation.score import Score
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.studio import Studio


@dataclass(frozen=True)
class Source:
    """One prior's opinion. ``weight``: its lambda. ``views``: how many of a step's views make one
    set for it."""

    score: Score
    weight: Number = 1.0
    views: int = 1


@dataclass(frozen=True)
class GuidanceSources:
    """Sources by name; the names are those of the losses."""

    sources: Mapping[str, Source]

    def weights(self) -> dict[str, Number]:
        """The lambdas, as :func:`backend.distillation.loop.distill` takes them."""
        return {name: source.weight for name, source in self.sources.items()}

    def losses(
        self, buffers: Buffers, cameras: Cameras, progress: float, studio: Studio, *key: str | int
    ) -> dict[str, Tensor]:
        """Each source's loss, unweighted, of renders over black with color and alpha. A source
        that weighs nothing at the fraction ``progress`` of the run is not asked. Noise depends on
        the seed, ``key`` (stage, step) and the source's name."""
        return {
            name: _loss(source, buffers, cameras, progress, studio, (*key, name))
            for name, source in self.sources.items()
            if value_at(source.weight, progress) != 0
        }


def _loss(
    source: Source, buffers: Buffers, cameras: Cameras, progress: float, studio: Studio,
    key: tuple[str | int, ...],
) -> Tensor:
    score, generator = source.score, studio.generator(*key)
    latents = encode_over(score.prior, buffers, torch.rand(3, generator=generator))
    latents = latents.unflatten(0, (-1, source.views))
    sets, views = latents.shape[:2]
    t = score.sample_t(sets, views, progress, generator)
    noise = studio.noise(tuple(latents.shape), *key, "noise")
    return score.loss(latents, cameras, t, noise)
