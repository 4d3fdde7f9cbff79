"""Where does one step of MVDream's draft go: the prior, the renders, the rest?

The pocket prior judges four joint views of a 64^3 volume with guidance (two evaluations in one
batch), the volume is drawn and its gradient found.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from backend.distillation.prompts import ConditionalText
from backend.distillation.renders import render_latents
from backend.distillation.score import ScoreDistillation
from backend.distillation.views import Orbit, sample_rigs
from backend.priors.library import find_prior
from backend.recipes import registry
from backend.representations.volume import grid_volume

from .timing import Timing, best_seconds

ORBIT = Orbit(elevation_degrees=(0, 30), fov_degrees=(15, 60), fill=(0.8, 1.0))


def measure() -> list[Timing]:
    prior = find_prior("text+cameras")
    draft = registry.get("mvdream").presets["draft"]
    volume = grid_volume(draft["grid_resolution"], samples=draft["samples"])
    volume.upkeep(0)
    text = ConditionalText.embed(prior, "a red mushroom", "")
    score = ScoreDistillation(prior, text, prior.spec.guidance_scale, form="x0", see_cameras=True)
    generator = torch.Generator().manual_seed(0)
    cameras = sample_rigs(ORBIT, 1, prior.spec.resolution, generator)
    t = torch.full((1, 4), 0.5)

    def draw() -> Tensor:
        return render_latents(prior, volume, cameras, generator)[0]

    views = draw().detach()[None]
    noise = torch.randn(views.shape, generator=generator)

    def step() -> None:
        score.loss(draw()[None], cameras, t, noise).backward()

    parts: dict[str, Callable[[], object]] = {
        "one step": step,
        "prior, four views, guided": lambda: score.target(views, cameras, t, noise),
        "render, forward": draw,
        "render, forward and backward": lambda: draw().sum().backward(),
    }
    return [Timing(name, best_seconds(part)) for name, part in parts.items()]
