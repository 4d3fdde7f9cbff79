"""Which kinds of examples a stage of training mixes, and the batch of a step."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backend.pocket.data.batches import Batch, Sample
from backend.pocket.data.clips import draw_clip, draw_frames
from backend.pocket.data.edits import (
    draw_added,
    draw_edited,
    draw_edited_views,
    draw_masked,
    draw_masked_views,
    draw_placed_views,
    draw_removed_views,
)
from backend.pocket.data.prefetch import share_seed
from backend.pocket.data.readings import draw_labeled, draw_matched
from backend.pocket.data.views import (
    draw_free,
    draw_joint,
    draw_pictured,
    draw_relative,
    draw_rigged,
    draw_single,
    draw_six,
    draw_surface,
    draw_surfaces,
)


@dataclass(frozen=True)
class Example:
    """A kind of set: how many views one has, how it is drawn from (rng, held_out), and whether the
    network sees its views apart."""

    views: int
    draw: Callable[[np.random.Generator, bool], Sample]
    apart: bool = False


EXAMPLES = {
    "single": Example(1, draw_single),
    "joint": Example(4, draw_joint),
    "rig": Example(8, draw_rigged),
    "free": Example(4, draw_free),
    "relative": Example(4, draw_relative),
    "surfaces": Example(8, draw_surfaces),
    "six": Example(13, draw_six),
    "pictured six": Example(13, draw_pictured),
    "surface": Example(3, draw_surface),
    "edited": Example(1, draw_edited),
    "edited views": Example(4, draw_edited_views),
    "placed views": Example(4, draw_placed_views),
    "masked": Example(1, draw_masked),
    "masked views": Example(4, draw_masked_views),
    "added": Example(1, draw_added),
    "removed views": Example(4, draw_removed_views),
    "labeled": Example(1, draw_labeled),
    "matched": Example(2, draw_matched, apart=True),
    "frames": Example(4, draw_frames),
    "clip": Example(8, draw_clip),
}

STAGES: dict[str, dict[str, float]] = {
    "A": {"single": 0.35, "joint": 0.65},
    "B": {
        "single": 0.15, "joint": 0.3, "rig": 0.12, "free": 0.1, "relative": 0.15,
        "surfaces": 0.1, "six": 0.04, "surface": 0.04,
    },
    "C": {
        "single": 0.1, "joint": 0.22, "rig": 0.08, "free": 0.07, "relative": 0.1,
        "surfaces": 0.07, "six": 0.03, "surface": 0.03, "edited": 0.09, "edited views": 0.06,
        "masked": 0.03, "masked views": 0.03, "labeled": 0.06, "matched": 0.03,
    },
    "D": {
        "single": 0.12, "joint": 0.26, "rig": 0.05, "free": 0.05, "relative": 0.14,
        "surfaces": 0.05, "six": 0.05, "surface": 0.04, "edited": 0.06, "edited views": 0.04,
        "masked": 0.02, "masked views": 0.02, "labeled": 0.03, "matched": 0.02, "frames": 0.03,
        "clip": 0.02,
    },
}
"""How often a step of each stage trains on each kind; a later stage keeps the earlier kinds."""

FINE_TUNES: dict[str, dict[str, float]] = {
    "edits": {"placed views": 1.0},
    "six": {"pictured six": 1.0},
    "holes": {"added": 0.6, "removed views": 0.15, "masked": 0.25},
}
"""What goes on from a stage with a few kinds alone and forgets the others, as the published model
of edits (InstructPix2Pix) goes on from a model of text."""


def shares_of(stage: str) -> dict[str, float]:
    """How often a step of a stage, or of a fine-tune, trains on each kind."""
    return (STAGES | FINE_TUNES)[stage]


@dataclass(frozen=True)
class Mixture:
    """What a step trains on: one kind of example, `views` views in all (as near as whole sets
    come); single ones alone for the first `single_steps`."""

    stage: str = "A"
    views: int = 16
    single_steps: int = 1000

    def name(self, seed: int, step: int) -> str:
        """The kind of example of a step."""
        if step < self.single_steps:
            return "single"
        shares = shares_of(self.stage)
        weights = np.array(list(shares.values()))
        rng = np.random.default_rng((seed, step, 7))
        return str(rng.choice(list(shares), p=weights / weights.sum()))

    def draw(self, seed: int, step: int, share: int = 0) -> Batch:
        """A share of the batch of a step; all are of one kind, so that they take as long."""
        return draw_batch(share_seed(seed, share), step, self.name(seed, step), self.views)


def draw_batch(seed: int, step: int, name: str, views: int = 16, held_out: bool = False) -> Batch:
    """The batch of a step, of `views` views in all: a pure function of its arguments."""
    rng = np.random.default_rng((seed, step, int(held_out)))
    example = EXAMPLES[name]
    count = max(1, round(views / example.views))
    batch = Batch.of(name, [example.draw(rng, held_out) for _ in range(count)])
    return batch.apart() if example.apart else batch
