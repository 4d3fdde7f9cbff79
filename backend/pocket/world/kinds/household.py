"""Things of the household: crockery, tools, what one carries."""

import numpy as np

from backend.pocket.world.kinds.base import (
    BLACK,
    CREAM,
    DARK_METAL,
    DARK_WOOD,
    METAL,
    WHITE,
    WOOD,
    apart,
    darker,
    family,
    is_dark,
    lighter,
    marked,
)
from backend.pocket.world.shapes import Paint, Sculptor, aligned, turn


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
    tip = np.array([-w - s.u(0.35, 0.5), 0, h * s.u(1.45, 1.8)])
    bend = (-w - 0.12, 0, h * 0.95)
    s.sweep("spout", [(-w * 0.7, 0, h * 0.6), bend, tip], [0.18, 0.11, 0.07], main)
    reach, grip = w + s.u(0.32, 0.45), s.u(0.06, 0.085)
    loop = [(w * 0.8, 0, h * 1.5), (reach, 0, h * 1.5), (reach, 0, h * 0.8), (w * 0.85, 0, h * 0.5)]
    s.sweep("handle", loop, grip, main)
    s.joint("open", ("lid", "knob"), (w * 0.5, 0, h * 1.75), (0, 1, 0), (0, 70))


def umbrella(s: Sculptor, main: Paint) -> None:
    r, rise, length = s.u(0.8, 0.98), s.u(0.5, 0.72), s.u(1.1, 1.4)
    stick, ribs = apart(s, main, DARK_METAL, DARK_WOOD, METAL), int(s.rng.integers(6, 9))
    low = length - rise * 0.5
    s.ball("canopy", (0, 0, low), (r, r, rise), main, clip=(0.0, 1.0))
    inside = (r * 0.97, r * 0.97, rise * 0.96)
    s.ball("inside", (0, 0, low), inside, marked(main, 0.7), clip=(0.0, 1.0))
    for i in range(ribs):
        rim = turn(360 / ribs * i, "z") @ np.array([r, 0, 0]) + (0, 0, low)
        s.ball("rib", rim, 0.06, marked(main, 0.6))
    s.tube("tip", (0, 0, length + rise * 0.4), (0, 0, length + rise * 0.5 + 0.18), (0.05, 0.02), stick)
    s.tube("stick", (0, 0, 0.1), (0, 0, length + rise * 0.4), (0.045, 0.045), stick)
    hook = s.u(0.13, 0.18)
    crook = [(0, 0, 0.2), (0, 0, 0), (hook, 0, -hook), (2 * hook, 0, 0), (2 * hook, 0, 0.1)]
    s.sweep("handle", crook, 0.06, stick)


def hammer(s: Sculptor, main: Paint) -> None:
    length, grip, size = s.u(1.3, 1.6), s.u(0.14, 0.18), s.u(0.19, 0.24)
    s.tube("handle", (0, 0, 0), (0, 0, length), (grip * 1.15, grip * 0.85), main)
    s.rod("handle", (0, 0, 0.05), (0, 0, length * 0.45), grip * 1.35, main)
    head = DARK_METAL if not is_dark(main) else METAL
    reach = s.u(0.42, 0.52)
    s.box("head", (0, 0, length), (0.2, size * 0.75, size * 0.75), head)
    s.tube("head", (-0.15, 0, length), (-reach, 0, length), (size * 0.7, size), head)
    s.box(
        "claw", (reach * 0.75, 0, length - 0.05), (size * 0.85, size * 0.75, reach * 0.55), head,
        rotation=turn(105, "y"), top=(0.08, 1.0),
    )


def bottle(s: Sculptor, main: Paint) -> None:
    r, h, neck, shoulder = s.u(0.3, 0.4), s.u(1.45, 1.8), s.u(0.1, 0.14), s.u(0.5, 0.62)
    round_ = s.u(0.06, 0.12)
    side = [(0.0, r * 0.9), (0.04, r), (0.04, r), (shoulder, r), (shoulder, r)]
    profile = [*side, (shoulder + round_ + 0.08, neck * 1.15), (0.8, neck), (1.0, neck)]
    s.lathe("body", (0, 0, 0), (0, 0, h), profile, main)
    s.tube("lip", (0, 0, h * 0.95), (0, 0, h * 0.98), (neck * 1.3, neck * 1.3), main)
    s.tube("cork", (0, 0, h), (0, 0, h + 0.14), (neck * 0.85, neck), apart(s, main, WOOD, DARK_METAL))
    label = apart(s, main, WHITE, CREAM, (0.8, 0.7, 0.45))
    s.tube("label", (0, 0, h * 0.16), (0, 0, h * (shoulder - 0.14)), (r * 1.02, r * 1.02), label, capped=False)


def vase(s: Sculptor, main: Paint) -> None:
    h, belly, neck, lip = s.u(1.2, 1.55), s.u(0.44, 0.58), s.u(0.15, 0.22), s.u(0.27, 0.4)
    at, foot = s.u(0.3, 0.5), s.u(0.2, 0.3)
    profile = [(0.0, foot), (0.03, foot), (at, belly), (0.82, neck), (1.0, lip)]
    s.lathe("body", (0, 0, 0), (0, 0, h), profile, main)
    s.ring("rim", (0, 0, h), (0, 0, 1), lip, 0.045, main)
    s.tube("mouth", (0, 0, h - 0.02), (0, 0, h + 0.01), (lip * 0.9, lip * 0.92), (0.12, 0.11, 0.12))
    if s.chance():
        for x in (-1, 1):
            ear = [(x * neck, 0, h * 0.86), (x * (neck + 0.3), 0, h * 0.88), (x * belly * 0.85, 0, h * (at + 0.13))]
            s.sweep("handle", ear, 0.055, marked(main, 0.8))


def bowl(s: Sculptor, main: Paint) -> None:
    r, depth, foot, low = s.u(0.8, 0.95), s.u(0.45, 0.68), s.u(0.3, 0.45), s.u(0.06, 0.16)
    s.ball("body", (0, 0, depth), (r, r, depth), main, clip=(-1.0, 0.0))
    s.ball("inside", (0, 0, depth), (r * 0.95, r * 0.95, depth * 0.94), marked(main, 0.8), clip=(-1.0, 0.0))
    s.ring("rim", (0, 0, depth), (0, 0, 1), r * 0.975, 0.04, main)
    s.tube("foot", (0, 0, -low), (0, 0, depth * 0.15), (r * foot * 1.2, r * foot), darker(main, 0.85))


def bucket(s: Sculptor, main: Paint) -> None:
    r, low, h, arc = s.u(0.5, 0.6), s.u(0.66, 0.8), s.u(0.85, 1.1), s.u(0.4, 0.65)
    wire = apart(s, main, METAL, DARK_METAL, BLACK)
    s.tube("body", (0, 0, 0), (0, 0, h), (r * low, r), main, capped=False)
    s.tube("bottom", (0, 0, 0), (0, 0, 0.03), (r * low, r * low), main)
    s.tube("inside", (0, 0, 0.03), (0, 0, h), (r * low * 0.95, r * 0.95), marked(main, 0.65), capped=False)
    for z, radius in ((h, r), (h * 0.35, r * (low + (1 - low) * 0.35))):
        s.ring("rim", (0, 0, z), (0, 0, 1), radius, 0.045, marked(main, 0.8))
    side, lean = r + 0.04, turn(s.u(-30, 30), "x")
    bail = np.array([(x * side, 0, arc * z) for x, z in ((-1, 0), (-0.8, 0.65), (0, 1), (0.8, 0.65), (1, 0))])
    s.sweep("handle", bail @ lean.T + (0, 0, h * 0.93), 0.035, wire)
    for x in (-1, 1):
        s.ball("hinge", (x * side, 0, h * 0.93), 0.07, wire)


def candle(s: Sculptor, main: Paint) -> None:
    r, h, dish, flame = s.u(0.27, 0.35), s.u(0.75, 1.05), s.u(0.44, 0.54), s.u(0.17, 0.24)
    brass = apart(s, main, (0.8, 0.62, 0.22), METAL, DARK_METAL)
    s.tube("dish", (0, 0, 0), (0, 0, 0.14), (dish * 0.75, dish), brass)
    s.ring("dish", (0, 0, 0.14), (0, 0, 1), dish, 0.035, brass)
    s.ring("handle", (dish + 0.17, 0, 0.14), (0, 1, 0), 0.16, 0.045, brass)
    s.tube("wax", (0, 0, 0.1), (0, 0, h), (r * 1.05, r), main)
    for i in range(int(s.rng.integers(2, 5))):
        edge = turn(s.u(0, 360), "z") @ np.array([r * 0.97, 0, 0])
        s.rod("drip", edge + (0, 0, h - s.u(0.2, 0.45)), edge + (0, 0, h - 0.04), 0.06, lighter(main, 0.15 + 0.02 * i))
    s.rod("wick", (0, 0, h), (0, 0, h + 0.1), 0.025, BLACK)
    drop = [(0.0, 0.0), (0.3, 0.4 * flame + 0.02), (0.6, 0.25 * flame), (1.0, 0.0)]
    s.lathe("flame", (0, 0, h + 0.06), (0, 0, h + 0.1 + 2 * flame), drop, (1.0, 0.72, 0.15))


def bell(s: Sculptor, main: Paint) -> None:
    r, h, waist, crown = s.u(0.55, 0.68), s.u(0.85, 1.1), s.u(0.5, 0.62), s.u(0.4, 0.52)
    profile = [(0.0, r), (0.12, r * 0.84), (0.45, r * waist), (0.85, r * crown), (1.0, 0.0)]
    s.lathe("body", (0, 0, 0), (0, 0, h), profile, main, capped=False)
    s.ring("rim", (0, 0, 0), (0, 0, 1), r, 0.06, marked(main, 0.8))
    s.tube("inside", (0, 0, 0.01), (0, 0, 0.03), (r * 0.96, r * 0.95), marked(main, 0.45))
    s.ball("clapper", (0, 0, -0.1), s.u(0.12, 0.17), DARK_METAL if not is_dark(main) else METAL)
    top = apart(s, main, WOOD, DARK_WOOD, BLACK)
    if s.chance():
        s.ring("handle", (0, 0, h + 0.14), (0, 1, 0), 0.17, 0.06, top)
    else:
        s.tube("handle", (0, 0, h - 0.05), (0, 0, h + 0.45), (0.07, 0.12), top)
        s.ball("handle", (0, 0, h + 0.47), 0.13, top)


def guitar(s: Sculptor, main: Paint) -> None:
    low, high, thick, neck = s.u(0.44, 0.52), s.u(0.31, 0.38), s.u(0.15, 0.2), s.u(0.55, 0.75)
    wood, gap = apart(s, main, DARK_WOOD, WOOD, CREAM), s.u(0.95, 1.1)
    middle = low + gap * (low + high) * 0.6
    s.tube("body", (0, -thick, low), (0, thick, low), (low, low), main)
    s.tube("body", (0, -thick, middle), (0, thick, middle), (high, high), main)
    s.box("body", (0, 0, (low + middle) / 2), (high * 0.75, thick, (middle - low) / 2), main)
    hole, front = (low + middle) / 2 + 0.06, -thick - 0.012
    s.tube("hole", (0, front, hole), (0, -thick, hole), (0.16, 0.16), (0.1, 0.08, 0.07))
    s.box("bridge", (0, front, low * 0.7), (0.2, 0.03, 0.045), DARK_WOOD if not is_dark(main) else CREAM)
    top = middle + high + neck
    s.box("neck", (0, -thick * 0.75, (hole + top) / 2), (0.075, 0.05, (top - hole) / 2), wood)
    s.box("head", (0, -thick * 0.75, top + 0.12), (0.11, 0.05, 0.15), wood, top=(1.25, 1))
    for x in (-1, 1):
        for z in (0.03, 0.13, 0.23):
            s.ball("peg", (x * 0.16, -thick * 0.75, top + z), 0.045, METAL)


def hat(s: Sculptor, main: Paint) -> None:
    brim, r, h, taper = s.u(0.8, 1.0), s.u(0.42, 0.52), s.u(0.4, 0.75), s.u(0.78, 1.0)
    band, curl = apart(s, main, BLACK, WHITE, (0.75, 0.16, 0.13)), s.u(0.0, 0.12)
    s.lathe("brim", (0, 0, 0), (0, 0, 0.2), [(0.1, r * 0.5), (0.1, r), (0.1 + curl, brim * 0.75), (0.3 + curl * 5, brim)], main, capped=False)
    s.ring("brim", (0, 0, 0.06 + curl), (0, 0, 1), brim, 0.035, main)
    edge = r * taper
    crown = [(0.0, r), (0.75, r + (edge - r) * 0.75), (0.95, edge * 0.9), (1.0, edge * 0.6), (0.97, 0.0)]
    s.lathe("crown", (0, 0, 0.02), (0, 0, h + 0.1), crown, main, capped=False)
    s.tube("band", (0, 0, 0.03), (0, 0, 0.16), (r * 1.03, r * 1.02), band, capped=False)


def clock(s: Sculptor, main: Paint) -> None:
    r, deep, foot, ear = s.u(0.58, 0.68), s.u(0.2, 0.3), s.u(0.1, 0.16), s.u(0.2, 0.27)
    metal, dark = apart(s, main, METAL, (0.85, 0.68, 0.25), DARK_METAL), (0.1, 0.1, 0.12)
    s.tube("case", (0, -deep, 0), (0, deep, 0), (r, r), main)
    s.ring("case", (0, -deep, 0), (0, 1, 0), r * 0.96, 0.07, main)
    front = -deep - 0.02
    s.tube("face", (0, front, 0), (0, -deep, 0), (r * 0.82, r * 0.82), (0.97, 0.97, 0.95))
    for i in range(12):
        spin, long_ = turn(30 * i, "y"), 0.1 if i % 3 == 0 else 0.05
        tick = spin @ np.array([0, 0, r * 0.72]) + (0, front, 0)
        s.box("tick", tick, (0.028, 0.015, long_), dark, rotation=spin)
    for name, reach, wide, angle in (("hour hand", 0.34, 0.045, s.u(0, 360)), ("minute hand", 0.56, 0.032, s.u(0, 360))):
        spin = turn(angle, "y")
        s.box(name, spin @ np.array([0, 0, r * reach / 2]) + (0, front - 0.03, 0), (wide, 0.015, r * reach / 2), dark, rotation=spin)
        s.joint("spin", name, (0, front, 0), (0, 1, 0), (0, 360))
    for x in (-1, 1):
        up = np.array([x * 0.62, 0, 0.78])
        s.ball("bell", up * (r + 0.06), (ear, ear, ear * 0.9), metal, rotation=aligned(up), clip=(0.0, 1.0))
        s.tube("foot", (x * r * 0.6, 0, -r * 0.7), (x * r * 0.85, 0, -r - foot), (0.1, 0.07), metal)
    s.rod("handle", (-0.13, 0, r + 0.3), (0.13, 0, r + 0.3), 0.05, metal)
    s.rod("handle", (0, 0, r), (0, 0, r + 0.3), 0.045, metal)


def book(s: Sculptor, main: Paint) -> None:
    w, d, thick, cover = s.u(0.55, 0.7), s.u(0.75, 0.92), s.u(0.13, 0.24), s.u(0.035, 0.06)
    gold = apart(s, main, (0.9, 0.75, 0.3), WHITE, DARK_METAL)
    s.box("page", (0.02, 0, thick), (w - 0.06, d - 0.06, thick), CREAM)
    s.box("back cover", (0, 0, -cover), (w, d, cover), main)
    s.tube("spine", (-w + 0.02, -d, thick), (-w + 0.02, d, thick), (thick + 2 * cover,) * 2, main)
    top = 2 * thick + cover
    s.box("cover", (0, 0, top), (w, d, cover), main)
    s.box("title", (0.03, d * 0.4, top + cover), (w * 0.6, d * 0.13, 0.01), gold)
    s.ball("emblem", (0.03, -d * 0.25, top + cover), (w * 0.34, w * 0.34, 0.015), gold)
    s.joint("open", ("cover", "title", "emblem"), (-w, 0, top), (0, 1, 0), (0, -120))


HOUSEHOLD = family(
    "household",
    with_front=(guitar, clock),
    without_front=(
        mug, teapot, umbrella, hammer, bottle, vase, bowl, bucket, candle, bell, hat, book,
    ),
)  # fmt: skip
