"""What the families of kinds share: the kind itself, usual colors, and how colors go together.

Each function of a family sculpts one kind, in a main color, with free parameters. Everything stands
on or around the z axis and faces -y. `main` is the color that the caption names; the other colors
are what such a thing usually has.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from backend.pocket.world.shapes import Array, Material, Paint, Sculptor, Vector

WOOD = (0.55, 0.36, 0.2)
DARK_WOOD = (0.36, 0.22, 0.12)
CREAM = (0.95, 0.9, 0.78)
WHITE = (0.95, 0.95, 0.95)
BLACK = (0.07, 0.07, 0.08)
METAL = (0.62, 0.64, 0.68)
DARK_METAL = (0.3, 0.31, 0.34)
LEAF = (0.2, 0.55, 0.18)
GLASS = (0.55, 0.78, 0.92)
ORANGE = (1.0, 0.5, 0.08)
TERRACOTTA = (0.72, 0.38, 0.24)
LIGHT = (1.0, 0.93, 0.6)
YELLOW = (0.98, 0.78, 0.15)
SKIN_PINK = (0.97, 0.68, 0.7)
SIDES = (("left", 1), ("right", -1))  # an object's own left is at +x, since it faces -y

Sculpt = Callable[[Sculptor, Paint], None]


@dataclass(frozen=True)
class Kind:
    """A word, its family, how to sculpt it, and whether it has a front (which faces -y)."""

    name: str
    family: str
    sculpt: Sculpt
    has_front: bool


def family(
    name: str, *, with_front: tuple[Sculpt, ...], without_front: tuple[Sculpt, ...]
) -> tuple[Kind, ...]:
    """The kinds of a family, called as their functions are (an underscore is a space)."""
    fronts = [(sculpt, True) for sculpt in with_front]
    return tuple(
        Kind(sculpt.__name__.replace("_", " "), name, sculpt, has_front)
        for sculpt, has_front in (*fronts, *((sculpt, False) for sculpt in without_front))
    )


def darker(main: Paint, factor: float = 0.75) -> Paint:
    """The same paint, darker: every color times `factor`."""
    return _shifted(main, lambda color: color * factor)


def lighter(main: Paint, amount: float = 0.25) -> Paint:
    """The same paint, moved by `amount` of the way to white."""
    return _shifted(main, lambda color: color + (1 - color) * amount)


def marked(main: Paint, factor: float = 0.65) -> Paint:
    """A tone of the same paint that stands out from it: darker, or lighter where it is dark."""
    return lighter(main, 0.5 * (1 - factor)) if is_dark(main) else darker(main, factor)


def is_dark(main: Paint) -> bool:
    """Whether black would not be seen on this paint."""
    return float(base_color(main).sum()) < 0.6


def apart(s: Sculptor, main: Paint, *choices: tuple[float, float, float]) -> Array:
    """One of `choices` that differs well from the main color."""
    far = [c for c in choices if np.abs(np.asarray(c) - base_color(main)).sum() > 0.5]
    return s.pick(*(far or choices))


def eyes(s: Sculptor, middle: Vector, gap: float, size: float) -> None:
    """Two white eyes with black pupils that look to the front, `gap` from the plane x = 0."""
    x, y, z = middle
    for side in (-1, 1):
        s.ball("eye", (x + side * gap, y, z), size, WHITE)
        s.ball("pupil", (x + side * gap, y - 0.55 * size, z), 0.62 * size, BLACK)


def base_color(main: Paint) -> Array:
    """The color that names a paint, (3,)."""
    return main.color if isinstance(main, Material) else np.asarray(main, float)


def _shifted(main: Paint, change: Callable[[Array], Array]) -> Paint:
    if not isinstance(main, Material):
        return change(np.asarray(main, float))
    second = None if main.second is None else change(main.second)
    return replace(main, color=change(main.color), second=second)
