"""The procedural world: objects of everyday kinds as named parts of analytic shapes.

What is said of a scene (`descriptions`), the scene itself (`composition`), its captions, edits of
it and its motions; the pocket prior is trained on renders of them. One combination in seven is
held out of training by a fixed rule.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from backend.pocket.world.captions import caption, draw_caption, view_words
from backend.pocket.world.colors import COLORS, shade
from backend.pocket.world.composition import build
from backend.pocket.world.descriptions import (
    Accessory,
    Description,
    Relation,
    is_held_out,
    is_motion_held_out,
)
from backend.pocket.world.drawing import draw_description
from backend.pocket.world.kinds import KINDS, Kind
from backend.pocket.world.shapes import Joint, Material, Part, Scene

__all__ = [
    "COLORS", "KINDS", "Accessory", "Description", "Joint", "Kind", "Material", "Part", "Relation",
    "Scene", "build", "caption", "draw_caption", "draw_description", "held_out_prompts",
    "is_held_out", "is_motion_held_out", "shade", "view_words",
]  # fmt: skip


def held_out_prompts(
    n: int, kinds: Iterable[str] | None = None, colors: Iterable[str] | None = None
) -> list[tuple[str, str]]:
    """A fixed list of n held-out (kind, color), spread over kinds and colors.

    Of all words, or of those that trained weights declare to know.
    """
    chosen = [kind for kind in KINDS if kinds is None or kind in set(kinds)]
    shown = [color for color in COLORS if colors is None or color in set(colors)]
    pairs = [(k, c) for k in chosen for c in shown if is_held_out(k, c)]
    order = np.random.default_rng(20).permutation(len(pairs))
    seen: Counter[str] = Counter()
    ranked = []
    for kind, color in (pairs[i] for i in order):
        ranked.append((seen[kind], kind, color))
        seen[kind] += 1
    return [(kind, color) for _, kind, color in sorted(ranked, key=lambda row: row[0])[:n]]
