"""Buildings."""

import numpy as np

from backend.pocket.world.kinds.base import (
    CREAM,
    DARK_WOOD,
    GLASS,
    TERRACOTTA,
    apart,
    darker,
    family,
)
from backend.pocket.world.shapes import Array, Sculptor, turn


def house(s: Sculptor, main: Array) -> None:
    w, d, h, roof = s.u(0.55, 0.8), s.u(0.5, 0.75), s.u(0.4, 0.6), s.u(0.3, 0.45)
    tiles = apart(s, main, (0.6, 0.2, 0.15), (0.3, 0.3, 0.34), DARK_WOOD)
    s.box("wall", (0, 0, h), (w, d, h), main)
    if s.chance(0.6):
        s.box("roof", (0, 0, 2 * h + roof), (w + 0.12, d + 0.1, roof), tiles, top=(0.0, 1.0))
        s.box("gable", (0, 0, 2 * h + roof * 0.8), (w, d, roof * 0.8), main, top=(0.0, 1.0))
    else:
        s.box("roof", (0, 0, 2 * h + roof), (w + 0.12, d + 0.1, roof), tiles, top=(0.1, 0.1))
    s.box("door", (0, -d, h * 0.55), (0.15, 0.03, h * 0.55), apart(s, main, DARK_WOOD, CREAM))
    for x in (-1, 1):
        s.box("window", (x * w * 0.62, -d, h * 1.25), (0.13, 0.025, 0.15), GLASS)
        s.box("window", (x * w, 0, h * 1.25), (0.025, 0.16, 0.15), GLASS)
    s.box("chimney", (w * 0.5, d * 0.3, 2 * h + roof * 1.2), (0.1, 0.1, roof * 0.8), TERRACOTTA)


def castle(s: Sculptor, main: Array) -> None:
    w, wall, tower, r = s.u(0.55, 0.7), s.u(0.6, 0.85), s.u(1.0, 1.35), s.u(0.2, 0.27)
    pointed, tip = s.chance(0.6), s.u(0.45, 0.65)
    tiles = apart(s, main, (0.55, 0.2, 0.18), (0.25, 0.3, 0.5), (0.3, 0.3, 0.34))
    s.box("wall", (0, 0, wall / 2), (w, w, wall / 2), darker(main, 0.9))
    for x in (-1, 1):
        for y in (-1, 1):
            c = (x * w, y * w)
            s.tube("tower", (*c, 0), (*c, tower), (r, r), main)
            if pointed:
                s.tube("roof", (*c, tower), (*c, tower + tip), (r * 1.25, 0.0), tiles)
            else:
                _battlements(s, (*c, tower), r, main)
    s.box("gate", (0, -w, 0.2), (0.17, 0.03, 0.2), DARK_WOOD)
    s.ball("gate", (0, -w, 0.4), (0.17, 0.03, 0.14), DARK_WOOD)
    for x in np.linspace(-0.6, 0.6, 4):
        for y in (-1, 1):
            s.box("battlement", (x * w, y * w, wall + 0.05), (0.07, 0.05, 0.07), main)


def _battlements(s: Sculptor, top: tuple[float, float, float], r: float, main: Array) -> None:
    s.tube("tower", (top[0], top[1], top[2] - 0.08), top, (r * 1.2, r * 1.2), main)
    for i in range(6):
        a = np.pi / 3 * i
        x, y = top[0] + r * np.cos(a), top[1] + r * np.sin(a)
        s.box("battlement", (x, y, top[2] + 0.07), (0.07, 0.07, 0.08), main, rotation=turn(np.degrees(a), "z"))


BUILDINGS = family("buildings", with_front=(house, castle), without_front=())
