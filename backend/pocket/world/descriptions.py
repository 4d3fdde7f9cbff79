"""What a scene is said to be: a kind, and whatever else words may say of it; what is held out.

The order of every list here decides what is held out of training: new words go to the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from backend.pocket.world.colors import COLORS
from backend.pocket.world.kinds import KINDS

SHADES = ("dark", "light")
PATTERNS = ("striped", "checked", "dotted", "wooden", "stone", "metal")
MATERIALS = ("wooden", "stone", "metal")
ATTRIBUTES: dict[str, tuple[float, float, float]] = {
    "tall": (0.85, 0.85, 1.5),
    "short": (1.1, 1.1, 0.6),
    "wide": (1.6, 0.95, 0.95),
    "thin": (0.5, 0.95, 1.0),
    "long": (0.9, 1.6, 0.9),
    "tiny": (0.5, 0.5, 0.5),
    "big": (1.5, 1.5, 1.5),
}
"""How each attribute scales an object (x, y, z); tiny and big ones keep their proportions."""
ACCESSORIES = ("hat", "scarf", "bow tie", "flag", "flower", "crown")
RELATIONS = ("on", "under", "next to", "in front of", "behind")
MOTIONS = ("turn", "bounce", "sway", "grow", "spin", "wag", "flap", "walk", "open")

_NO_SHADE = {
    ("light", "red"), ("dark", "orange"), ("dark", "pink"), ("dark", "brown"), ("dark", "lime"),
    ("dark", "magenta"), ("light", "magenta"),
}  # fmt: skip
_ONE_SHADE = ("white", "black", "gray")


@dataclass(frozen=True)
class Accessory:
    """Something worn or stuck on top: one of ACCESSORIES, in a color."""

    kind: str
    color: str


@dataclass(frozen=True)
class Relation:
    """Where the object is: one of RELATIONS, and the other object (with no relation itself)."""

    word: str
    other: "Description"


@dataclass(frozen=True)
class Description:
    """What a caption may say: everything but the kind may be left out (None).

    Without a `color` the object has the color of its material (wooden, stone, metal), or any that
    its seed picks. `count` is 1 to 4; only one object alone can have an accessory or a relation.
    """

    kind: str
    color: str | None = None
    shade: str | None = None
    pattern: str | None = None
    attribute: str | None = None
    count: int = 1
    relation: Relation | None = None
    accessory: Accessory | None = None

    def check(self) -> "Description":
        """The description itself. Raises KeyError for a word that the world does not know,
        ValueError for words that do not go together."""
        for word, known in (
            (self.kind, KINDS), (self.color, COLORS), (self.shade, SHADES),
            (self.pattern, PATTERNS), (self.attribute, ATTRIBUTES),
        ):  # fmt: skip
            if word is not None and word not in known:
                raise KeyError(word)
        if self.shade and (self.color is None or not has_shade(self.color, self.shade)):
            raise ValueError(f"there is no {self.shade} {self.color}")
        if not 1 <= self.count <= 4:
            raise ValueError(f"a picture has 1 to 4 objects, not {self.count}")
        if self.count > 1 and (self.relation or self.accessory):
            raise ValueError("several objects have neither accessory nor relation")
        _check_company(self)
        return self

    @property
    def plain(self) -> bool:
        """Whether nothing but kind and color is said."""
        return self == Description(self.kind, self.color)


def _check_company(said: Description) -> None:
    if said.accessory is not None and said.accessory.kind not in ACCESSORIES:
        raise KeyError(said.accessory.kind)
    if said.accessory is not None and said.accessory.color not in COLORS:
        raise KeyError(said.accessory.color)
    if said.relation is None:
        return
    if said.relation.word not in RELATIONS:
        raise KeyError(said.relation.word)
    if said.relation.other.check().relation or said.relation.other.count > 1:
        raise ValueError("the other object of a relation is one, and has no relation itself")


def described(what: Description | str, color: str | None = None) -> Description:
    """A description from itself, or from a kind and a color."""
    return what if isinstance(what, Description) else Description(what, color)


def has_shade(color: str, shade: str) -> bool:
    """Whether this shade is a color of its own kind: light red is pink, dark orange brown."""
    return color not in _ONE_SHADE and (shade, color) not in _NO_SHADE


def is_held_out(what: Description | str, color: str | None = None) -> bool:
    """Whether training never sees this: one in seven combinations of kind and color, kind and
    pattern, kind and accessory, by position in the lists; and whatever contains one of them.
    """
    said = described(what, color)
    kind = _place(said.kind, KINDS)
    if said.color is not None and (3 * kind + _place(said.color, COLORS)) % 7 == 0:
        return True
    if said.pattern is not None and (3 * kind + _place(said.pattern, PATTERNS)) % 7 == 2:
        return True
    if said.accessory and (3 * kind + _place(said.accessory.kind, ACCESSORIES)) % 7 == 4:
        return True
    return said.relation is not None and is_held_out(said.relation.other)


def is_motion_held_out(kind: str, motion: str) -> bool:
    """Whether training never sees this kind in this motion (one of MOTIONS): one in seven."""
    return (3 * _place(kind, KINDS) + _place(motion, MOTIONS)) % 7 == 6


def colors_seen(kind: str) -> list[str]:
    """The colors in which training shows a kind."""
    return [color for color in COLORS if not is_held_out(kind, color)]


def uncolored(said: Description) -> Description:
    """The same without its color words."""
    return replace(said, color=None, shade=None)


def _place(word: str, words: Iterable[str]) -> int:
    for index, known in enumerate(words):
        if known == word:
            return index
    raise KeyError(word)
