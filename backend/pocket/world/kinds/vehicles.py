"""Vehicles."""

import numpy as np

from backend.pocket.world.kinds.base import (
    BLACK,
    CREAM,
    DARK_METAL,
    DARK_WOOD,
    GLASS,
    LIGHT,
    METAL,
    WHITE,
    WOOD,
    apart,
    darker,
    family,
)
from backend.pocket.world.shapes import Array, Sculptor, turn


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


VEHICLES = family("vehicles", with_front=(car, airplane, boat), without_front=(rocket,))
