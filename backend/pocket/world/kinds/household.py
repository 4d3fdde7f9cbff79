"""Things of the household: crockery, tools, what one carries."""

import numpy as np

from backend.pocket.world.kinds.base import (
    BLACK,
    DARK_METAL,
    DARK_WOOD,
    METAL,
    WOOD,
    apart,
    darker,
    family,
    is_dark,
)
from backend.pocket.world.shapes import Paint, Sculptor, turn


def mug(s: Sculptor, main: Paint) -> None:
    r, h, taper = s.u(0.42, 0.58), s.u(0.9, 1.25), s.u(0.82, 1.05)
    s.tube("body", (0, 0, 0), (0, 0, h), (r * taper, r), main, capped=False)
    s.tube("bottom", (0, 0, 0), (0, 0, 0.04), (r * taper, r * taper), main)
    level = s.u(0.7, 0.85)
    inner = r * (taper + (1 - taper) * level) - 0.01
    s.tube("drink", (0, 0, level * h - 0.02), (0, 0, level * h), (inner, inner), DARK_WOOD)
    s.ring("rim", (0, 0, h), (0, 0, 1), r, 0.035, main)
    s.ring("handle", (r * 1.05, 0, h * 0.5), (0, 1, 0), h * s.u(0.25, 0.32), s.u(0.055, 0.085), main)


def teapot(s: Sculptor, main: Paint) -> None:
    w, h = s.u(0.55, 0.65), s.u(0.42, 0.58)
    s.ball("body", (0, 0, h), (w, w, h), main)
    s.tube("foot", (0, 0, 0), (0, 0, 0.12), (w * 0.6, w * 0.5), main)
    s.ball("lid", (0, 0, h * 1.75), (w * 0.5, w * 0.5, 0.16), darker(main, 0.85))
    s.ball("knob", (0, 0, h * 1.75 + 0.2), s.u(0.07, 0.1), apart(s, main, BLACK, METAL, WOOD))
    tip = (-w - s.u(0.35, 0.5), 0, h * s.u(1.35, 1.7))
    s.tube("spout", (-w * 0.75, 0, h * 0.75), tip, (0.17, 0.07), main)
    s.ring("handle", (w * 1.05, 0, h * 1.05), (0, 1, 0), h * s.u(0.55, 0.7), 0.07, main)


def umbrella(s: Sculptor, main: Paint) -> None:
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


def hammer(s: Sculptor, main: Paint) -> None:
    length, grip, size = s.u(1.4, 1.8), s.u(0.1, 0.14), s.u(0.19, 0.25)
    s.tube("handle", (0, 0, 0), (0, 0, length), (grip * 1.15, grip * 0.8), main)
    s.rod("grip", (0, 0, 0.05), (0, 0, length * 0.4), grip * 1.3, main)
    head = DARK_METAL if not is_dark(main) else METAL
    reach = s.u(0.4, 0.5)
    s.box("head", (0, 0, length), (0.2, size * 0.75, size * 0.75), head)
    s.tube("face", (-0.15, 0, length), (-reach, 0, length), (size * 0.7, size), head)
    s.box(
        "claw", (reach * 0.75, 0, length - 0.05), (size * 0.85, size * 0.75, reach * 0.55), head,
        rotation=turn(105, "y"), top=(0.08, 1.0),
    )


HOUSEHOLD = family("household", with_front=(), without_front=(mug, teapot, umbrella, hammer))
