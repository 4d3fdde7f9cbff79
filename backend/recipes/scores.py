"""What recipes of score distillation share: how strongly the prompt is followed, and the views of a
step as the prior judges them."""

from collections.abc import Set
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.distillation.curve import Curve, Probe
from backend.distillation.renders import render_latents
from backend.distillation.score import Score
from backend.distillation.views import Orbit, sample_rigs
from backend.recipes.options import option
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.representations.base import Representation, Want
from backend.studio import Studio

STRONG_NOISE = (0.5, 0.98)
"""Noise levels for views that are judged together, of a thing that stands there already: what shows
through less noise the prior keeps, be it wrong or not."""


@dataclass(frozen=True)
class ScoreOptions:
    """Options of every recipe that follows a prompt by score distillation."""

    guidance_scale: float = option(
        0.0, "How strongly the prompt is followed; 0 takes the prior's own", low=0.0, high=200.0
    )


@dataclass(frozen=True)
class ScoredViews:
    """Random views of a thing, as a prior judges them in a run of ``steps``: ``sets`` of ``views``
    that share a noise level, and stand evenly around it in an orbit or are some of given cameras.
    Everything drawn depends on the seed, the ``stage`` and the step."""

    score: Score
    orbit: Orbit | Cameras
    steps: int
    studio: Studio
    stage: str = "distill"
    sets: int = 1
    views: int = 4
    want: Set[Want] = frozenset({"color", "alpha"})

    def cameras(self, step: int) -> Cameras:
        """Those of one step's views."""
        return self._sample(self.sets, self.studio.generator(self.stage, step))

    def loss(self, thing: Representation, step: int) -> tuple[Tensor, Buffers]:
        """The score loss of one step's views, and their renders."""
        generator = self.studio.generator(self.stage, step)
        cameras = self._sample(self.sets, generator)
        latents, buffers = render_latents(
            self.score.prior, thing, cameras, generator, want=self.want
        )
        latents = latents.unflatten(0, (self.sets, self.views))
        t = self.score.sample_t(self.sets, self.views, step / self.steps, generator)
        noise = self.studio.noise(tuple(latents.shape), self.stage, step)
        return self.score.loss(latents, cameras, t, noise), buffers

    def curve(self, thing: Representation, sets: int) -> Curve:
        """The curve of a report, on ``sets`` sets of such views."""
        generator = self.studio.generator("curve")
        cameras = self._sample(sets, generator)
        return Curve(self.score, thing, Probe.spread(self.score, cameras, sets, generator))

    def _sample(self, sets: int, generator: torch.Generator) -> Cameras:
        if isinstance(self.orbit, Cameras):
            order = torch.randperm(len(self.orbit), generator=generator)
            return self.orbit[order[: sets * self.views]]
        resolution = self.score.prior.spec.resolution
        return sample_rigs(self.orbit, sets, resolution, generator, self.views)
