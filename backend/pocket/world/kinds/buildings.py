"""Buildings."""

from itertools import pairwise

import numpy as np

from backend.pocket.world.kinds.base import (
    CREAM,
    DARK_METAL,
    DARK_WOOD,
    GLASS,
    LIGHT,
    METAL,
    TERRACOTTA,
    WHITE,
    WOOD,
    apart,
    base_color,
    darker,
    family,
    marked,
)
from backend.pocket.world.shapes import Paint, Sculptor, turn


def house(s: Sculptor, main: Paint) -> None:
    w, d, h, roof = s.u(0.55, 0.8), s.u(0.5, 0.75), s.u(0.42, 0.6), s.u(0.26, 0.38)
    tiles = apart(s, main, (0.6, 0.2, 0.15), (0.3, 0.3, 0.34), DARK_WOOD)
    s.box("wall", (0, 0, h), (w, d, h), main)
    if s.chance(0.6):
        s.box("roof", (0, 0, 2 * h + roof), (w + 0.12, d + 0.1, roof), tiles, top=(0.0, 1.0))
        s.box("gable", (0, 0, 2 * h + roof * 0.8), (w, d, roof * 0.8), main, top=(0.0, 1.0))
    else:
        s.box("roof", (0, 0, 2 * h + roof), (w + 0.12, d + 0.1, roof), tiles, top=(0.1, 0.1))
    _door(s, -d, h * 0.55, 0.15, apart(s, main, DARK_WOOD, CREAM))
    for x in (-1, 1):
        s.box("window", (x * w * 0.62, -d, h * 1.25), (0.13, 0.025, 0.15), GLASS)
        s.box("window", (x * w, 0, h * 1.25), (0.025, 0.16, 0.15), GLASS)
    s.box("chimney", (w * 0.5, d * 0.3, 2 * h + roof * 1.2), (0.1, 0.1, roof * 0.8), TERRACOTTA)


def _door(s: Sculptor, y: float, half: float, wide: float, color: Paint) -> None:
    """A door that opens in the wall at `y`, of these half sizes; dark behind it."""
    s.box("doorway", (0, y, half), (wide, 0.01, half), (0.1, 0.09, 0.09))
    s.box("door", (0, y - 0.02, half), (wide, 0.025, half), color)
    s.joint("open", "door", (-wide, y - 0.04, half), (0, 0, 1), (0, -100))


def castle(s: Sculptor, main: Paint) -> None:
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
    s.box("doorway", (0, -w, 0.24), (0.18, 0.01, 0.25), (0.1, 0.09, 0.09))
    s.box("gate", (0, -w - 0.02, 0.2), (0.17, 0.03, 0.2), DARK_WOOD)
    s.ball("gate", (0, -w - 0.02, 0.4), (0.17, 0.03, 0.14), DARK_WOOD)
    s.joint("open", "gate", (0, -w - 0.04, 0), (1, 0, 0), (0, 90))
    for x in np.linspace(-0.6, 0.6, 4):
        for y in (-1, 1):
            s.box("battlement", (x * w, y * w, wall + 0.05), (0.07, 0.05, 0.07), main)


def _battlements(s: Sculptor, top: tuple[float, float, float], r: float, main: Paint) -> None:
    s.tube("tower", (top[0], top[1], top[2] - 0.08), top, (r * 1.2, r * 1.2), main)
    for i in range(6):
        a = np.pi / 3 * i
        x, y = top[0] + r * np.cos(a), top[1] + r * np.sin(a)
        s.box("battlement", (x, y, top[2] + 0.07), (0.07, 0.07, 0.08), main, rotation=turn(np.degrees(a), "z"))


def windmill(s: Sculptor, main: Paint) -> None:
    h, foot, r, reach = s.u(1.1, 1.45), s.u(0.5, 0.62), s.u(0.31, 0.39), s.u(0.8, 1.0)
    cloth = apart(s, main, WHITE, CREAM, (0.72, 0.6, 0.42))
    s.tube("tower", (0, 0, 0), (0, 0, h), (foot, r), main)
    s.ball("cap", (0, 0, h), (r * 1.12, r * 1.12, r * s.u(0.9, 1.2)), marked(main, 0.6), clip=(0.0, 1.0))
    s.box("door", (0, -foot * 0.93, 0.2), (0.13, 0.06, 0.22), apart(s, main, DARK_WOOD, CREAM))
    hub = np.array([0, -r - 0.2, h + 0.06])
    s.rod("axle", hub, hub + (0, 0.3, 0), 0.05, DARK_WOOD)
    s.ball("hub", hub, 0.09, DARK_WOOD)
    start, wide = s.u(10, 80), s.u(0.09, 0.13)
    for i in range(4):
        spin = turn(start + 90 * i, "y")
        s.box("blade", hub + spin @ np.array([0, 0, reach / 2]), (0.03, 0.03, reach / 2), DARK_WOOD, rotation=spin)
        sail = hub + spin @ np.array([wide, 0, reach * 0.6])
        s.box("blade", sail, (wide, 0.02, reach * 0.4), cloth, rotation=spin)
    s.joint("spin", ("blade", "hub"), hub, (0, 1, 0), (0, 360))


def lighthouse(s: Sculptor, main: Paint) -> None:
    h, foot, r, bands = s.u(1.5, 1.9), s.u(0.34, 0.44), s.u(0.2, 0.26), int(s.rng.integers(2, 4))
    trim = s.pick(WHITE, CREAM) if base_color(main).sum() < 2.4 else np.asarray(DARK_METAL)
    steps = 2 * bands + 1
    for i in range(steps):
        radii = tuple(foot + (r - foot) * (i + end) / steps for end in (0, 1))
        ends = [(0, 0, h * (i + end) / steps) for end in (0, 1)]
        s.tube("band" if i % 2 else "tower", *ends, (radii[0], radii[1]), trim if i % 2 else main)
    s.tube("gallery", (0, 0, h), (0, 0, h + 0.07), (r * 1.5, r * 1.5), darker(main))
    lantern = s.u(0.22, 0.32)
    s.tube("lantern", (0, 0, h + 0.07), (0, 0, h + 0.07 + lantern), (r * 0.8, r * 0.8), LIGHT)
    for i in range(4):
        post = turn(90 * i + 45, "z") @ np.array([r * 0.82, 0, h])
        s.rod("lantern", post, post + (0, 0, lantern + 0.07), 0.03, DARK_METAL)
    top = h + 0.07 + lantern
    s.tube("roof", (0, 0, top), (0, 0, top + s.u(0.2, 0.32)), (r * 1.2, 0.02), main)
    s.box("door", (0, -foot * 0.97, 0.15), (0.1, 0.05, 0.17), DARK_WOOD)


def church(s: Sculptor, main: Paint) -> None:
    w, length, h, tower = s.u(0.36, 0.46), s.u(0.6, 0.8), s.u(0.25, 0.34), s.u(0.17, 0.22)
    tall, spire, gable = s.u(0.5, 0.62), s.u(0.3, 0.44), s.u(0.15, 0.22)
    tiles = apart(s, main, (0.28, 0.29, 0.34), (0.5, 0.22, 0.16), DARK_WOOD)
    s.box("wall", (0, 0.15, h), (w, length, h), main)
    s.box("roof", (0, 0.15, 2 * h + gable), (w + 0.08, length + 0.05, gable), tiles, top=(0.0, 1.0))
    s.box("gable", (0, 0.15, 2 * h + gable * 0.85), (w, length + 0.06, gable * 0.82), main, top=(0.0, 1.0))
    front = 0.15 - length
    s.box("tower", (0, front, tall), (tower, tower, tall), main)
    s.box("spire", (0, front, 2 * tall + spire), (tower * 1.2, tower * 1.2, spire), tiles, top=(0.0, 0.0))
    top = 2 * tall + 2 * spire
    gold = (0.85, 0.68, 0.25)
    s.box("cross", (0, front, top + 0.1), (0.03, 0.03, 0.15), gold)
    s.box("cross", (0, front, top + 0.14), (0.1, 0.03, 0.03), gold)
    _door(s, front - tower, 0.22, 0.11, DARK_WOOD)
    s.ball("bell", (0, front, tall * 1.7), (0.09, tower + 0.02, 0.13), (0.2, 0.2, 0.24))
    for x in (-1, 1):
        for y in (-0.2, 0.3, 0.8):
            s.ball("window", (x * w, 0.15 + y * length * 0.8, h * 1.1), (0.03, 0.09, h * 0.55), GLASS)


def tent(s: Sculptor, main: Paint) -> None:
    w, length, h, flap = s.u(0.6, 0.85), s.u(0.65, 0.95), s.u(0.45, 0.62), s.u(0.35, 0.6)
    inside, pole = apart(s, main, (0.16, 0.14, 0.13), (0.75, 0.7, 0.6)), apart(s, main, WOOD, METAL)
    s.box("canvas", (0, 0, h), (w, length, h), main, top=(0.02, 1.0))
    s.box("opening", (0, -length, h * 0.86), (w * flap, 0.015, h * 0.86), inside, top=(0.0, 1.0))
    for x in (-1, 1):
        hem, fold = np.array([x * w * (flap + 0.2), -length - 0.2, 0.04]), marked(main, 0.8)
        s.tube("flap", hem, (0, -length - 0.02, 2 * h * 0.93), (w * 0.17, 0.02), fold)
        s.rod("rope", (x * w * 0.5, 0, h), (x * (w + 0.28), 0, 0), 0.015, CREAM)
    for y in (-1, 1):
        s.rod("pole", (0, y * (length + 0.02), 0), (0, y * (length + 0.02), 2 * h + 0.14), 0.035, pole)


def igloo(s: Sculptor, main: Paint) -> None:
    r, h, door, reach = s.u(0.72, 0.9), s.u(0.62, 0.85), s.u(0.24, 0.31), s.u(0.15, 0.35)
    seam, rows = marked(main, 0.62), int(s.rng.integers(3, 5))
    s.ball("dome", (0, 0, 0), (r, r, h), main, clip=(0.0, 1.0))
    levels = np.arange(rows + 1) / (rows + 0.5)
    radii = r * np.sqrt(1 - levels**2)
    for i in range(rows):
        s.ring("seam", (0, 0, h * levels[i + 1]), (0, 0, 1), radii[i + 1], 0.018, seam)
        for k in range(7):
            side = turn(360 / 7 * (k + i / 2), "z")
            low, high = ((radii[j], 0, h * levels[j]) for j in (i, i + 1))
            s.rod("seam", side @ low, side @ high, 0.016, seam)
    front, middle = -r - reach, door * 1.15
    s.tube("entrance", (0, front, middle), (0, -r * 0.4, middle), (door * 1.2, door * 1.2), main)
    dark = (0.1, 0.1, 0.13)
    s.tube("door", (0, front - 0.01, middle), (0, front, middle), (door * 0.85, door * 0.85), dark)


def bridge(s: Sculptor, main: Paint) -> None:
    length, w, h, deck = s.u(1.0, 1.2), s.u(0.22, 0.32), s.u(0.6, 0.85), s.u(0.28, 0.4)
    tower, thick = length * s.u(0.48, 0.58), s.u(0.075, 0.11)
    s.box("deck", (0, 0, deck), (length, w, 0.05), darker(main, 0.8))
    for y in (-1, 1):
        for x in (-1, 1):
            s.box("tower", (x * tower, y * w, (deck + h) / 2), (thick, thick, (deck + h) / 2), main)
            s.rod("cable", (x * tower, y * w, deck + h), (x * length, y * w, deck + 0.05), 0.03, main)
        _cable(s, y * w, tower, (deck + 0.1, deck + h), main)
    for x in (-1, 1):
        for z in (deck * 0.35, deck + h * 0.9, deck + h * 0.5):
            s.box("tower", (x * tower, 0, z), (thick * 0.8, w, 0.05), main)


def _cable(s: Sculptor, y: float, half: float, z: tuple[float, float], main: Paint) -> None:
    """A hanging cable from x = -half to half, lowest at z[0], with its hangers down to there."""
    x = np.linspace(-1, 1, 9)
    points = np.stack([x * half, np.full(9, y), z[0] + (z[1] - z[0]) * x**2], 1)
    for start, end in pairwise(points):
        s.rod("cable", start, end, 0.03, main)
    for point in points[1:-1]:
        s.rod("hanger", point, (point[0], y, z[0] - 0.05), 0.022, main)


def well(s: Sculptor, main: Paint) -> None:
    r, wall, post, roof = s.u(0.5, 0.62), s.u(0.42, 0.55), s.u(0.85, 1.05), s.u(0.15, 0.22)
    wood, wide = apart(s, main, WOOD, DARK_WOOD), s.u(0.42, 0.55)
    s.tube("wall", (0, 0, 0), (0, 0, wall), (r, r), main, capped=False)
    s.tube("wall", (0, 0, 0), (0, 0, wall), (r * 0.78, r * 0.78), darker(main, 0.7), capped=False)
    s.ring("rim", (0, 0, wall), (0, 0, 1), r * 0.89, r * 0.14, marked(main, 0.8))
    s.tube("water", (0, 0, 0), (0, 0, wall * 0.6), (r * 0.77, r * 0.77), (0.2, 0.42, 0.6))
    for x in (-1, 1):
        s.box("post", (x * r * 0.9, 0, (wall + post) / 2 + 0.1), (0.05, 0.05, (post - wall) / 2 + 0.2), wood)
    s.rod("axle", (-r * 0.9, 0, post * 0.88), (r * 0.9 + 0.18, 0, post * 0.88), 0.045, wood)
    s.box("roof", (0, 0, post + 0.1 + roof), (r * 1.25, wide, roof), main, top=(1.0, 0.0))
    s.rod("rope", (0, 0, post * 0.88), (0, 0, wall + 0.16), 0.02, CREAM)
    s.tube("bucket", (0, 0, wall + 0.0), (0, 0, wall + 0.2), (0.1, 0.14), wood)


def pagoda(s: Sculptor, main: Paint) -> None:
    w, floors, shrink, eave = s.u(0.5, 0.62), int(s.rng.integers(3, 5)), s.u(0.74, 0.84), s.u(0.16, 0.24)
    wall = apart(s, main, CREAM, (0.6, 0.2, 0.15), (0.35, 0.3, 0.28))
    s.box("base", (0, 0, 0.05), (w + 0.12, w + 0.12, 0.07), (0.6, 0.58, 0.55))
    z, rise = 0.12, s.u(0.12, 0.17)
    for i in range(floors):
        s.box("wall", (0, 0, z + 0.12), (w * 0.8, w * 0.8, 0.14), wall)
        if i == 0:
            s.box("door", (0, -w * 0.8, z + 0.1), (0.12, 0.03, 0.12), DARK_WOOD)
        z += 0.22
        s.box("roof", (0, 0, z + 0.02), (w + eave, w + eave, 0.03), main)
        s.box("roof", (0, 0, z + 0.04 + rise), (w + eave, w + eave, rise), main, top=(0.45, 0.45))
        for x in (-1, 1):
            for y in (-1, 1):
                corner = np.array([x * (w + eave), y * (w + eave), z + 0.02])
                s.tube("roof", corner * (0.9, 0.9, 1), corner * (1.1, 1.1, 1) + (0, 0, 0.14), (0.06, 0.02), main)
        z, w = z + 2 * rise, w * shrink
    s.tube("spire", (0, 0, z), (0, 0, z + s.u(0.25, 0.4)), (0.07, 0.01), (0.85, 0.68, 0.25))


BUILDINGS = family(
    "buildings",
    with_front=(house, castle, windmill, church, tent, igloo),
    without_front=(lighthouse, bridge, well, pagoda),
)
