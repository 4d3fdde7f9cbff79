"""Nouns: their articles and plurals, and what the parts of a scene are called."""

import numpy as np

from backend.pocket.world.materials import Array
from backend.pocket.world.scenes import Scene

_PLURALS = {
    "fish": "fish", "sheep": "sheep", "cactus": "cacti", "knife": "knives", "leaf": "leaves",
    "bookshelf": "bookshelves", "shelf": "shelves", "wolf": "wolves", "mouse": "mice",
    "potato": "potatoes", "tomato": "tomatoes", "snowman": "snowmen", "dice": "dice",
    "foot": "feet", "tooth": "teeth",
}  # fmt: skip
_SINGULARS = {many: one for one, many in _PLURALS.items()}
_SIDES = ("left ", "right ", "front ", "back ", "upper ", "lower ")


def article(words: str) -> str:
    """Return the article that goes before these words."""
    return "an" if words[0] in "aeiou" else "a"


def plural(noun: str) -> str:
    """Several of a noun, by its last word."""
    head, _, last = noun.rpartition(" ")
    if last in _PLURALS:
        many = _PLURALS[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        many = last + "es"
    elif last.endswith("y") and last[-2] not in "aeiou":
        many = last[:-1] + "ies"
    else:
        many = last + "s"
    return f"{head} {many}".strip()


def singulars(noun: str) -> tuple[str, ...]:
    """What a word may be the plural of, the word itself first."""
    found = [noun]
    if noun in _SINGULARS:
        found.append(_SINGULARS[noun])
    if noun.endswith("ies"):
        found.append(noun[:-3] + "y")
    if noun.endswith("es"):
        found.append(noun[:-2])
    if noun.endswith("s"):
        found.append(noun[:-1])
    return tuple(found)


def part_group(name: str) -> str:
    """The word for a part without the side it is on."""
    for side in _SIDES:
        name = name.removeprefix(side)
    return name


def part_word(scene: Scene, group: str) -> str:
    """What the parts of a group are called together: "roof", or "wheels" where they lie apart."""
    clouds = [part.surface_points() for part in scene.parts if part_group(part.name) == group]
    boxes = [np.stack([cloud.min(0), cloud.max(0)]) for cloud in clouds]
    apart = any(_apart(boxes[0], box) for box in boxes[1:])
    return plural(group) if apart and not group.endswith("s") else group


def _apart(first: Array, second: Array) -> bool:
    """Whether two boxes do not touch."""
    return bool((np.maximum(first[0], second[0]) > np.minimum(first[1], second[1])).any())
