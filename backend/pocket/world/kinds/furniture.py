"""Furniture."""

import numpy as np

from backend.pocket.world.kinds.base import (
    BLACK,
    CREAM,
    DARK_METAL,
    DARK_WOOD,
    LIGHT,
    METAL,
    SIDES,
    WHITE,
    WOOD,
    apart,
    darker,
    family,
    marked,
)
from backend.pocket.world.shapes import Paint, Sculptor, turn


def chair(s: Sculptor, main: Paint) -> None:
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


def table(s: Sculptor, main: Paint) -> None:
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


def bed(s: Sculptor, main: Paint) -> None:
    w, length, h = s.u(0.5, 0.75), s.u(0.8, 0.98), s.u(0.22, 0.34)
    head, thick = s.u(0.16, 0.32), s.u(0.14, 0.2)
    wood = apart(s, main, WOOD, DARK_WOOD, CREAM)
    s.soft_box("mattress", (0, 0, h + 0.08), (w, length, 0.13), 0.06, WHITE)
    s.soft_box("blanket", (0, -0.24 * length, h), (w + 0.05, 0.8 * length, thick + 0.1), 0.08, main)
    s.soft_box("headboard", (0, length, h + 0.5 * head), (w + 0.06, 0.07, h * 0.5 + head), 0.06, darker(main, 0.85))
    for x in (-1, 1):
        for y in (-1, 1):
            corner = (x * w * 0.92, y * length * 0.93)
            s.tube("leg", (*corner, -0.1), (*corner, h), (0.07, 0.07), wood)
    count = 2 if w > 0.58 else 1
    for i in range(count):
        x = (i - (count - 1) / 2) * w
        half = (w * (0.44 if count == 2 else 0.75), 0.2, 0.1)
        s.soft_box("pillow", (x, length * 0.74, h + 0.27), half, 0.09, WHITE)


def lamp(s: Sculptor, main: Paint) -> None:
    h, low, high, shade = s.u(0.9, 1.5), s.u(0.45, 0.65), s.u(0.2, 0.36), s.u(0.5, 0.7)
    stand = apart(s, main, DARK_METAL, WOOD, METAL)
    s.tube("base", (0, 0, 0), (0, 0, 0.08), (0.36, 0.3), stand)
    s.tube("pole", (0, 0, 0), (0, 0, h), (0.05, 0.05), stand)
    s.tube("shade", (0, 0, h - 0.1), (0, 0, h - 0.1 + shade), (low, high), main, capped=False)
    s.ball("bulb", (0, 0, h + 0.12), 0.15, LIGHT)


def sofa(s: Sculptor, main: Paint) -> None:
    w, d, seat, back = s.u(0.75, 1.0), s.u(0.36, 0.46), s.u(0.3, 0.4), s.u(0.32, 0.45)
    arm, soft, count = s.u(0.11, 0.17), s.u(0.05, 0.1), int(s.rng.integers(2, 4))
    s.soft_box("base", (0, 0, seat * 0.6), (w, d, seat * 0.45), 0.04, darker(main, 0.8))
    s.soft_box("back", (0, d * 0.8, seat + back * 0.5), (w, 0.14, back), soft, main)
    for i in range(count):
        x = w * ((2 * i + 1) / count - 1)
        s.soft_box("seat", (x, -0.06, seat * 1.15), (w / count - 0.015, d, 0.1), 0.06, main)
    for x in (-1, 1):
        side = (x * (w + arm * 0.6), -0.02, seat * 0.95)
        s.soft_box("arm", side, (arm, d + 0.04, seat * 0.8), soft, marked(main, 0.88))
        for y in (-1, 1):
            corner = (x * w * 0.95, y * d * 0.8)
            s.tube("leg", (*corner, -0.08), (*corner, 0.1), (0.05, 0.07), DARK_WOOD)


def bench(s: Sculptor, main: Paint) -> None:
    w, d, seat, back = s.u(0.85, 1.05), s.u(0.26, 0.34), s.u(0.4, 0.52), s.u(0.42, 0.6)
    iron = apart(s, main, BLACK, METAL, DARK_METAL)
    lean, with_arms = turn(-12, "x"), s.chance(0.6)
    for i in range(3):
        s.box("seat", (0, d * (i - 1) * 0.68, seat), (w, d * 0.27, 0.04), main)
        up = seat + back * (0.32 + 0.34 * i)
        s.box("back", (0, d + 0.2 * (up - seat), up), (w, 0.035, back * 0.13), main, rotation=lean)
    for x in (-0.8, 0.8):
        s.rod("leg", (x * w, -d * 0.8, 0), (x * w, -d * 0.8, seat - 0.05), 0.045, iron)
        s.rod("leg", (x * w, d, 0), (x * w, d + 0.2 * back, seat + back), 0.045, iron)
        s.rod("leg", (x * w, -d, seat - 0.07), (x * w, d, seat - 0.07), 0.04, iron)
        if with_arms:
            s.rod("arm", (x * w, -d, seat + 0.25), (x * w, d, seat + 0.25), 0.04, iron)
            s.rod("arm", (x * w, -d, seat + 0.25), (x * w, -d * 0.8, seat), 0.04, iron)


def bookshelf(s: Sculptor, main: Paint) -> None:
    w, d, h, shelves = s.u(0.45, 0.65), s.u(0.2, 0.26), s.u(1.5, 1.9), int(s.rng.integers(3, 5))
    thick = s.u(0.055, 0.08)
    for x in (-1, 1):
        s.box("side", (x * w, 0, h / 2), (thick, d, h / 2), main)
    for i in range(shelves + 1):
        s.box("shelf", (0, 0, 0.06 + i * (h - 0.1) / shelves), (w, d, thick * 0.8), main)
    for i in range(shelves):
        _books(s, w - thick, d, 0.1 + i * (h - 0.1) / shelves, (h - 0.1) / shelves, main)


def _books(s: Sculptor, w: float, d: float, z: float, room: float, main: Paint) -> None:
    """A row of books on a shelf, from one side to somewhere past the middle."""
    x, end = -w, w * s.u(0.1, 0.9)
    while x < end:
        half, tall = s.u(0.05, 0.09), room * s.u(0.28, 0.4)
        cover = apart(s, main, CREAM, (0.3, 0.32, 0.38), (0.5, 0.36, 0.28), (0.45, 0.55, 0.6))
        s.box("book", (x + half, 0, z + tall), (half * 0.92, d * 0.75, tall), cover)
        x += 2 * half


def stool(s: Sculptor, main: Paint) -> None:
    r, h, thick, spread = s.u(0.36, 0.48), s.u(0.9, 1.3), s.u(0.06, 0.12), s.u(1.0, 1.3)
    legs, foot = int(s.rng.integers(3, 5)), s.u(0.05, 0.075)
    s.tube("seat", (0, 0, h - thick), (0, 0, h + thick), (r * 0.95, r), main)
    for i in range(legs):
        a = 2 * np.pi * (i + 0.5) / legs
        out = np.array([np.cos(a), np.sin(a), 0]) * r
        s.rod("leg", out * spread, out * 0.75 + (0, 0, h), foot, darker(main, 0.85))
    s.ring("rung", (0, 0, h * 0.35), (0, 0, 1), r * (spread * 0.65 + 0.26), 0.035, darker(main, 0.7))


def wardrobe(s: Sculptor, main: Paint) -> None:
    w, d, h, crown = s.u(0.5, 0.68), s.u(0.26, 0.36), s.u(0.75, 0.95), s.u(0.05, 0.12)
    knob = apart(s, main, (0.85, 0.68, 0.25), METAL, BLACK)
    s.box("body", (0, 0, h), (w, d, h), main)
    s.box("crown", (0, 0, 2 * h + crown), (w + 0.02, d + 0.02, crown), marked(main, 0.75), top=(1.14, 1.14))
    s.box("base", (0, 0, 0.05), (w + 0.04, d + 0.03, 0.09), marked(main, 0.75))
    s.box("inside", (0, -d, h * 1.03), (w * 0.93, 0.01, h * 0.84), (0.14, 0.11, 0.1))
    for side, x in SIDES:
        half, names = (w * 0.46, 0.03, h * 0.84), [f"{side} {part}" for part in ("door", "panel", "knob")]
        s.box(names[0], (x * w * 0.47, -d - 0.03, h * 1.03), half, marked(main, 0.86))
        s.box(names[1], (x * w * 0.47, -d - 0.06, h * 1.03), (w * 0.3, 0.015, h * 0.68), main)
        s.ball(names[2], (x * 0.09, -d - 0.1, h), 0.065, knob)
        s.joint("open", tuple(names), (x * w * 0.93, -d - 0.03, h), (0, 0, 1), (0, x * 110))
        for y in (-1, 1):
            s.ball("foot", (x * w * 0.85, y * d * 0.8, -0.08), 0.1, marked(main, 0.6))


def piano(s: Sculptor, main: Paint) -> None:
    w, length, deep, leg = s.u(0.55, 0.7), s.u(0.5, 0.75), s.u(0.11, 0.15), s.u(0.4, 0.55)
    z, narrow, angle = leg + deep, s.u(0.4, 0.55), s.u(28, 42)
    dark = apart(s, main, BLACK, DARK_WOOD, CREAM)
    away, front = turn(-90, "x"), -length - 0.25
    s.box("body", (0, 0, z), (w, deep, length), main, rotation=away, top=(narrow, 1))
    s.box("body", (0, front + 0.2, z - deep * 0.45), (w, 0.2, deep * 0.55), main)
    s.box("keys", (0, front + 0.1, z + deep * 0.12), (w * 0.88, 0.11, 0.035), WHITE)
    for x in np.linspace(-0.75, 0.75, 7):
        s.box("keys", (x * w, front + 0.13, z + deep * 0.12 + 0.03), (0.025, 0.07, 0.02), BLACK)
    tilt = turn(-angle, "y")
    hinge = np.array([-w, 0, z + deep])
    lid = hinge + tilt @ np.array([w, 0, 0.03])
    s.box("lid", lid, (w, 0.025, length), main, rotation=tilt @ away, top=(narrow, 1))
    prop = hinge + tilt @ np.array([1.6 * w, -length * 0.6, 0])
    s.rod("prop", (prop[0], prop[1], z), prop, 0.02, dark)
    for x, y in ((-0.8, -length), (0.8, -length), (0.0, length * 0.85)):
        s.tube("leg", (x * w, y, 0), (x * w, y, leg + 0.02), (0.05, 0.08), darker(main))


FURNITURE = family(
    "furniture",
    with_front=(chair, bed, sofa, bench, wardrobe, piano),
    without_front=(table, lamp, bookshelf, stool),
)
