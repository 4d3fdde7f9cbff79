"""Cut-out pictures of random scenes, and the kinds that they show."""

from dataclasses import dataclass

import numpy as np

from backend.pocket.data.batches import Ints
from backend.pocket.data.pictures import Floats
from backend.pocket.data.prefetch import share_seed
from backend.pocket.data.shots import draw_orthographic, draw_shot
from backend.pocket.data.views import draw_subject
from backend.pocket.vocabulary import WORLD

REPAINTED = 0.4
"""How many pictures have their color channels in another order, lest kinds be told by usual
colors."""
VIEWS = 2
"""Of each scene: building one costs as much as a view."""


@dataclass(frozen=True)
class NamedBatch:
    """``images`` (N, 4, 64, 64) in [-1, 1]; the numbers of their ``kinds`` (N,) in the world."""

    images: Floats
    kinds: Ints

    @property
    def views(self) -> int:
        """How many pictures."""
        return len(self.images)


def draw_named(seed: int, step: int, count: int, held_out: bool = False) -> NamedBatch:
    """The pictures of a step, a few of each of ``count`` scenes: a pure function of its
    arguments."""
    rng = np.random.default_rng((seed, step, int(held_out), 4))
    images, kinds = [], []
    for _ in range(count):
        shots = [
            draw_orthographic(rng)[0] if rng.random() < 0.4 else draw_shot(rng)
            for _ in range(VIEWS)
        ]
        subject = draw_subject(rng, held_out, shots[0], opaque_share=0)
        for picture in subject.colors(shots):
            if rng.random() < REPAINTED:
                picture[:3] = picture[rng.permutation(3)]
            images.append(picture)
            kinds.append(WORLD.kinds.index(subject.kind))
    return NamedBatch(np.stack(images), np.array(kinds))


@dataclass(frozen=True)
class Named:
    """What a step of the recognition network trains on: two pictures of ``count`` scenes."""

    stage: str = "recognition"
    count: int = 24

    def draw(self, seed: int, step: int, share: int = 0) -> NamedBatch:
        """A share of the batch of a step."""
        return draw_named(share_seed(seed, share), step, self.count)
