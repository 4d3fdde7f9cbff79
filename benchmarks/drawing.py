"""Does training wait for pictures? What an image costs to train on, and to draw, on one core.

Each figure is per image of 64 x 64: a step of training on a batch, then drawing batches as every
stage mixes them, then the ray caster alone on scenes that are already made.
"""

from functools import partial

import torch

from backend.pocket.data import STAGES, Batch, Mixture
from backend.pocket.render import View, orbit, render_views
from backend.pocket.train import Settings, Training
from backend.pocket.world import KINDS, build

from .timing import Timing, best_seconds

_STEPS = range(2000, 2012)  # after the first steps, which show single views alone
_VIEWS = [View(orbit(azimuth, 20, 3.2), 0.36) for azimuth in (30, 120, 210, 300)]


def measure() -> list[Timing]:
    torch.set_num_threads(1)
    training = Training(Settings())
    batch = Mixture().draw(3, _STEPS[0])
    rows = [_row("train", best_seconds(lambda: training.advance(batch), 3), batch.views)]
    for mixture in map(Mixture, STAGES):
        views = sum(batch.views for batch in _drawn(mixture))
        seconds = best_seconds(partial(_drawn, mixture), 3)
        rows.append(_row(f"draw, stage {mixture.stage}", seconds, views))
    scenes = [build(kind, "red", seed=index) for index, kind in enumerate(KINDS)]
    for scene in scenes:
        render_views(scene, _VIEWS)
    seconds = best_seconds(lambda: [render_views(scene, _VIEWS) for scene in scenes], 3)
    rows.append(_row("cast", seconds, len(scenes) * len(_VIEWS)))
    return rows


def _drawn(mixture: Mixture) -> list[Batch]:
    return [mixture.draw(3, step) for step in _STEPS]


def _row(name: str, seconds: float, images: int) -> Timing:
    return Timing(name, seconds / images, f"{images / seconds:6.0f} images/s")
