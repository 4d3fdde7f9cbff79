"""The procedural world: objects of everyday kinds as named parts of analytic shapes.

Kinds, colors and captions that the pocket prior is trained on; one kind-color combination in
seven is held out of training by a fixed rule.
"""

from collections import Counter

import numpy as np

from backend.pocket.world.captions import caption, draw_caption, view_words
from backend.pocket.world.colors import COLORS, shade
from backend.pocket.world.kinds import KINDS, Kind
from backend.pocket.world.shapes import Part, Scene, Sculptor

__all__ = [
    "COLORS", "KINDS", "Kind", "Part", "Scene", "build", "caption", "draw_caption",
    "held_out_prompts", "is_held_out", "view_words",
]  # fmt: skip

_KIND_INDEX = {kind: index for index, kind in enumerate(KINDS)}
_COLOR_INDEX = {color: index for index, color in enumerate(COLORS)}


def is_held_out(kind: str, color: str) -> bool:
    """Whether training never sees this combination (one in seven, by position in the lists)."""
    return (3 * _KIND_INDEX[kind] + _COLOR_INDEX[color]) % 7 == 0


def build(kind: str, color: str, seed: int) -> Scene:
    """The object that `seed` draws, inside the unit ball, front towards -y.

    Raises KeyError for a kind or color that the world does not know.
    """
    rng = np.random.default_rng((seed, _KIND_INDEX[kind], _COLOR_INDEX[color]))
    sculptor = Sculptor(rng)
    KINDS[kind].sculpt(sculptor, shade(color, rng))
    return sculptor.finish(kind, color)


def held_out_prompts(n: int) -> list[tuple[str, str]]:
    """A fixed list of n held-out (kind, color), spread over kinds and colors."""
    pairs = [(k, c) for k in KINDS for c in COLORS if is_held_out(k, c)]
    order = np.random.default_rng(20).permutation(len(pairs))
    seen: Counter[str] = Counter()
    ranked = []
    for kind, color in (pairs[i] for i in order):
        ranked.append((seen[kind], kind, color))
        seen[kind] += 1
    return [(kind, color) for _, kind, color in sorted(ranked, key=lambda row: row[0])[:n]]
