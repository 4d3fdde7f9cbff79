"""Plants and what grows."""

import numpy as np

from backend.pocket.world.kinds.base import (
    CREAM,
    DARK_WOOD,
    LEAF,
    LIGHT,
    TERRACOTTA,
    WHITE,
    WOOD,
    Paint,
    apart,
    darker,
    family,
)
from backend.pocket.world.shapes import Array, Sculptor, aligned, turn

_STEM = (0.25, 0.5, 0.18)


def _around(i: int, count: int) -> Array:
    """The i-th of `count` horizontal directions, evenly spread, (3,)."""
    a = 2 * np.pi * i / count
    return np.array([np.cos(a), np.sin(a), 0.0])


def tree(s: Sculptor, main: Paint) -> None:
    h, r, spread = s.u(0.55, 0.9), s.u(0.12, 0.17), s.u(0.5, 0.68)
    s.tube("trunk", (0, 0, 0), (0, 0, h + 0.3), (r * 1.3, r), apart(s, main, DARK_WOOD, WOOD))
    if s.chance(0.4):
        for i in range(3):
            z, size = h - 0.15 + 0.38 * i, spread * (1 - 0.22 * i)
            s.tube("leaves", (0, 0, z), (0, 0, z + 0.62), (size, 0.03), darker(main, 1 - 0.06 * i))
    else:
        s.ball("leaves", (0, 0, h + 0.55), (spread, spread, spread * 0.9), main)
        for i in range(5):
            out, z = _around(i + s.u(0, 0.5), 5), h + s.u(0.3, 0.75)
            c = out * spread * 0.62 + (0, 0, z)
            s.ball("leaves", c, spread * s.u(0.45, 0.6), darker(main, s.u(0.85, 1.0)))


def cactus(s: Sculptor, main: Paint) -> None:
    h, r = s.u(1.1, 1.6), s.u(0.19, 0.27)
    s.rod("stem", (0, 0, 0.3), (0, 0, h), r, main)
    for side in (-1, 1):
        z, reach, up = s.u(0.55, 0.85) * h * 0.8, r + s.u(0.28, 0.42), s.u(0.25, 0.5)
        thick = r * s.u(0.6, 0.75)
        s.rod("arm", (0, 0, z), (side * reach, 0, z), thick, main)
        s.rod("arm", (side * reach, 0, z), (side * reach, 0, z + up), thick, main)
    pot = apart(s, main, TERRACOTTA, (0.45, 0.5, 0.55), CREAM)
    s.tube("pot", (0, 0, 0), (0, 0, 0.38), (0.28, 0.4), pot)
    s.tube("pot", (0, 0, 0.33), (0, 0, 0.42), (0.44, 0.44), pot)
    if s.chance():
        s.ball("flower", (0, 0, h + r), 0.13, apart(s, main, (0.95, 0.4, 0.6), LIGHT))


def mushroom(s: Sculptor, main: Paint) -> None:
    h, r, cap, width = s.u(0.6, 1.0), s.u(0.17, 0.27), s.u(0.4, 0.65), s.u(0.62, 0.85)
    s.tube("stem", (0, 0, 0), (0, 0, h + 0.1), (r * 1.25, r), CREAM)
    s.ball("cap", (0, 0, h), (width, width, cap), main, clip=(0.0, 1.0))
    s.tube("gills", (0, 0, h), (0, 0, h + 0.03), (width * 0.98, width * 0.98), (0.85, 0.78, 0.65))
    spot = apart(s, main, WHITE, CREAM, (0.45, 0.3, 0.2))
    for i in range(7):
        a = 2.4 * i + s.u(-0.2, 0.2)
        tilt = 0.12 if i == 0 else s.u(0.6, 1.15)
        n = np.array([np.sin(tilt) * np.cos(a), np.sin(tilt) * np.sin(a), np.cos(tilt)])
        c = n * (width, width, cap) + (0, 0, h)
        size = s.u(0.08, 0.13)
        s.ball("spot", c, (size, size, 0.04), spot, rotation=aligned(n / (width, width, cap)))


def _stalk(s: Sculptor, height: float, leaves: int, size: float) -> None:
    """A stem with leaves at its foot, on z = 0."""
    s.rod("stem", (0, 0, 0), (0, 0, height), 0.065, _STEM)
    for i in range(leaves):
        out = _around(i + 0.3, leaves)
        tip = turn(360 * (i + 0.3) / leaves, "z") @ turn(-38, "y")
        s.ball("leaf", out * size * 0.75 + (0, 0, 0.12 + size * 0.6), (size, 0.14, 0.045), LEAF, rotation=tip)


def flower(s: Sculptor, main: Paint) -> None:
    h, petals, size, nod = s.u(0.75, 1.05), int(s.rng.integers(6, 9)), s.u(0.28, 0.34), s.u(40, 65)
    _stalk(s, h, 2, s.u(0.28, 0.38))
    face, c = turn(nod, "x"), np.array([0, -0.06, h + 0.05])
    disc = apart(s, main, LIGHT, (0.98, 0.8, 0.15), (0.4, 0.22, 0.1))
    for i in range(petals):
        spin = face @ turn(360 * i / petals, "z")
        middle = c + spin @ (0.2 + size * 0.8, 0, 0.05)
        s.ball("petal", middle, (size, size * 0.62, 0.07), main, rotation=spin @ turn(-12, "y"))
    s.ball("disc", c + face @ (0, 0, 0.06), (0.23, 0.23, 0.12), disc, rotation=face)


def tulip(s: Sculptor, main: Paint) -> None:
    h, r, cup, flare = s.u(0.6, 0.85), s.u(0.34, 0.42), s.u(0.6, 0.75), s.u(0.0, 0.12)
    s.rod("stem", (0, 0, 0), (0, 0, h), 0.07, _STEM)
    for side in (-1, 1):
        tip = turn(side * s.u(12, 24), "y")
        s.ball("leaf", tip @ (side * 0.08, 0, h * 0.62), (0.07, 0.17, h * 0.62), LEAF, rotation=tip)
    s.ball("cup", (0, 0, h + cup * 0.42), (r * 0.92, r * 0.92, cup * 0.48), main)
    for i in range(6):
        out = _around(i, 6)
        spin = turn(60 * i, "z") @ turn(4 + 100 * flare, "y")
        middle = out * (r * 0.6 + flare * 0.5) + (0, 0, h + cup * 0.56)
        s.ball("petal", middle, (0.1, r * 0.58, cup * 0.58), darker(main, 1.0 if i % 2 else 0.88), rotation=spin)


def palm_tree(s: Sculptor, main: Paint) -> None:
    h, lean, reach, droop = s.u(0.95, 1.3), s.u(-0.3, 0.3), s.u(0.72, 0.85), s.u(26, 44)
    fronds = int(s.rng.integers(6, 9))
    top = np.array([lean, 0, h])
    trunk = apart(s, main, WOOD, (0.72, 0.58, 0.4))
    s.sweep("trunk", [(0, 0, 0), (lean * 0.15, 0, h * 0.4), top], [0.15, 0.115, 0.1], trunk)
    for i in range(fronds):
        spin = turn(360 * i / fronds, "z")
        up = spin @ turn(-28, "y")
        s.ball("frond", top + up @ (reach * 0.42, 0, 0.02), (reach * 0.5, 0.19, 0.08), main, rotation=up)
        down = spin @ turn(droop, "y")
        knee = top + up @ (reach * 0.74, 0, 0.02)
        s.ball("frond", knee + down @ (reach * 0.36, 0, 0), (reach * 0.5, 0.16, 0.07), darker(main, 0.88), rotation=down)
    for i in range(3):
        s.ball("coconut", top + 0.13 * _around(i, 3) - (0, 0, 0.12), 0.12, apart(s, main, (0.4, 0.24, 0.12), CREAM))


def potted_plant(s: Sculptor, main: Paint) -> None:
    r, h, count, long = s.u(0.5, 0.6), s.u(0.7, 0.9), int(s.rng.integers(6, 9)), s.u(0.36, 0.46)
    low = s.u(28, 42)
    s.tube("pot", (0, 0, 0), (0, 0, h), (r * 0.72, r), main)
    s.tube("rim", (0, 0, h - 0.08), (0, 0, h + 0.08), (r * 1.16, r * 1.18), darker(main, 0.9))
    s.tube("soil", (0, 0, h), (0, 0, h + 0.1), (r, r), (0.25, 0.17, 0.12))
    green = apart(s, main, LEAF, (0.1, 0.38, 0.16), (0.5, 0.72, 0.25))
    for i in range(count):
        steep = low if i % 2 else low + 27
        blade = turn(360 * i / count, "z") @ turn(-steep, "y")
        s.ball("leaf", blade @ (long + 0.05, 0, 0) + (0, 0, h + 0.05), (long, 0.15, 0.045), darker(green, 1.0 if i % 2 else 0.82), rotation=blade)


PLANTS = family(
    "plants",
    with_front=(flower,),
    without_front=(tree, cactus, mushroom, tulip, palm_tree, potted_plant),
)
