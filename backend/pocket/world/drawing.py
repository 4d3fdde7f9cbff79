"""Random descriptions, in fixed shares."""

from functools import cache

import numpy as np

from backend.pocket.world.accessories import accessories_for
from backend.pocket.world.colors import COLORS
from backend.pocket.world.composition import SHELTERS, SUPPORTS, single
from backend.pocket.world.descriptions import (
    ATTRIBUTES,
    MATERIALS,
    PATTERNS,
    RELATIONS,
    SHADES,
    Accessory,
    Description,
    Relation,
    has_shade,
    is_held_out,
)
from backend.pocket.world.kinds import KINDS

SHARES = {
    "plain": 0.55, "shade": 0.06, "pattern": 0.1, "attribute": 0.08, "count": 0.05,
    "relation": 0.08, "accessory": 0.08,
}  # fmt: skip
"""How often a drawn description says one more thing than kind and color, or none."""

_ATTRIBUTES = tuple(word for word in ATTRIBUTES if word != "big")


def draw_description(
    rng: np.random.Generator,
    held_out: bool = False,
    kinds: tuple[str, ...] | None = None,
    shares: dict[str, float] | None = None,
) -> Description:
    """A description that training sees, or one that is held out, of all kinds or some.

    `shares` replaces SHARES. Deterministic in the state of `rng`.
    """
    words = kinds or tuple(KINDS)
    while True:
        said = _draw(rng, words, shares or SHARES)
        if is_held_out(said) == held_out:
            return said


def _draw(
    rng: np.random.Generator, kinds: tuple[str, ...], shares: dict[str, float]
) -> Description:
    weights = np.array(list(shares.values()))
    extra = str(rng.choice(list(shares), p=weights / weights.sum()))
    kind, color = _pick(rng, kinds), _pick(rng, tuple(COLORS))
    if extra == "shade":
        return _shaded(rng, kind, color)
    if extra == "pattern":
        return _patterned(rng, kind, color)
    if extra == "attribute":
        return Description(kind, color, attribute=_pick(rng, _ATTRIBUTES))
    if extra == "count":
        return Description(kind, color, count=int(rng.integers(2, 5)))
    if extra == "accessory":
        return Description(kind, color, accessory=draw_accessory(rng, kind, color))
    if extra == "relation":
        return _beside(rng, kind, color, kinds)
    return Description(kind, color)


def draw_accessory(rng: np.random.Generator, kind: str, color: str) -> Accessory:
    """Something that a kind can wear, in another color than its own."""
    others = tuple(other for other in COLORS if other != color)
    return Accessory(_pick(rng, wearable(kind)), _pick(rng, others))


def _pick(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(rng.integers(len(words)))]


def _shaded(rng: np.random.Generator, kind: str, color: str) -> Description:
    shade = _pick(rng, SHADES)
    return Description(kind, color, shade=shade if has_shade(color, shade) else None)


def _patterned(rng: np.random.Generator, kind: str, color: str) -> Description:
    pattern = _pick(rng, PATTERNS)
    return Description(kind, None if pattern in MATERIALS else color, pattern=pattern)


def _beside(rng: np.random.Generator, kind: str, color: str, kinds: tuple[str, ...]) -> Description:
    word = _pick(rng, RELATIONS)
    places = {"on": SUPPORTS, "under": SHELTERS}.get(word, KINDS)
    others = tuple(other for other in places if other in kinds and other != kind)
    if not others:
        return Description(kind, color)
    return Description(kind, color, relation=Relation(word, _other(rng, _pick(rng, others))))


def _other(rng: np.random.Generator, kind: str) -> Description:
    color = _pick(rng, tuple(COLORS))
    return _patterned(rng, kind, color) if rng.random() < 0.25 else Description(kind, color)


@cache
def wearable(kind: str) -> tuple[str, ...]:
    """The accessories that a kind can have."""
    return accessories_for(single(Description(kind, "red"), 0))
