"""What parts are painted with: a plain color, or a pattern of two, carved out of the solid."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Vector = tuple[float, float, float] | Array

Pattern = Literal["plain", "stripes", "checks", "dots", "wood", "stone", "metal"]
PATTERNS: tuple[Pattern, ...] = get_args(Pattern)
PLAIN, STRIPES, CHECKS, DOTS, WOOD, STONE, METAL = range(7)

# How much of a surface shows the second color, on average.
_SECOND_SHARE = {"stripes": 0.5, "checks": 0.5, "dots": 0.3, "wood": 0.4, "stone": 0.4}


@dataclass(frozen=True)
class Material:
    """How a part is painted: a pattern in the part's own axes, of one color or two (RGB, (3,)).

    `size` is the width of a stripe, square, dot cell, ring or speck in units of the object (the
    unit ball). Stripes follow each other along `axis` (0, 1, 2: the part's x, y, z; along the
    curve of a swept tube), wood grows along it; None is z, or the part's longest side for wood and
    for stripes on what is flat.
    Without a second color the pattern has its usual one.
    """

    color: Array
    pattern: Pattern = "plain"
    second: Array | None = None
    size: float = 0.2
    axis: int | None = None

    @property
    def other(self) -> Array:
        """The second color, or the usual one of the pattern, (3,)."""
        if self.second is not None:
            return np.asarray(self.second, float)
        if self.pattern in ("stripes", "checks", "dots"):
            return np.full(3, 0.95 if self.color.sum() < 1.9 else 0.15)
        return self.color * {"wood": 0.66, "stone": 0.7}.get(self.pattern, 1.0)

    @property
    def average(self) -> Array:
        """The mean color of a painted surface, (3,)."""
        share = _SECOND_SHARE.get(self.pattern, 0.0)
        return (1 - share) * self.color + share * self.other

    def scaled(self, factor: float) -> "Material":
        """The same pattern with every color times `factor`."""
        second = None if self.second is None else self.second * factor
        return replace(self, color=self.color * factor, second=second)


Paint = Vector | Material


def as_material(paint: Paint) -> Material:
    """The material of a paint: a plain one of a color."""
    return paint if isinstance(paint, Material) else Material(np.asarray(paint, float))
