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
    is_dark,
    lighter,
    marked,
)
from backend.pocket.world.shapes import Paint, Sculptor, turn


def _wheels(s: Sculptor, x: float, rows: tuple[float, ...], radius: float, wide: float) -> None:
    """A pair of black wheels with light hubs at each y of `rows`, standing on z = 0."""
    for side in (-1, 1):
        for y in rows:
            c, out = np.array([side * x, y, radius]), np.array([wide, 0, 0])
            s.tube("wheel", c - out, c + out, (radius, radius), BLACK)
            hub = out * 1.1
            s.tube("hub", c - hub, c + hub, (radius * 0.5, radius * 0.5), METAL)


def _glass(main: Paint) -> tuple[float, float, float]:
    """Dark windows, or light ones in a dark vehicle."""
    return GLASS if is_dark(main) else (0.2, 0.28, 0.36)


def car(s: Sculptor, main: Paint) -> None:
    w, length, h, cabin = s.u(0.42, 0.5), s.u(0.82, 1.0), s.u(0.19, 0.25), s.u(0.22, 0.3)
    wheel, back = s.u(0.22, 0.28), s.u(0.02, 0.2)
    z = wheel + h * 0.7
    s.soft_box("body", (0, 0, z), (w, length, h), 0.1, main)
    span = (w * 0.92, length * s.u(0.48, 0.6), cabin)
    s.box("cabin", (0, back, z + h + cabin * 0.9), span, main, top=(0.82, 0.66))
    middle, glass = z + h + cabin * 0.85, _glass(main)
    side = (span[0] * 1.03, span[1] * 0.82, cabin * 0.66)
    s.box("window", (0, back, middle), side, glass, top=(0.85, 0.73))
    s.box("windshield", (0, back, middle), (span[0] * 0.82, span[1] * 1.03, cabin * 0.66), glass, top=(0.93, 0.73))
    _wheels(s, w, (-0.6 * length, 0.6 * length), wheel, 0.12)
    for x in (-1, 1):
        s.ball("headlight", (x * w * 0.65, -length, z + 0.03), (0.11, 0.05, 0.1), LIGHT)
        s.ball("taillight", (x * w * 0.65, length, z + 0.03), (0.11, 0.04, 0.07), (0.7, 0.08, 0.08))


def airplane(s: Sculptor, main: Paint) -> None:
    length, r, span, chord = s.u(0.8, 0.95), s.u(0.19, 0.25), s.u(0.85, 1.05), s.u(0.2, 0.28)
    lift, sweep = s.u(0.42, 0.56), s.u(8, 22)
    s.ball("body", (0, 0, 0), (r, length, r), main)
    s.tube("body", (0, -length * 0.55, 0), (0, length * 0.4, 0), (r * 0.92, r * 0.9), main)
    for x in (-1, 1):
        back = turn(-x * sweep, "z")
        half = (span / 2, chord, 0.045)
        s.box("wing", (x * span / 2, 0.03 + 0.3 * np.sin(np.radians(sweep)), -0.04), half, darker(main, 0.85), rotation=back)
        s.box("tail", (x * 0.24, length * 0.87, 0.05), (0.24, 0.13, 0.035), darker(main, 0.85), rotation=back)
    s.box("fin", (0, length * 0.84, lift * 0.55), (0.04, 0.19, lift * 0.55), main, top=(1, 0.55))
    s.ball("windshield", (0, -length * 0.7, r * 0.5), (r * 0.7, 0.2, r * 0.5), _glass(main))
    if s.chance():
        trim = apart(s, main, WHITE, METAL, DARK_METAL)
        for x in (-0.45, 0.45):
            s.rod("engine", (x * span, -chord * 0.9, -0.14), (x * span, 0.1, -0.14), 0.1, trim)


def boat(s: Sculptor, main: Paint) -> None:
    length, w, depth, mast = s.u(0.75, 0.9), s.u(0.4, 0.5), s.u(0.44, 0.56), s.u(0.8, 1.0)
    s.ball("hull", (0, 0, depth), (w, length, depth), main, clip=(-1.0, 0.0))
    s.ball("deck", (0, 0, depth - 0.05), (w * 0.95, length * 0.95, 0.02), marked(main, 0.7))
    bow, stern = (0, -length * 0.9, depth - 0.03), (0, length * 0.97, depth * 0.72)
    s.rod("bowsprit", bow, (0, -length * 1.22, depth + 0.12), 0.035, DARK_WOOD)
    s.box("rudder", stern, (0.03, 0.12, depth * 0.5), marked(main, 0.6))
    s.tube("mast", (0, 0, depth - 0.1), (0, 0, depth + mast), (0.05, 0.035), DARK_WOOD)
    sail = apart(s, main, WHITE, CREAM, (0.75, 0.85, 0.95))
    rise = mast * s.u(0.4, 0.45)
    z = depth + mast - rise - 0.04
    s.box("sail", (0, length * 0.4, z), (0.025, length * 0.38, rise), sail, top=(1, 0.03))
    s.box("jib", (0, -length * 0.36, z - 0.08), (0.025, length * 0.3, rise * 0.8), main, top=(1, 0.03))


def rocket(s: Sculptor, main: Paint) -> None:
    h, r, nose = s.u(0.95, 1.3), s.u(0.28, 0.37), s.u(0.4, 0.6)
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


def truck(s: Sculptor, main: Paint) -> None:
    w, length, bed, wheel = s.u(0.36, 0.44), s.u(0.85, 1.0), s.u(0.19, 0.27), s.u(0.18, 0.23)
    cab, floor = s.u(0.3, 0.38), 1.6 * wheel
    s.box("chassis", (0, 0, floor), (w * 0.75, length, 0.07), DARK_METAL)
    front = -length + 0.24
    s.soft_box("cab", (0, front, floor + cab), (w * 0.95, 0.26, cab), 0.06, main)
    glass = _glass(main)
    s.box("windshield", (0, front - 0.25, floor + cab * 1.4), (w * 0.75, 0.03, cab * 0.3), glass)
    s.box("window", (0, front, floor + cab * 1.4), (w * 0.97, 0.14, cab * 0.28), glass)
    half = (length - 0.34) * 0.97
    s.box("bed", (0, length - half, floor + bed + 0.08), (w * 0.9, half * 0.9, bed), darker(main, 0.9), top=(1.22, 1.12))
    s.ball("load", (0, length - half, floor + 2 * bed), (w * 0.92, half * 0.9, s.u(0.12, 0.26)), (0.5, 0.4, 0.3))
    _wheels(s, w * 0.88, (front, length * 0.25, length * 0.72), wheel, 0.1)
    for x in (-0.6, 0.6):
        s.ball("headlight", (x * w, front - 0.26, floor + cab * 0.5), (0.08, 0.04, 0.08), LIGHT)
    s.box("bumper", (0, front - 0.26, floor + 0.02), (w * 0.95, 0.06, 0.07), METAL)


def bus(s: Sculptor, main: Paint) -> None:
    w, length, h, wheel = s.u(0.29, 0.36), s.u(0.9, 1.05), s.u(0.32, 0.42), s.u(0.15, 0.19)
    z, count, glass = wheel + h * 0.95, int(s.rng.integers(4, 6)), _glass(main)
    s.soft_box("body", (0, 0, z), (w, length, h), 0.08, main)
    s.soft_box("roof", (0, 0, z + h), (w * 0.9, length * 0.95, 0.06), 0.05, lighter(main, 0.5))
    for i in range(count):
        y = length * (1.6 * (i + 0.5) / count - 0.72)
        s.box("window", (0, y, z + h * 0.38), (w * 1.03, length * 0.62 / count, h * 0.3), glass)
    s.box("windshield", (0, -length, z + h * 0.3), (w * 0.82, 0.03, h * 0.42), glass)
    s.box("window", (0, length, z + h * 0.42), (w * 0.7, 0.03, h * 0.28), glass)
    s.box("door", (w, -length * 0.84, z - h * 0.12), (0.025, length * 0.11, h * 0.75), glass)
    _wheels(s, w * 0.93, (-0.55 * length, 0.6 * length), wheel, 0.08)
    for x in (-0.65, 0.65):
        s.ball("headlight", (x * w, -length, z - h * 0.6), (0.075, 0.04, 0.075), LIGHT)


def train(s: Sculptor, main: Paint) -> None:
    length, r, wheel, cab = s.u(0.75, 0.9), s.u(0.22, 0.28), s.u(0.19, 0.24), s.u(0.36, 0.46)
    trim, count = apart(s, main, DARK_METAL, BLACK, METAL), int(s.rng.integers(3, 5))
    floor = 1.5 * wheel
    s.box("chassis", (0, 0, floor), (r * 0.95, length, 0.07), trim)
    s.tube("boiler", (0, -length * 0.92, floor + r), (0, length * 0.4, floor + r), (r, r), main)
    s.tube("front", (0, -length * 0.96, floor + r), (0, -length * 0.9, floor + r), (r * 0.8, r), marked(main, 0.7))
    s.ball("headlight", (0, -length * 0.97, floor + r), (0.09, 0.06, 0.09), LIGHT)
    s.box("cab", (0, length * 0.68, floor + cab), (r * 1.2, length * 0.32, cab), main)
    s.box("window", (0, length * 0.68, floor + cab * 1.45), (r * 1.23, length * 0.18, cab * 0.26), LIGHT)
    s.box("roof", (0, length * 0.68, floor + 2 * cab), (r * 1.4, length * 0.4, 0.06), marked(main, 0.75), top=(0.8, 1))
    top = floor + 2 * r
    s.tube("chimney", (0, -length * 0.68, top - 0.1), (0, -length * 0.68, top + s.u(0.28, 0.42)), (0.08, 0.15), trim)
    s.ball("dome", (0, -length * 0.15, top - 0.02), 0.13, trim)
    s.box("cowcatcher", (0, -length - 0.05, floor - 0.1), (r * 0.95, 0.14, 0.15), trim, top=(0.7, 0.2))
    rows = tuple(np.linspace(-0.75, 0.75, count) * length)
    _wheels(s, r * 0.95, rows, min(wheel, length * 0.72 / count), 0.05)


def tractor(s: Sculptor, main: Paint) -> None:
    big, small, w, hood = s.u(0.42, 0.52), s.u(0.2, 0.27), s.u(0.2, 0.26), s.u(0.55, 0.7)
    tall, grip = s.u(0.42, 0.55), s.u(0.12, 0.17)
    z = big + 0.12
    s.soft_box("hood", (0, -hood, z), (w * 0.95, hood * 0.75, 0.22), 0.06, main)
    s.box("grille", (0, -hood * 1.76, z), (w * 0.7, 0.02, 0.15), DARK_METAL)
    s.soft_box("body", (0, 0.1, z - 0.02), (w * 1.3, 0.36, 0.22), 0.05, main)
    s.box("window", (0, 0.1, z + tall * 0.6), (w * 1.15, 0.3, tall * 0.5), _glass(main), top=(0.95, 0.9))
    s.box("roof", (0, 0.1, z + tall * 1.15), (w * 1.4, 0.4, 0.06), main)
    s.rod("exhaust", (0, -hood, z), (0, -hood, z + tall), 0.05, DARK_METAL)
    for x in (-1, 1):
        for y, r, wide in ((0.2, big, grip), (-hood * 1.3, small, grip * 0.75)):
            c, out = np.array([x * (w * 1.3 + grip), y, r]), np.array([wide, 0, 0])
            s.tube("wheel", c - out, c + out, (r, r), BLACK)
            s.tube("hub", c - out * 1.1, c + out * 1.1, (r * 0.55, r * 0.55), main)
        s.box("fender", (x * (w * 1.3 + grip), 0.2, 2 * big + 0.02), (grip, big * 0.8, 0.05), main, top=(1, 0.6))


def helicopter(s: Sculptor, main: Paint) -> None:
    w, length, h, boom = s.u(0.31, 0.39), s.u(0.44, 0.54), s.u(0.32, 0.4), s.u(0.5, 0.7)
    blades, reach = int(s.rng.integers(2, 5)), s.u(0.65, 0.85)
    dark = DARK_METAL if not is_dark(main) else METAL
    s.ball("body", (0, 0, 0), (w, length, h), main)
    s.ball("windshield", (0, -length * 0.38, h * 0.12), (w * 0.8, length * 0.66, h * 0.66), _glass(main))
    end = np.array([0, length * 0.6 + boom, h * 0.5])
    s.tube("boom", (0, length * 0.3, h * 0.25), end, (h * 0.55, 0.09), main)
    s.box("fin", end + (0, 0, 0.1), (0.035, 0.12, 0.24), main, top=(1, 0.6))
    s.tube("mast", (0, 0, h * 0.8), (0, 0, h + 0.18), (0.08, 0.06), dark)
    start = s.u(0, 90)
    for i in range(blades):
        spin = turn(start + 360 / blades * i, "z")
        s.box("blade", spin @ np.array([reach / 2, 0, h + 0.18]), (reach / 2, 0.085, 0.035), dark, rotation=spin)
    s.joint("spin", "blade", (0, 0, h), (0, 0, 1), (0, 360))
    s.tube("tail rotor", end + (0.06, 0, 0.1), end + (0.1, 0, 0.1), (0.2, 0.2), dark)
    for x in (-1, 1):
        s.rod("skid", (x * w, -length * 0.8, -h - 0.14), (x * w, length * 0.7, -h - 0.14), 0.04, dark)
        for y in (-0.4, 0.4):
            s.rod("strut", (x * w * 0.6, y * length, -h * 0.7), (x * w, y * length, -h - 0.14), 0.03, dark)


def submarine(s: Sculptor, main: Paint) -> None:
    length, r, tower, lean = s.u(0.65, 0.8), s.u(0.25, 0.34), s.u(0.18, 0.28), s.u(-0.2, 0.1)
    trim = apart(s, main, METAL, (0.85, 0.68, 0.25), DARK_METAL)
    s.rod("hull", (0, -length + 0.2, 0), (0, length - 0.3, 0), r, main)
    s.tube("hull", (0, length - 0.35, 0), (0, length + 0.2, 0), (r * 0.93, 0.1), main)
    s.soft_box("tower", (0, lean, r + tower * 0.6), (r * 0.45, 0.24, tower), 0.08, main)
    top = r + tower * 1.5
    s.rod("periscope", (0, lean, top), (0, lean, top + 0.3), 0.035, trim)
    s.rod("periscope", (0, lean, top + 0.3), (0, lean - 0.14, top + 0.3), 0.045, trim)
    s.box("fin", (0, length + 0.05, 0), (0.03, 0.12, r * 1.1), marked(main, 0.75))
    s.box("fin", (0, length + 0.05, 0), (r * 1.1, 0.12, 0.03), marked(main, 0.75))
    for angle in (45, 135):
        s.box("propeller", (0, length + 0.24, 0), (0.26, 0.03, 0.06), trim, rotation=turn(angle, "y"))
    s.joint("spin", "propeller", (0, length + 0.24, 0), (0, 1, 0), (0, 360))
    for y in np.linspace(-0.65, 0.35, int(s.rng.integers(3, 5))):
        s.ball("porthole", (0, y * length, 0.05), (r * 1.03, 0.085, 0.085), GLASS)
        for x in (-1, 1):
            s.ring("porthole", (x * r, y * length, 0.05), (1, 0, 0), 0.09, 0.028, trim)


def balloon(s: Sculptor, main: Paint) -> None:
    r, tall, gap, size = s.u(0.62, 0.75), s.u(0.95, 1.15), s.u(0.2, 0.32), s.u(0.16, 0.21)
    stripes, trim = int(s.rng.integers(4, 7)), apart(s, main, WHITE, (0.98, 0.85, 0.3), CREAM)
    neck = -tall * 0.94 * r
    s.ball("envelope", (0, 0, 0), (r, r, r * tall), main)
    s.tube("envelope", (0, 0, -r * tall * 0.62), (0, 0, neck - 0.12), (r * 0.77, size * 1.1), main)
    for i in range(stripes):
        c = turn(360 / stripes * i, "z") @ np.array([r * 0.1, 0, 0])
        half = (r * 0.93, r * 0.26, r * tall * 0.97)
        s.ball("stripe", c, half, trim, rotation=turn(360 / stripes * i, "z"))
    low = neck - 0.12 - gap
    for x in (-1, 1):
        for y in (-1, 1):
            corner = np.array([x * size * 0.9, y * size * 0.9, 0])
            s.rod("rope", corner + (0, 0, neck - 0.1), corner + (0, 0, low), 0.018, DARK_WOOD)
    s.box("basket", (0, 0, low - 0.13), (size * 0.85, size * 0.85, 0.16), WOOD, top=(1.2, 1.2))


def tank(s: Sculptor, main: Paint) -> None:
    w, length, h, turret = s.u(0.42, 0.52), s.u(0.62, 0.76), s.u(0.15, 0.21), s.u(0.29, 0.37)
    barrel, lift, tread = s.u(0.35, 0.55), s.u(0.0, 0.14), s.u(0.16, 0.21)
    s.box("hull", (0, 0, tread + h), (w, length, h), main, top=(0.9, 0.82))
    for x in (-1, 1):
        side = (x * (w + 0.06), 0, tread * 1.1)
        s.soft_box("tread", side, (0.14, length * 1.08, tread * 1.1), tread, (0.16, 0.16, 0.17))
        for y in np.linspace(-0.75, 0.75, 4):
            c = np.array([x * (w + 0.06), y * length, tread * 1.05])
            s.tube("wheel", c - (0.16, 0, 0), c + (0.16, 0, 0), (tread * 0.6, tread * 0.6), METAL)
    z = tread + 2 * h + 0.13
    s.tube("turret", (0, 0.08, z - 0.16), (0, 0.08, z + 0.14), (turret * 1.15, turret * 0.85), main)
    s.tube("hatch", (0.05, 0.12, z + 0.14), (0.05, 0.12, z + 0.2), (0.12, 0.11), darker(main, 0.7))
    muzzle = (0, -turret - barrel, z + lift)
    s.tube("barrel", (0, 0, z), muzzle, (0.075, 0.06), darker(main, 0.8))
    s.tube("muzzle", (0, -turret - barrel + 0.12, z + lift * 0.85), muzzle, (0.09, 0.09), DARK_METAL)


VEHICLES = family(
    "vehicles",
    with_front=(car, airplane, boat, truck, bus, train, tractor, helicopter, submarine, tank),
    without_front=(rocket, balloon),
)
