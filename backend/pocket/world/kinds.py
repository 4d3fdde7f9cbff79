"""The kinds of objects: each function sculpts one, in a main color, with free parameters.

Everything stands on or around the z axis and faces -y. `main` is the color that the caption
names; the other colors are what such a thing usually has.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backend.pocket.world.shapes import Array, Sculptor, aligned, turn

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


@dataclass(frozen=True)
class Kind:
    """A word, how to sculpt it, and whether it has a front (which faces -y)."""

    name: str
    sculpt: Callable[[Sculptor, Array], None]
    has_front: bool


def darker(color: Array, factor: float = 0.75) -> Array:
    return np.asarray(color) * factor


def apart(s: Sculptor, main: Array, *choices: tuple[float, float, float]) -> Array:
    """One of `choices` that differs well from the main color."""
    far = [c for c in choices if np.abs(np.asarray(c) - main).sum() > 0.5]
    return s.pick(*(far or choices))


def mug(s: Sculptor, main: Array) -> None:
    r, h, taper = s.u(0.42, 0.58), s.u(0.9, 1.25), s.u(0.82, 1.05)
    s.tube("body", (0, 0, 0), (0, 0, h), (r * taper, r), main, capped=False)
    s.tube("bottom", (0, 0, 0), (0, 0, 0.04), (r * taper, r * taper), main)
    level = s.u(0.7, 0.85)
    inner = r * (taper + (1 - taper) * level) - 0.01
    s.tube("drink", (0, 0, level * h - 0.02), (0, 0, level * h), (inner, inner), DARK_WOOD)
    s.ring("rim", (0, 0, h), (0, 0, 1), r, 0.035, main)
    s.ring("handle", (r * 1.05, 0, h * 0.5), (0, 1, 0), h * s.u(0.25, 0.32), s.u(0.055, 0.085), main)


def chair(s: Sculptor, main: Array) -> None:
    w, d, leg = s.u(0.4, 0.52), s.u(0.4, 0.5), s.u(0.65, 0.95)
    back, thick, foot = s.u(0.75, 1.1), s.u(0.05, 0.09), s.u(0.04, 0.07)
    s.box("seat", (0, 0, leg), (w, d, thick), main)
    for x in (-1, 1):
        for y in (-1, 1):
            top = (x * (w - foot), y * (d - foot), leg)
            s.tube("leg", (top[0] * 1.06, top[1] * 1.06, 0), top, (foot, foot), darker(main))
    slats = s.chance()
    if slats:
        for x in (-0.85, 0.0, 0.85):
            s.box("back", (x * w, d - 0.05, leg + back / 2), (0.07, 0.045, back / 2), main)
        s.box("back", (0, d - 0.05, leg + back), (w, 0.05, 0.1), main)
    else:
        s.box("back", (0, d - 0.05, leg + back / 2), (w, 0.05, back / 2), main, top=(s.u(0.8, 1.0), 1))
    if s.chance(0.3):
        for x in (-1, 1):
            s.box("arm", (x * w, 0, leg + 0.38), (0.05, d, 0.04), darker(main))
            s.box("arm", (x * w, -d + 0.06, leg + 0.19), (0.04, 0.04, 0.19), darker(main))


def table(s: Sculptor, main: Array) -> None:
    w, d, h, thick = s.u(0.75, 1.05), s.u(0.5, 0.75), s.u(0.6, 0.85), s.u(0.04, 0.08)
    if s.chance(0.35):
        s.tube("top", (0, 0, h - thick), (0, 0, h + thick), (w * 0.85, w * 0.85), main)
        s.tube("leg", (0, 0, 0), (0, 0, h), (0.1, 0.09), darker(main))
        s.tube("foot", (0, 0, 0), (0, 0, 0.07), (0.42, 0.3), darker(main))
        return
    s.box("top", (0, 0, h), (w, d, thick), main)
    foot = s.u(0.05, 0.09)
    for x in (-1, 1):
        for y in (-1, 1):
            x0, y0 = x * (w - foot * 1.6), y * (d - foot * 1.6)
            s.box("leg", (x0, y0, h / 2), (foot, foot, h / 2), darker(main))


def bed(s: Sculptor, main: Array) -> None:
    w, length, h = s.u(0.5, 0.75), s.u(0.85, 1.05), s.u(0.25, 0.38)
    wood = apart(s, main, WOOD, DARK_WOOD, CREAM)
    s.box("frame", (0, 0, h - 0.12), (w + 0.04, length + 0.03, 0.09), wood)
    s.soft_box("sheet", (0, 0, h + 0.05), (w, length, 0.13), 0.06, WHITE)
    s.soft_box("blanket", (0, -0.25 * length, h + 0.07), (w + 0.03, 0.76 * length, 0.15), 0.06, main)
    s.box("headboard", (0, length, h + s.u(0.15, 0.3)), (w + 0.05, 0.05, h + 0.25), wood)
    s.box("footboard", (0, -length, h * 0.7), (w + 0.05, 0.04, h * 0.7), wood)
    count = 2 if w > 0.58 else 1
    for i in range(count):
        x = (i - (count - 1) / 2) * w
        half = (w * (0.42 if count == 2 else 0.7), 0.17, 0.08)
        s.soft_box("pillow", (x, length * 0.76, h + 0.22), half, 0.07, WHITE)


def lamp(s: Sculptor, main: Array) -> None:
    h, low, high, shade = s.u(0.9, 1.5), s.u(0.45, 0.65), s.u(0.2, 0.36), s.u(0.5, 0.7)
    stand = apart(s, main, DARK_METAL, WOOD, METAL)
    s.tube("base", (0, 0, 0), (0, 0, 0.08), (0.36, 0.3), stand)
    s.tube("pole", (0, 0, 0), (0, 0, h), (0.05, 0.05), stand)
    s.tube("shade", (0, 0, h - 0.1), (0, 0, h - 0.1 + shade), (low, high), main, capped=False)
    s.ball("bulb", (0, 0, h + 0.12), 0.15, LIGHT)


def teapot(s: Sculptor, main: Array) -> None:
    w, h = s.u(0.55, 0.65), s.u(0.42, 0.58)
    s.ball("body", (0, 0, h), (w, w, h), main)
    s.tube("foot", (0, 0, 0), (0, 0, 0.12), (w * 0.6, w * 0.5), main)
    s.ball("lid", (0, 0, h * 1.75), (w * 0.5, w * 0.5, 0.16), darker(main, 0.85))
    s.ball("knob", (0, 0, h * 1.75 + 0.2), s.u(0.07, 0.1), apart(s, main, BLACK, METAL, WOOD))
    tip = (-w - s.u(0.35, 0.5), 0, h * s.u(1.35, 1.7))
    s.tube("spout", (-w * 0.75, 0, h * 0.75), tip, (0.17, 0.07), main)
    s.ring("handle", (w * 1.05, 0, h * 1.05), (0, 1, 0), h * s.u(0.55, 0.7), 0.07, main)


def umbrella(s: Sculptor, main: Array) -> None:
    r, rise, length = s.u(0.85, 1.05), s.u(0.4, 0.6), s.u(1.1, 1.4)
    stick = apart(s, main, DARK_METAL, DARK_WOOD, METAL)
    s.ball("canopy", (0, 0, length - rise * 0.5), (r, r, rise), main, clip=(0.0, 1.0))
    for i in range(8):
        a = np.pi / 4 * i
        rim = (r * np.cos(a), r * np.sin(a), length - rise * 0.5)
        s.ball("rib", rim, 0.045, darker(main, 0.6))
    s.tube("tip", (0, 0, length + rise * 0.4), (0, 0, length + rise * 0.5 + 0.18), (0.05, 0.02), stick)
    s.tube("stick", (0, 0, 0), (0, 0, length + rise * 0.4), (0.04, 0.04), stick)
    hook = s.u(0.13, 0.18)
    s.ring("handle", (hook, 0, 0), (0, 1, 0), hook, 0.05, stick)


def hammer(s: Sculptor, main: Array) -> None:
    length, grip, size = s.u(1.4, 1.8), s.u(0.1, 0.14), s.u(0.19, 0.25)
    s.tube("handle", (0, 0, 0), (0, 0, length), (grip * 1.15, grip * 0.8), main)
    s.rod("grip", (0, 0, 0.05), (0, 0, length * 0.4), grip * 1.3, main)
    head = DARK_METAL if main.sum() > 0.6 else METAL
    reach = s.u(0.4, 0.5)
    s.box("head", (0, 0, length), (0.2, size * 0.75, size * 0.75), head)
    s.tube("face", (-0.15, 0, length), (-reach, 0, length), (size * 0.7, size), head)
    s.box(
        "claw", (reach * 0.75, 0, length - 0.05), (size * 0.85, size * 0.75, reach * 0.55), head,
        rotation=turn(105, "y"), top=(0.08, 1.0),
    )


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


def tree(s: Sculptor, main: Array) -> None:
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


def cactus(s: Sculptor, main: Array) -> None:
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


def mushroom(s: Sculptor, main: Array) -> None:
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


def apple(s: Sculptor, main: Array) -> None:
    fat, tall, stem = s.u(0.42, 0.5), s.u(0.95, 1.15), s.u(0.25, 0.38)
    s.ring("body", (0, 0, 0), (0, 0, 1), 0.3, fat, main, squash=tall)
    s.ball("body", (0, 0, -0.12), (0.6, 0.6, fat * tall), main)
    lean = s.u(-0.12, 0.12)
    s.tube("stem", (0, 0, 0.2), (lean, 0, fat * tall + stem), (0.045, 0.035), DARK_WOOD)
    tilt = turn(s.u(-45, -20), "y") @ turn(s.u(-15, 15), "x")
    leaf = (lean + 0.22, 0, fat * tall + stem * 0.75)
    s.ball("leaf", leaf, (s.u(0.2, 0.28), 0.11, 0.03), apart(s, main, LEAF, DARK_WOOD), rotation=tilt)


def pumpkin(s: Sculptor, main: Array) -> None:
    r, h, ribs = s.u(0.36, 0.46), s.u(0.5, 0.72), int(s.rng.integers(7, 10))
    for i in range(ribs):
        a = 2 * np.pi * i / ribs
        shade = 1.0 if i % 2 else 0.86
        s.ball("rib", (r * np.cos(a), r * np.sin(a), 0), (0.42, 0.42, h), darker(main, shade))
    stem = apart(s, main, (0.35, 0.45, 0.15), DARK_WOOD)
    s.tube("stem", (0, 0, h * 0.7), (s.u(-0.1, 0.1), 0, h + s.u(0.18, 0.32)), (0.12, 0.08), stem)


def cake(s: Sculptor, main: Array) -> None:
    r, h, tiers = s.u(0.7, 0.85), s.u(0.3, 0.42), int(s.rng.integers(1, 4))
    icing = apart(s, main, WHITE, (0.98, 0.75, 0.82), CREAM)
    s.tube("plate", (0, 0, -0.05), (0, 0, 0), (r + 0.2, r + 0.25), WHITE if main.sum() < 2.5 else METAL)
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


def car(s: Sculptor, main: Array) -> None:
    w, length, h, cabin = s.u(0.4, 0.48), s.u(0.88, 1.1), s.u(0.17, 0.24), s.u(0.2, 0.28)
    wheel, back = s.u(0.19, 0.25), s.u(0.0, 0.2)
    z = wheel + h * 0.7
    s.soft_box("body", (0, 0, z), (w, length, h), 0.1, main)
    span = (w * 0.92, length * s.u(0.48, 0.6), cabin)
    s.box("cabin", (0, back, z + h + cabin * 0.9), span, main, top=(0.85, 0.68))
    glass = (0.22, 0.3, 0.38) if main.sum() > 0.6 else GLASS
    middle = z + h + cabin * 0.85
    side = (span[0] * 1.03, span[1] * 0.8, cabin * 0.62)
    s.box("window", (0, back, middle), side, glass, top=(0.87, 0.75))
    s.box("window", (0, back, middle), (span[0] * 0.8, span[1] * 1.02, cabin * 0.62), glass, top=(0.95, 0.75))
    for x in (-1, 1):
        for y in (-0.6, 0.6):
            c = np.array([x * w, y * length, wheel])
            s.tube("wheel", c - (0.1, 0, 0), c + (0.1, 0, 0), (wheel, wheel), BLACK)
            s.tube("hub", c - (0.115, 0, 0), c + (0.115, 0, 0), (wheel * 0.5, wheel * 0.5), METAL)
        s.ball("headlight", (x * w * 0.65, -length, z + 0.03), (0.09, 0.05, 0.08), LIGHT)
        s.ball("taillight", (x * w * 0.65, length, z + 0.03), (0.09, 0.04, 0.06), (0.7, 0.08, 0.08))


def airplane(s: Sculptor, main: Array) -> None:
    length, r, span, chord = s.u(0.85, 1.0), s.u(0.16, 0.22), s.u(0.85, 1.05), s.u(0.17, 0.25)
    s.ball("body", (0, 0, 0), (r, length, r), main)
    s.tube("body", (0, -length * 0.55, 0), (0, length * 0.35, 0), (r * 0.9, r * 0.95), main)
    trim = apart(s, main, WHITE, METAL, DARK_METAL)
    for x in (-1, 1):
        sweep = turn(x * s.u(8, 18), "z")
        s.box("wing", (x * span / 2, 0.02, -0.03), (span / 2, chord, 0.035), darker(main, 0.9), rotation=sweep)
        s.box("tail", (x * 0.2, length * 0.85, 0.05), (0.2, 0.1, 0.025), darker(main, 0.9))
        s.rod("engine", (x * span * 0.45, -chord * 1.1, -0.12), (x * span * 0.45, 0.08, -0.12), 0.075, trim)
    lift = s.u(0.32, 0.45)
    s.box("fin", (0, length * 0.85, lift * 0.6), (0.03, 0.16, lift * 0.6), main, top=(1, 0.5))
    s.ball("cockpit", (0, -length * 0.7, r * 0.5), (r * 0.6, 0.18, r * 0.5), (0.2, 0.28, 0.36))


def boat(s: Sculptor, main: Array) -> None:
    length, w, depth, mast = s.u(0.85, 1.0), s.u(0.3, 0.4), s.u(0.32, 0.42), s.u(1.1, 1.4)
    s.ball("hull", (0, 0, depth), (w, length, depth), main, clip=(-1.0, 0.0))
    s.box("deck", (0, 0, depth - 0.03), (w * 0.68, length * 0.68, 0.02), WOOD)
    s.ball("deck", (0, 0, depth - 0.03), (w * 0.97, length * 0.97, 0.02), WOOD)
    s.tube("mast", (0, 0, depth), (0, 0, depth + mast), (0.045, 0.035), DARK_WOOD)
    sail = apart(s, main, WHITE, CREAM, (0.75, 0.85, 0.95))
    z = depth + mast * 0.55
    rise = mast * 0.42
    s.box("sail", (0, length * 0.36, z), (0.02, length * 0.34, rise), sail, top=(1, 0.03))
    s.box("jib", (0, -length * 0.32, z - 0.08), (0.02, length * 0.26, rise * 0.75), sail, top=(1, 0.03))


def rocket(s: Sculptor, main: Array) -> None:
    h, r, nose = s.u(1.1, 1.5), s.u(0.25, 0.34), s.u(0.4, 0.6)
    trim = apart(s, main, (0.8, 0.15, 0.12), WHITE, DARK_METAL)
    s.tube("body", (0, 0, 0.2), (0, 0, 0.2 + h), (r * s.u(0.85, 1.0), r), main)
    s.tube("nose", (0, 0, 0.2 + h), (0, 0, 0.2 + h + nose), (r, 0.03), trim)
    s.tube("nozzle", (0, 0, 0), (0, 0, 0.22), (r * 0.8, r * 0.5), DARK_METAL)
    fins, reach = int(s.rng.integers(3, 5)), s.u(0.25, 0.36)
    for i in range(fins):
        a = 360 / fins * i + 45
        direction = turn(a, "z") @ np.array([1.0, 0, 0])
        c = direction * (r + reach * 0.4) + (0, 0, 0.35)
        s.box("fin", c, (reach * 0.8, 0.04, 0.33), trim, rotation=turn(a, "z"), top=(0.2, 1))
    s.ball("window", (0, -r, 0.2 + h * 0.7), (0.15, 0.05, 0.15), GLASS)
    s.ring("window", (0, -r, 0.2 + h * 0.7), (0, 1, 0), 0.15, 0.03, METAL)


def duck(s: Sculptor, main: Array) -> None:
    w, length, h, head = s.u(0.4, 0.5), s.u(0.6, 0.72), s.u(0.36, 0.45), s.u(0.26, 0.33)
    beak = apart(s, main, ORANGE, (0.98, 0.78, 0.15))
    s.ball("body", (0, 0, h), (w, length, h), main)
    s.ball("tail", (0, length * 0.85, h * 1.35), (w * 0.4, 0.28, 0.13), main, rotation=turn(35, "x"))
    c = np.array([0, -length * 0.65, h * 1.6 + head * s.u(0.6, 0.9)])
    s.rod("neck", (0, -length * 0.55, h * 1.2), c, head * 0.65, main)
    s.ball("head", c, head, main)
    s.ball("beak", c + (0, -head * 1.1, -0.06), (head * 0.55, head * 0.55, 0.08), beak)
    eye = BLACK if main.sum() > 0.6 else WHITE
    for x in (-1, 1):
        s.ball("eye", c + (x * head * 0.6, -head * 0.7, head * 0.3), 0.06, eye)
        wing = (0.1, length * 0.6, h * 0.55)
        s.ball("wing", (x * w * 0.93, 0.1, h * 1.1), wing, darker(main, 0.82), rotation=turn(15, "x"))


def dog(s: Sculptor, main: Array) -> None:
    length, r, leg, head = s.u(0.42, 0.58), s.u(0.23, 0.3), s.u(0.4, 0.6), s.u(0.25, 0.31)
    z = leg + r * 0.8
    s.rod("body", (0, -length, z), (0, length, z), r, main)
    for x in (-1, 1):
        for y in (-1, 1):
            s.rod("leg", (x * r * 0.65, y * length, 0.08), (x * r * 0.65, y * length, z), 0.095, main)
    c = np.array([0, -length - r * 0.8, z + r + s.u(0.1, 0.25)])
    s.rod("neck", (0, -length, z + 0.05), c, r * 0.65, main)
    s.ball("head", c, head, main)
    s.rod("snout", c + (0, -head * 0.5, -0.06), c + (0, -head * 1.35, -0.08), head * 0.45, darker(main, 0.9))
    dark = BLACK if main.sum() > 0.6 else (0.8, 0.8, 0.8)
    s.ball("nose", c + (0, -head * 1.8, -0.03), 0.075, dark)
    ear = darker(main, 0.6) if main.sum() > 0.6 else main + 0.25
    for x in (-1, 1):
        s.ball("eye", c + (x * head * 0.45, -head * 0.82, head * 0.3), 0.055, dark)
        s.ball("ear", c + (x * head, 0.02, head * 0.1), (0.07, 0.13, s.u(0.2, 0.28)), ear)
    s.rod("tail", (0, length + r * 0.8, z + 0.1), (0, length + r + s.u(0.15, 0.3), z + s.u(0.35, 0.5)), 0.07, main)


def fish(s: Sculptor, main: Array) -> None:
    w, length, h, tail = s.u(0.2, 0.28), s.u(0.65, 0.8), s.u(0.36, 0.5), s.u(0.26, 0.36)
    fin = darker(main, 0.72) if main.sum() > 0.6 else main + 0.22
    s.ball("body", (0, 0, 0), (w, length, h), main)
    spread = turn(-90, "x")
    s.box("tail", (0, length + tail * 0.7, 0), (0.04, 0.12, tail), fin, rotation=spread, top=(1, tail / 0.11))
    s.box("fin", (0, 0.1, h * 1.08), (0.03, length * 0.42, 0.17), fin, top=(1, 0.45))
    s.box("fin", (0, 0.2, -h * 1.02), (0.03, length * 0.22, 0.13), fin, rotation=turn(180, "y"), top=(1, 0.5))
    for x in (-1, 1):
        eye = (x * w * 0.66, -length * 0.68, h * 0.2)
        s.ball("eye", eye, (0.06, 0.1, 0.1), WHITE)
        s.ball("pupil", (eye[0] + x * 0.04, eye[1] - 0.02, eye[2]), (0.04, 0.055, 0.055), BLACK)
        s.ball("fin", (x * w * 1.1, 0.0, -h * 0.2), (0.1, 0.2, 0.05), fin, rotation=turn(x * 35, "y"))


def snowman(s: Sculptor, main: Array) -> None:
    r, chest, head = s.u(0.48, 0.58), s.u(0.34, 0.42), s.u(0.25, 0.31)
    z1 = r * 1.75 + chest * 0.7
    z2 = z1 + chest * 0.7 + head * 0.85
    dark = BLACK if main.sum() > 0.6 else (0.75, 0.75, 0.75)
    for name, z, size in (("base", r, r), ("chest", z1, chest), ("head", z2, head)):
        s.ball(name, (0, 0, z), size, main)
    s.tube("nose", (0, -head * 0.9, z2), (0, -head * 0.9 - s.u(0.25, 0.4), z2 - 0.03), (0.08, 0.01), ORANGE)
    for x in (-1, 1):
        s.ball("eye", (x * head * 0.4, -head * 0.85, z2 + head * 0.3), 0.05, dark)
        hand = (x * (chest + s.u(0.35, 0.5)), 0, z1 + s.u(0.1, 0.35))
        s.rod("arm", (x * chest * 0.8, 0, z1), hand, 0.035, DARK_WOOD)
    for z in (-0.15, 0.1):
        s.ball("button", (0, -chest, z1 + z), 0.05, dark)
    if s.chance(0.6):
        hat = (0.12, 0.12, 0.14) if main.sum() > 0.6 else (0.6, 0.15, 0.15)
        s.tube("hat", (0, 0, z2 + head * 0.75), (0, 0, z2 + head * 0.75 + 0.05), (0.36, 0.36), hat)
        s.tube("hat", (0, 0, z2 + head * 0.75), (0, 0, z2 + head + s.u(0.2, 0.35)), (0.23, 0.22), hat)


def robot(s: Sculptor, main: Array) -> None:
    w, h, head, leg = s.u(0.34, 0.46), s.u(0.38, 0.48), s.u(0.22, 0.3), s.u(0.35, 0.5)
    joint = METAL if np.abs(main - METAL).sum() > 0.5 else np.asarray(DARK_METAL)
    z = leg + h
    s.soft_box("body", (0, 0, z), (w, 0.26, h), 0.05, main)
    s.box("panel", (0, -0.26, z + 0.05), (w * 0.6, 0.02, h * 0.4), joint)
    for x, lamp_color in ((-0.3, (0.9, 0.2, 0.2)), (0.0, (0.95, 0.85, 0.2)), (0.3, (0.2, 0.7, 0.3))):
        s.ball("button", (x * w, -0.29, z + 0.05), 0.05, lamp_color)
    top = z + h + 0.08 + head
    s.tube("neck", (0, 0, z + h), (0, 0, z + h + 0.12), (0.1, 0.1), joint)
    s.soft_box("head", (0, 0, top), (head * 1.2, head, head), 0.04, main)
    eye = s.pick(LIGHT, (0.4, 0.9, 0.95))
    for x in (-1, 1):
        s.ball("eye", (x * head * 0.55, -head, top + 0.05), (0.09, 0.05, 0.09), eye)
        s.rod("arm", (x * (w + 0.1), 0, z + h * 0.8), (x * (w + s.u(0.15, 0.3)), -0.05, z - h * 0.7), 0.085, joint)
        s.ball("hand", (x * (w + 0.22), -0.05, z - h * 0.9), 0.13, main)
        s.tube("leg", (x * w * 0.55, 0, 0.1), (x * w * 0.55, 0, leg), (0.1, 0.1), joint)
        s.soft_box("foot", (x * w * 0.55, -0.06, 0.08), (0.16, 0.24, 0.08), 0.03, main)
    s.tube("antenna", (0, 0, top + head), (0, 0, top + head + 0.22), (0.025, 0.02), joint)
    s.ball("antenna", (0, 0, top + head + 0.24), 0.06, (0.9, 0.2, 0.2))


_SCULPTED: tuple[tuple[Callable[[Sculptor, Array], None], bool], ...] = (
    (mug, False), (chair, True), (table, False), (bed, True), (lamp, False), (teapot, False),
    (umbrella, False), (hammer, False), (house, True), (castle, True), (tree, False),
    (cactus, False), (mushroom, False), (apple, False), (pumpkin, False), (cake, False),
    (car, True), (airplane, True), (boat, True), (rocket, False), (duck, True), (dog, True),
    (fish, True), (snowman, True), (robot, True),
)  # fmt: skip

KINDS: dict[str, Kind] = {
    sculpt.__name__: Kind(sculpt.__name__, sculpt, has_front) for sculpt, has_front in _SCULPTED
}
