"""Plants and what grows."""

import numpy as np

from backend.pocket.world.kinds.base import (
    CREAM,
    DARK_WOOD,
    LIGHT,
    TERRACOTTA,
    WHITE,
    WOOD,
    apart,
    darker,
    family,
)
from backend.pocket.world.shapes import Paint, Sculptor, aligned


def tree(s: Sculptor, main: Paint) -> None:
    h, r, spread = s.u(0.5, 0.9), s.u(0.09, 0.14), s.u(0.5, 0.68)
    s.tube("trunk", (0, 0, 0), (0, 0, h + 0.3), (r * 1.3, r), apart(s, main, DARK_WOOD, WOOD))
    if s.chance(0.4):
        for i in range(3):
            z, size = h - 0.15 + 0.38 * i, spread * (1 - 0.22 * i)
            s.tube("leaves", (0, 0, z), (0, 0, z + 0.62), (size, 0.03), darker(main, 1 - 0.06 * i))
        return
    s.ball("leaves", (0, 0, h + 0.55), (spread, spread, spread * 0.9), main)
    for i in range(5):
        a, z = 2 * np.pi * (i + s.u(0, 0.5)) / 5, h + s.u(0.3, 0.75)
        c = (spread * 0.62 * np.cos(a), spread * 0.62 * np.sin(a), z)
        s.ball("leaves", c, spread * s.u(0.45, 0.6), darker(main, s.u(0.85, 1.0)))


def cactus(s: Sculptor, main: Paint) -> None:
    h, r = s.u(1.1, 1.6), s.u(0.19, 0.27)
    s.rod("stem", (0, 0, 0.3), (0, 0, h), r, main)
    for side in (-1, 1):
        z, reach, up = s.u(0.55, 0.85) * h * 0.8, r + s.u(0.28, 0.42), s.u(0.25, 0.5)
        thick = r * s.u(0.55, 0.72)
        s.rod("arm", (0, 0, z), (side * reach, 0, z), thick, main)
        s.rod("arm", (side * reach, 0, z), (side * reach, 0, z + up), thick, main)
    pot = apart(s, main, TERRACOTTA, (0.45, 0.5, 0.55), CREAM)
    s.tube("pot", (0, 0, 0), (0, 0, 0.42), (0.28, 0.42), pot)
    s.tube("pot", (0, 0, 0.36), (0, 0, 0.46), (0.46, 0.46), pot)
    if s.chance():
        s.ball("flower", (0, 0, h + r), 0.1, apart(s, main, (0.95, 0.4, 0.6), LIGHT))


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


PLANTS = family("plants", with_front=(), without_front=(tree, cactus, mushroom))
