"""Food."""

import numpy as np

from backend.pocket.world.kinds.base import (
    CREAM,
    DARK_WOOD,
    GLASS,
    LEAF,
    LIGHT,
    METAL,
    WHITE,
    apart,
    base_color,
    darker,
    family,
)
from backend.pocket.world.shapes import Paint, Sculptor, turn


def apple(s: Sculptor, main: Paint) -> None:
    fat, tall, stem = s.u(0.42, 0.5), s.u(0.95, 1.15), s.u(0.25, 0.38)
    s.ring("body", (0, 0, 0), (0, 0, 1), 0.3, fat, main, squash=tall)
    s.ball("body", (0, 0, -0.12), (0.6, 0.6, fat * tall), main)
    lean = s.u(-0.12, 0.12)
    s.tube("stem", (0, 0, 0.2), (lean, 0, fat * tall + stem), (0.045, 0.035), DARK_WOOD)
    tilt = turn(s.u(-45, -20), "y") @ turn(s.u(-15, 15), "x")
    leaf = (lean + 0.22, 0, fat * tall + stem * 0.75)
    s.ball("leaf", leaf, (s.u(0.2, 0.28), 0.11, 0.03), apart(s, main, LEAF, DARK_WOOD), rotation=tilt)


def pumpkin(s: Sculptor, main: Paint) -> None:
    r, h, ribs = s.u(0.36, 0.46), s.u(0.5, 0.72), int(s.rng.integers(7, 10))
    for i in range(ribs):
        a = 2 * np.pi * i / ribs
        shade = 1.0 if i % 2 else 0.86
        s.ball("rib", (r * np.cos(a), r * np.sin(a), 0), (0.42, 0.42, h), darker(main, shade))
    stem = apart(s, main, (0.35, 0.45, 0.15), DARK_WOOD)
    s.tube("stem", (0, 0, h * 0.7), (s.u(-0.1, 0.1), 0, h + s.u(0.18, 0.32)), (0.12, 0.08), stem)


def cake(s: Sculptor, main: Paint) -> None:
    r, h, tiers = s.u(0.7, 0.85), s.u(0.3, 0.42), int(s.rng.integers(1, 4))
    icing = apart(s, main, WHITE, (0.98, 0.75, 0.82), CREAM)
    s.tube("plate", (0, 0, -0.05), (0, 0, 0), (r + 0.2, r + 0.25), WHITE if base_color(main).sum() < 2.5 else METAL)
    z = 0.0
    for _ in range(tiers):
        s.tube("tier", (0, 0, z), (0, 0, z + h), (r, r), main)
        s.tube("icing", (0, 0, z + h - 0.05), (0, 0, z + h + 0.04), (r + 0.03, r + 0.02), icing)
        s.tube("tier", (0, 0, z + h), (0, 0, z + h + 0.05), (r * 0.84, r * 0.84), main)
        z, r = z + h + 0.05, r * 0.68
    top = r / 0.68
    for i in range(5):
        a = 2 * np.pi * i / 5
        c = (top * 0.6 * np.cos(a), top * 0.6 * np.sin(a))
        s.tube("candle", (*c, z), (*c, z + 0.24), (0.04, 0.04), apart(s, main, GLASS, (0.9, 0.3, 0.4)))
        s.ball("flame", (*c, z + 0.3), (0.04, 0.04, 0.08), LIGHT)


FOOD = family("food", with_front=(), without_front=(apple, pumpkin, cake))
