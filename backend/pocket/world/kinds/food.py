"""Food."""

import numpy as np

from backend.pocket.world.kinds.base import (
    CREAM,
    DARK_WOOD,
    LEAF,
    LIGHT,
    METAL,
    WHITE,
    Paint,
    apart,
    base_color,
    darker,
    family,
    lighter,
    marked,
)
from backend.pocket.world.shapes import Sculptor, turn

_CANDY = ((0.95, 0.25, 0.35), (0.2, 0.55, 0.95), (0.98, 0.85, 0.2), WHITE)
_GREEN = (0.25, 0.65, 0.2)
_WAFFLE = (0.85, 0.62, 0.32)
_CHERRY = (0.82, 0.08, 0.15)


def apple(s: Sculptor, main: Paint) -> None:
    fat, tall, stem = s.u(0.42, 0.5), s.u(0.95, 1.15), s.u(0.25, 0.38)
    s.ring("body", (0, 0, 0), (0, 0, 1), 0.3, fat, main, squash=tall)
    s.ball("body", (0, 0, -0.12), (0.6, 0.6, fat * tall), main)
    lean = s.u(-0.12, 0.12)
    s.tube("stem", (0, 0, 0.2), (lean, 0, fat * tall + stem), (0.055, 0.045), DARK_WOOD)
    tilt = turn(s.u(-45, -20), "y") @ turn(s.u(-15, 15), "x")
    leaf = (lean + 0.26, 0, fat * tall + stem * 0.75)
    s.ball("leaf", leaf, (s.u(0.24, 0.32), 0.14, 0.04), apart(s, main, LEAF, DARK_WOOD), rotation=tilt)


def pumpkin(s: Sculptor, main: Paint) -> None:
    r, h, ribs = s.u(0.36, 0.46), s.u(0.5, 0.72), int(s.rng.integers(7, 10))
    for i in range(ribs):
        a = 2 * np.pi * i / ribs
        shade = 1.0 if i % 2 else 0.86
        s.ball("rib", (r * np.cos(a), r * np.sin(a), 0), (0.42, 0.42, h), darker(main, shade))
    stem = apart(s, main, (0.35, 0.45, 0.15), DARK_WOOD)
    s.tube("stem", (0, 0, h * 0.7), (s.u(-0.1, 0.1), 0, h + s.u(0.18, 0.32)), (0.12, 0.08), stem)


def cake(s: Sculptor, main: Paint) -> None:
    r, h, tiers = s.u(0.68, 0.8), s.u(0.34, 0.44), 2 + int(s.chance(0.4))
    icing = apart(s, main, WHITE, (0.98, 0.75, 0.82), CREAM)
    plate = METAL if base_color(main).sum() > 2.4 else WHITE
    s.tube("plate", (0, 0, -0.07), (0, 0, 0), (r + 0.1, r + s.u(0.14, 0.24)), plate)
    z = 0.0
    for _ in range(tiers):
        s.tube("tier", (0, 0, z), (0, 0, z + h), (r, r), main)
        s.ring("icing", (0, 0, z + h), (0, 0, 1), r - 0.02, 0.07, icing)
        z, r = z + h, r * 0.66
    top = r / 0.66 * 0.5
    candle, wax = apart(s, main, (0.2, 0.55, 0.95), _CHERRY, WHITE), s.u(0.24, 0.36)
    count = int(s.rng.integers(3, 6))
    for i in range(count):
        a = 2 * np.pi * i / count
        c = (top * np.cos(a), top * np.sin(a))
        s.tube("candle", (*c, z), (*c, z + wax), (0.06, 0.06), candle)
        s.ball("flame", (*c, z + wax + 0.08), (0.06, 0.06, 0.11), LIGHT)


def banana(s: Sculptor, main: Paint) -> None:
    bend, fat, long, lean = s.u(0.38, 0.55), s.u(0.2, 0.26), s.u(0.75, 0.9), s.u(-0.1, 0.1)
    x = np.linspace(-1, 1, 7)
    middle = np.stack([long * x, lean * x, bend * (x**2 - 0.5)], 1)
    s.sweep("peel", middle, list(fat * np.array([0.45, 0.8, 0.97, 1, 0.97, 0.8, 0.4])), main)
    end, before = middle[-1], middle[-2]
    along = (end - before) / np.linalg.norm(end - before)
    s.tube("stem", end, end + 0.34 * along, (0.1, 0.085), marked(main, 0.5))
    along = (middle[0] - middle[1]) / np.linalg.norm(middle[0] - middle[1])
    s.ball("tip", middle[0] + 0.09 * along, 0.075, marked(main, 0.35))


def pear(s: Sculptor, main: Paint) -> None:
    fat, neck, tall, lean = s.u(0.52, 0.62), s.u(0.2, 0.28), s.u(1.35, 1.6), s.u(-0.15, 0.15)
    profile = [(0.0, 0.0), (0.08, fat * 0.65), (0.3, fat), (0.55, fat * 0.72), (0.78, neck * 1.05), (0.93, neck * 0.75), (1.0, 0.0)]
    top = np.array([lean, 0, tall])
    s.lathe("body", (0, 0, 0), top, profile, main)
    s.tube("stem", top - (0, 0, 0.08), top + (lean + 0.06, 0, 0.28), (0.055, 0.045), DARK_WOOD)
    leaf = top + (0.26, 0, 0.16)
    s.ball("leaf", leaf, (0.26, 0.13, 0.04), apart(s, main, LEAF, DARK_WOOD), rotation=turn(-30, "y"))


def carrot(s: Sculptor, main: Paint) -> None:
    fat, long, leaf, blunt = s.u(0.3, 0.38), s.u(1.25, 1.5), s.u(0.38, 0.5), s.u(0.02, 0.06)
    profile = [(0.0, 0.0), (0.03, blunt), (0.5, fat * 0.62), (0.88, fat), (0.97, fat * 0.8), (1.0, 0.0)]
    s.lathe("root", (0, 0, 0), (0, 0, long), profile, main)
    for z in (0.35, 0.6, 0.82):
        r = fat * (0.1 + 0.98 * z)
        s.ring("crease", (0, 0, long * z), (0, 0, 1), r * 0.97, 0.03, marked(main, 0.7))
    green = apart(s, main, _GREEN, (0.1, 0.4, 0.15))
    for i in range(6):
        a, out = 2 * np.pi * i / 6, 0.28 if i else 0.0
        tip = (out * np.cos(a) * 1.2, out * np.sin(a) * 1.2, long + leaf * (1.0 if i % 2 else 1.15))
        s.tube("leaf", (0, 0, long - 0.05), tip, (0.05, 0.13), green)
        s.ball("leaf", tip, 0.14, green)


def donut(s: Sculptor, main: Paint) -> None:
    hole, fat, flat, tilt = s.u(0.48, 0.56), s.u(0.3, 0.38), s.u(0.85, 1.0), s.u(22, 42)
    stand = turn(tilt, "x")
    dough = apart(s, main, (0.82, 0.58, 0.3), (0.95, 0.8, 0.55))
    s.ring("dough", stand @ (0, 0, -0.13), stand @ (0, 0, 1), hole, fat * 0.85, dough, squash=flat)
    s.ring("icing", stand @ (0, 0, 0.03), stand @ (0, 0, 1), hole, fat, main, squash=flat)
    count = int(s.rng.integers(12, 18))
    for i in range(count):
        a, r = 2 * np.pi * i / count, hole + fat * s.u(-0.5, 0.5)
        up = 0.03 + flat * np.sqrt(fat**2 - (r - hole) ** 2)
        c, way = np.array([r * np.cos(a), r * np.sin(a), up]), s.u(0, np.pi)
        half = 0.07 * np.array([np.cos(way), np.sin(way), 0])
        s.rod("sprinkle", stand @ (c - half), stand @ (c + half), 0.035, apart(s, main, *_CANDY))


def ice_cream(s: Sculptor, main: Paint) -> None:
    r, cone, scoops, slim = s.u(0.46, 0.56), s.u(0.75, 1.0), int(s.rng.integers(1, 3)), s.u(0.8, 0.92)
    s.tube("cone", (0, 0, 0), (0, 0, cone), (0.04, r * 0.82), _WAFFLE)
    s.tube("rim", (0, 0, cone - 0.06), (0, 0, cone + 0.08), (r * 0.9, r * 0.95), darker(_WAFFLE, 0.85))
    z = cone + r * 0.4
    for i in range(scoops):
        s.ball("scoop", (0, 0, z), r, main if i % 2 == 0 else lighter(main, 0.25))
        z, r = z + r * 1.15, r * slim
    top = z - r / slim * 1.15 + r / slim
    s.ball("cherry", (0, 0, top + 0.08), s.u(0.12, 0.17), apart(s, main, _CHERRY, WHITE))


def burger(s: Sculptor, main: Paint) -> None:
    r, top, patty, cheese = s.u(0.68, 0.78), s.u(0.48, 0.62), s.u(0.16, 0.22), s.u(0.68, 0.8)
    s.pebble("bun", (0, 0, 0.16), (r, r, 0.2), (2, 4), main)
    z = 0.34
    s.tube("lettuce", (0, 0, z), (0, 0, z + 0.08), (r + 0.1, r + 0.06), apart(s, main, _GREEN, (0.7, 0.85, 0.3)))
    s.pebble("patty", (0, 0, z + 0.08 + patty / 2), (r + 0.03, r + 0.03, patty * 0.62), (2, 4), apart(s, main, (0.32, 0.16, 0.08), (0.6, 0.3, 0.2)))
    z += 0.08 + patty
    s.box("cheese", (0, 0, z), (cheese, cheese, 0.035), apart(s, main, (1.0, 0.78, 0.15), CREAM), rotation=turn(45, "z"))
    s.ball("bun", (0, 0, z + 0.03), (r, r, top), main, clip=(0.0, 1.0))
    for i in range(9):
        a, tilt = 2.4 * i, 0.15 + 0.11 * i
        n = np.array([np.sin(tilt) * np.cos(a), np.sin(tilt) * np.sin(a), np.cos(tilt)])
        s.ball("seed", n * (r, r, top) + (0, 0, z + 0.03), 0.05, apart(s, main, CREAM, (0.4, 0.28, 0.15)))


def pineapple(s: Sculptor, main: Paint) -> None:
    r, h, leaf, fan = s.u(0.4, 0.48), s.u(0.6, 0.75), s.u(0.5, 0.7), s.u(0.35, 0.5)
    s.ball("body", (0, 0, h), (r, r, h), main)
    for row in range(5):
        up = np.radians(-56 + 28 * row)
        for i in range(8):
            a = 2 * np.pi * (i + 0.5 * (row % 2)) / 8
            n = np.array([np.cos(up) * np.cos(a), np.cos(up) * np.sin(a), np.sin(up)])
            s.ball("eye", n * (r, r, h) + (0, 0, h), 0.075, marked(main, 0.62))
    green = apart(s, main, (0.16, 0.5, 0.18), (0.45, 0.6, 0.2))
    for i in range(9):
        out = 0.0 if i == 8 else fan if i % 2 else fan * 0.55
        way = np.array([np.cos(2 * np.pi * i / 8), np.sin(2 * np.pi * i / 8), 0])
        tip = way * out + (0, 0, 2 * h + leaf * (1.1 - 0.6 * out))
        s.tube("leaf", way * 0.08 + (0, 0, 2 * h - 0.12), tip, (0.13, 0.01), green)


def cupcake(s: Sculptor, main: Paint) -> None:
    low, high, h, layers = s.u(0.42, 0.5), s.u(0.62, 0.7), s.u(0.5, 0.62), int(s.rng.integers(3, 5))
    paper = apart(s, main, (0.55, 0.35, 0.2), (0.95, 0.75, 0.45))
    s.tube("wrapper", (0, 0, 0), (0, 0, h), (low, high), paper)
    for i in range(14):
        a = 2 * np.pi * i / 14
        way = np.array([np.cos(a), np.sin(a), 0])
        s.rod("wrapper", way * low, way * high + (0, 0, h), 0.035, darker(paper, 0.75))
    z, r = h + 0.1, high * 0.98
    for _ in range(layers):
        s.ball("frosting", (0, 0, z), (r, r, 0.26), main)
        z, r = z + 0.25, r * 0.74
    s.ball("cherry", (0, 0, z + 0.02), s.u(0.13, 0.18), apart(s, main, _CHERRY, (0.95, 0.85, 0.2)))


def cheese(s: Sculptor, main: Paint) -> None:
    long, wide, h = s.u(0.72, 0.85), s.u(0.48, 0.62), s.u(0.3, 0.4)
    s.box("wedge", (0, 0, 0), (wide, h, long), main, rotation=turn(90, "x"), top=(0.0, 1.0))
    hole, slope = marked(main, 0.6), np.degrees(np.arctan2(wide, 2 * long))
    for side in (-1, 1):
        for f, up, size in ((0.35, 0.3, 0.12), (0.55, -0.35, 0.15), (0.8, 0.25, 0.13)):
            at = (side * wide * f, long * (2 * f - 1), up * h)
            s.ball("hole", at, (0.04, size, size * s.u(0.7, 1)), hole, rotation=turn(-side * slope, "z"))
    for x, y, size in ((-0.4, 0.55, 0.15), (0.4, 0.65, 0.12), (0.02, 0.05, 0.13)):
        s.ball("hole", (x * wide, y * long, h), (size, size, 0.04), hole)
        s.ball("hole", (1.3 * x * wide, long, -x * h), (size, 0.04, size), hole)


def lollipop(s: Sculptor, main: Paint) -> None:
    r, stick, thick, turns = s.u(0.5, 0.62), s.u(0.95, 1.25), s.u(0.12, 0.17), s.u(2.0, 2.8)
    s.tube("stick", (0, 0, 0), (0, 0, stick + 0.1), (0.06, 0.06), apart(s, main, WHITE, (0.6, 0.5, 0.4)))
    z = stick + r
    s.tube("candy", (0, -thick, z), (0, thick, z), (r, r), main)
    s.ring("candy", (0, 0, z), (0, 1, 0), r, thick, main)
    angle = np.linspace(0, 2 * np.pi * turns, 24)
    out = r * np.linspace(0.08, 0.95, 24)
    for side in (-1, 1):
        path = np.stack([out * np.cos(angle), np.full(24, side * thick), z + out * np.sin(angle)], 1)
        s.sweep("swirl", path, 0.05, lighter(main, 0.75) if base_color(main).sum() < 2.4 else (0.95, 0.4, 0.5))


FOOD = family(
    "food",
    with_front=(donut,),
    without_front=(
        apple, pumpkin, cake, banana, pear, carrot, ice_cream, burger, pineapple, cupcake,
        cheese, lollipop,
    ),
)  # fmt: skip
