"""Animals."""

import numpy as np

from backend.pocket.world.kinds.base import (
    BLACK,
    CREAM,
    GLASS,
    ORANGE,
    SIDES,
    SKIN_PINK,
    WHITE,
    YELLOW,
    Paint,
    apart,
    base_color,
    darker,
    eyes,
    family,
    is_dark,
    lighter,
    marked,
)
from backend.pocket.world.shapes import Sculptor, turn

_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def _legs(s: Sculptor, main: Paint, x: float, y: float, hip: float, radius: float) -> None:
    """Four legs at (+-x, +-y) that stand on z = 0; the front pair and the back pair walk."""
    for name, at, degrees in (("front leg", -y, (-24.0, 24.0)), ("back leg", y, (24.0, -24.0))):
        for side in (-1, 1):
            s.rod(name, (side * x, at, radius * 0.9), (side * x, at, hip), radius, main)
        s.joint("walk", (name,), (0, at, hip), _X, degrees)


def _flap(s: Sculptor, words: str, x: float, y: float, z: float, degrees: float) -> None:
    """What is named `left` and `right` `words` turns up and down about lines along y at +-x."""
    for side, sign in SIDES:
        s.joint("flap", (f"{side} {words}",), (sign * x, y, z), (0, -sign, 0), (-degrees, degrees))


def duck(s: Sculptor, main: Paint) -> None:
    w, length, h, head = s.u(0.4, 0.5), s.u(0.6, 0.72), s.u(0.36, 0.45), s.u(0.32, 0.38)
    beak = apart(s, main, ORANGE, YELLOW)
    s.ball("body", (0, 0, h), (w, length, h), main)
    s.tube("tail", (0, length * 0.6, h * 1.2), (0, length + 0.3, h * 1.9), (0.25, 0.02), main)
    c = np.array([0, -length * 0.65, h * 1.6 + head * s.u(0.6, 0.9)])
    s.rod("neck", (0, -length * 0.55, h * 1.2), c, head * 0.68, main)
    s.ball("head", c, head, main)
    s.ball("beak", c + (0, -head * 1.15, -0.07), (head * 0.62, head * 0.75, 0.1), beak)
    eyes(s, c + (0, -head * 0.75, head * 0.4), head * 0.5, 0.09)
    for side, sign in SIDES:
        wing = (0.1, length * 0.6, h * 0.55)
        s.ball(f"{side} wing", (sign * w * 0.93, 0.1, h * 1.1), wing, marked(main, 0.8), rotation=turn(15, "x"))
    _flap(s, "wing", w * 0.85, 0, h * 1.5, 25)
    s.joint("wag", ("tail",), (0, length * 0.6, h * 1.2), _Z, (-30, 30))


def dog(s: Sculptor, main: Paint) -> None:
    length, r, leg, head = s.u(0.42, 0.58), s.u(0.24, 0.31), s.u(0.4, 0.6), s.u(0.28, 0.34)
    z = leg + r * 0.8
    s.rod("body", (0, -length, z), (0, length, z), r, main)
    _legs(s, main, r * 0.65, length, z, 0.105)
    c = np.array([0, -length - r * 0.8, z + r + s.u(0.1, 0.25)])
    s.rod("neck", (0, -length, z + 0.05), c, r * 0.65, main)
    s.ball("head", c, head, main)
    s.rod("snout", c + (0, -head * 0.5, -0.08), c + (0, -head * 1.3, -0.1), head * 0.46, lighter(main, 0.3))
    s.ball("nose", c + (0, -head * 1.7, 0.0), 0.1, BLACK)
    eyes(s, c + (0, -head * 0.78, head * 0.42), head * 0.42, 0.075)
    for side in (-1, 1):
        s.ball("ear", c + (side * head, 0.02, 0), (0.08, 0.15, s.u(0.24, 0.32)), marked(main, 0.55))
    root = (0, length + r * 0.8, z + 0.1)
    s.rod("tail", root, (0, length + r + s.u(0.15, 0.3), z + s.u(0.4, 0.55)), 0.08, main)
    s.joint("wag", ("tail",), root, _Y, (-40, 40))


def fish(s: Sculptor, main: Paint) -> None:
    w, length, h, tail = s.u(0.22, 0.3), s.u(0.6, 0.75), s.u(0.42, 0.54), s.u(0.36, 0.46)
    fin = marked(main, 0.72)
    s.ball("body", (0, 0, 0), (w, length, h), main)
    spread = turn(-90, "x")
    s.box("tail", (0, length + tail * 0.6, 0), (0.06, 0.12, tail), fin, rotation=spread, top=(1, tail / 0.1))
    s.box("back fin", (0, 0.1, h * 1.08), (0.05, length * 0.42, 0.2), fin, top=(1, 0.45))
    s.box("belly fin", (0, 0.15, -h * 1.02), (0.05, length * 0.25, 0.17), fin, rotation=turn(180, "y"), top=(1, 0.5))
    for side, sign in SIDES:
        x, y, z = sign * w * 0.7, -length * 0.62, h * 0.2
        s.ball("eye", (x, y, z), (0.08, 0.13, 0.13), WHITE)
        s.ball("pupil", (x + sign * 0.05, y - 0.03, z), (0.05, 0.075, 0.075), BLACK)
        s.ball(f"{side} fin", (sign * w * 1.1, 0.0, -h * 0.2), (0.12, 0.22, 0.06), fin, rotation=turn(sign * 35, "y"))
    _flap(s, "fin", w * 0.9, 0, -h * 0.2, 30)
    s.joint("wag", ("tail",), (0, length * 0.95, 0), _Z, (-30, 30))


def cat(s: Sculptor, main: Paint) -> None:
    head, chest, tail, ear = s.u(0.34, 0.4), s.u(0.85, 1.05), s.u(0.5, 0.75), s.u(0.3, 0.4)
    s.ball("body", (0, 0.12, 0.36), (0.38, 0.42, 0.38), main)
    s.ball("body", (0, -0.06, chest * 0.6), (0.29, 0.28, chest * 0.48), main, rotation=turn(10, "x"))
    c = np.array([0, -0.2, chest + head * 0.65])
    s.ball("head", c, (head * 1.12, head * 0.92, head * 0.92), main)
    for side in (-1, 1):
        root = c + (side * head * 0.66, 0.02, head * 0.45)
        tip = c + (side * head * 0.85, 0.02, head * 0.75 + ear)
        s.tube("ear", root, tip, (0.17, 0.01), main)
        s.tube("inner ear", root + (0, -0.06, 0), 0.8 * tip + 0.2 * root + (0, -0.05, 0), (0.12, 0.01), SKIN_PINK)
        s.rod("front leg", (side * 0.15, -0.22, 0.6), (side * 0.15, -0.34, 0.09), 0.1, main)
        s.ball("paw", (side * 0.3, -0.12, 0.1), (0.13, 0.26, 0.1), main)
        s.ball("muzzle", c + (side * 0.08, -head * 0.85, -head * 0.3), (0.11, 0.09, 0.09), WHITE)
    eyes(s, c + (0, -head * 0.78, head * 0.15), head * 0.45, 0.095)
    s.ball("nose", c + (0, -head * 1.05, -head * 0.15), 0.055, SKIN_PINK)
    root = np.array([0, 0.45, 0.14])
    bend = [(0, 0, 0), (0, 0.34, 0.02), (0, 0.42, tail * 0.6), (0, 0.3, tail), (0, 0.42, tail + 0.2)]
    s.sweep("tail", root + np.array(bend), 0.085, main)
    s.joint("wag", ("tail",), root, _Z, (-35, 35))


def rabbit(s: Sculptor, main: Paint) -> None:
    fat, head, ear, spread = s.u(0.38, 0.46), s.u(0.28, 0.33), s.u(0.4, 0.55), s.u(4, 16)
    s.ball("body", (0, 0.12, fat), (fat * 0.92, fat * 1.2, fat), main)
    c = np.array([0, -fat * 0.8, fat * 1.7 + head * 0.5])
    s.ball("head", c, (head * 0.95, head, head), main)
    for side in (-1, 1):
        tilt = turn(side * spread, "y")
        middle = c + (0, 0.06, 0) + tilt @ (side * head * 0.4, 0, head * 0.7 + ear)
        s.ball("ear", middle, (0.13, 0.08, ear), main, rotation=tilt)
        s.ball("inner ear", middle + (0, -0.05, 0), (0.075, 0.05, ear * 0.78), SKIN_PINK, rotation=tilt)
        s.ball("foot", (side * fat * 0.6, -fat * 0.7, 0.1), (0.14, 0.3, 0.1), main)
        s.ball("cheek", c + (side * 0.08, -head * 0.9, -head * 0.25), (0.1, 0.08, 0.09), WHITE)
    eyes(s, c + (0, -head * 0.8, head * 0.28), head * 0.45, 0.075)
    s.ball("nose", c + (0, -head * 1.12, -head * 0.05), 0.055, SKIN_PINK)
    s.ball("tail", (0, 0.12 + fat * 1.2, fat * 0.75), 0.19, lighter(main, 0.7))
    s.joint("wag", ("ear", "inner ear"), c + (0, 0.06, head * 0.7), _X, (-35, 20))


def elephant(s: Sculptor, main: Paint) -> None:
    w, length, leg, ear = s.u(0.44, 0.54), s.u(0.6, 0.75), s.u(0.4, 0.55), s.u(0.4, 0.52)
    z = leg + w * 0.75
    s.ball("body", (0, 0.1, z), (w, length, w * 1.05), main)
    _legs(s, main, w * 0.55, length * 0.58, z - w * 0.2, 0.18)
    c = np.array([0, -length - 0.08, z + 0.25])
    s.ball("head", c, (0.36, 0.36, 0.4), main)
    trunk = c + np.array([(0, -0.25, -0.05), (0, -0.48, -0.4), (0, -0.5, -0.78), (0, -0.72, -0.86)])
    s.sweep("trunk", trunk, [0.17, 0.15, 0.11, 0.09], main)
    for side, sign in SIDES:
        s.ball(f"{side} ear", c + (sign * (0.26 + ear * 0.75), 0.14, 0.05), (ear, 0.07, ear * 1.15), marked(main, 0.82), rotation=turn(sign * 25, "z"))
        s.tube("tusk", c + (sign * 0.2, -0.25, -0.2), c + (sign * 0.22, -0.62, -0.38), (0.08, 0.02), WHITE)
    eyes(s, c + (0, -0.29, 0.15), 0.2, 0.075)
    root = (0, 0.1 + length * 0.95, z + 0.15)
    s.rod("tail", root, (0, 0.25 + length, z - 0.4), 0.05, main)
    for side, sign in SIDES:
        s.joint("flap", (f"{side} ear",), c + (sign * 0.28, 0.05, 0), (0, 0, sign), (-30, 25))
    s.joint("wag", ("trunk",), trunk[0], _Z, (-28, 28))


def giraffe(s: Sculptor, main: Paint) -> None:
    leg, neck, lean, r = s.u(0.75, 0.95), s.u(0.9, 1.2), s.u(0.3, 0.5), s.u(0.24, 0.29)
    z = leg + r * 0.6
    s.rod("body", (0, -0.28, z), (0, 0.32, z), r, main)
    _legs(s, main, r * 0.62, 0.36, z, 0.085)
    root, c = np.array([0, -0.38, z]), np.array([0, -0.42 - lean, z + neck + 0.1])
    s.tube("neck", root, c, (0.19, 0.11), main)
    s.ball("head", c + (0, -0.12, 0.02), (0.15, 0.3, 0.15), main, rotation=turn(12, "x"))
    s.ball("muzzle", c + (0, -0.36, -0.05), (0.12, 0.13, 0.1), lighter(main, 0.5))
    for side in (-1, 1):
        s.rod("horn", c + (side * 0.07, 0.05, 0.1), c + (side * 0.09, 0.07, 0.3), 0.045, marked(main, 0.5))
        s.ball("ear", c + (side * 0.22, 0.08, 0.08), (0.13, 0.04, 0.07), main)
    eyes(s, c + (0, -0.17, 0.1), 0.11, 0.055)
    spot = marked(main, 0.5)
    for i in range(4):
        f, across = 0.15 + 0.22 * i, 0.17 - 0.022 * i
        for side in (-1, 1):
            at = root + f * (c - root)
            s.ball("spot", at + (side * across * 0.8, 0, 0), (0.05, 0.07, 0.09), spot)
            s.ball("spot", (side * r * 0.9, -0.35 + 0.26 * i, z + (0.1 if i % 2 else -0.08)), (0.06, 0.1, 0.1), spot)
    s.rod("tail", (0, 0.52, z + 0.1), (0, 0.68, z - 0.3), 0.045, marked(main, 0.5))
    s.joint("wag", ("tail",), (0, 0.52, z + 0.1), _Y, (-35, 35))


def pig(s: Sculptor, main: Paint) -> None:
    w, length, leg, head = s.u(0.44, 0.52), s.u(0.62, 0.74), s.u(0.22, 0.32), s.u(0.34, 0.4)
    z = leg + w * 0.8
    s.ball("body", (0, 0.1, z), (w, length, w), main)
    _legs(s, darker(main, 0.9), w * 0.6, length * 0.55, z - w * 0.3, 0.125)
    c = np.array([0, -length * 0.95, z + 0.15])
    s.ball("head", c, (head, head * 0.9, head), main)
    snout = c + (0, -head * 0.75, -0.08)
    pink = lighter(main, 0.45)
    deep = s.u(0.2, 0.3)
    s.tube("snout", snout, snout + (0, -deep, 0), (0.19, 0.17), pink)
    for side in (-1, 1):
        s.ball("nostril", snout + (side * 0.08, -deep, 0), (0.05, 0.03, 0.06), BLACK)
        s.tube("ear", c + (side * head * 0.6, -0.05, head * 0.6), c + (side * head * 0.85, -0.25, head * 1.25), (0.17, 0.02), pink)
    eyes(s, c + (0, -head * 0.75, head * 0.38), head * 0.5, 0.075)
    root = np.array([0, length + 0.08, z + 0.15])
    s.ring("tail", root + (0, 0.08, 0.02), _X, 0.11, 0.045, pink)
    s.joint("wag", ("tail",), root, _Y, (-40, 40))


def owl(s: Sculptor, main: Paint) -> None:
    w, h, eye, tuft = s.u(0.46, 0.56), s.u(0.72, 0.86), s.u(0.21, 0.25), s.u(0.22, 0.34)
    s.ball("body", (0, 0, h), (w, w * 0.85, h), main)
    s.ball("belly", (0, -w * 0.22, h * 0.72), (w * 0.7, w * 0.7, h * 0.6), lighter(main, 0.45))
    z = h * 1.42
    for side, sign in SIDES:
        s.tube("eye", (sign * eye * 0.95, -w * 0.45, z), (sign * eye * 1.0, -w * 0.78, z), (eye, eye), WHITE)
        s.tube("pupil", (sign * eye * 0.9, -w * 0.7, z), (sign * eye * 0.92, -w * 0.85, z), (eye * 0.5, eye * 0.5), BLACK)
        s.tube("tuft", (sign * w * 0.45, 0, h * 1.7), (sign * w * 0.72, 0, h * 1.85 + tuft), (0.16, 0.01), main)
        s.ball(f"{side} wing", (sign * w * 0.95, 0.05, h * 0.9), (0.12, w * 0.6, h * 0.62), marked(main, 0.65), rotation=turn(sign * -8, "y"))
        s.ball("foot", (sign * 0.2, -w * 0.6, 0.04), (0.14, 0.18, 0.07), ORANGE)
    s.tube("beak", (0, -w * 0.75, z - eye * 0.6), (0, -w * 1.08, z - eye * 1.3), (0.11, 0.01), ORANGE)
    _flap(s, "wing", w * 0.85, 0, h * 1.4, 25)


def penguin(s: Sculptor, main: Paint) -> None:
    w, h, head, reach = s.u(0.38, 0.46), s.u(0.62, 0.76), s.u(0.29, 0.34), s.u(15, 40)
    s.ball("body", (0, 0, h), (w, w * 0.9, h), main)
    s.ball("belly", (0, -w * 0.3, h * 0.95), (w * 0.74, w * 0.7, h * 0.82), WHITE if not _pale(main) else marked(main, 0.6))
    z = h * 1.75 + head * 0.5
    s.ball("head", (0, 0, z), head, main)
    beak = apart(s, main, ORANGE, YELLOW)
    s.tube("beak", (0, -head * 0.8, z), (0, -head * 1.0 - 0.3, z - 0.05), (0.12, 0.01), beak)
    eyes(s, (0, -head * 0.78, z + head * 0.35), head * 0.42, 0.08)
    for side, sign in SIDES:
        tilt = turn(sign * -reach, "y")
        middle = np.array([sign * w * 0.85, 0, h * 1.4]) + tilt @ (0, 0, -0.36)
        s.ball(f"{side} wing", middle, (0.08, 0.17, 0.42), main, rotation=tilt)
        s.ball(f"{side} foot", (sign * 0.2, -0.25, 0.05), (0.16, 0.3, 0.07), beak)
        s.joint("walk", (f"{side} foot",), (sign * 0.2, 0, 0.4), _X, (-20 * sign, 20 * sign))
    s.ball("tail", (0, w * 0.9, 0.15), (0.14, 0.2, 0.06), main, rotation=turn(-25, "x"))
    _flap(s, "wing", w * 0.85, 0, h * 1.4, 25)


def turtle(s: Sculptor, main: Paint) -> None:
    w, length, h, neck = s.u(0.56, 0.66), s.u(0.68, 0.8), s.u(0.48, 0.62), s.u(0.2, 0.35)
    skin = apart(s, main, (0.55, 0.68, 0.3), (0.8, 0.7, 0.45))
    s.ball("shell", (0, 0, 0.22), (w, length, h), main, clip=(0.0, 1.0))
    s.ball("rim", (0, 0, 0.22), (w * 1.08, length * 1.06, 0.09), marked(main, 0.6))
    for i in range(6):
        a = np.pi * (i + 0.5) / 3
        n = np.array([0.62 * np.cos(a), 0.62 * np.sin(a), 0.78])
        s.ball("plate", n * (w, length, h) + (0, 0, 0.2), (0.14, 0.14, 0.07), marked(main, 0.72))
    s.ball("plate", (0, 0, 0.2 + h * 0.99), (0.2, 0.2, 0.05), marked(main, 0.72))
    c = np.array([0, -length - neck, 0.42])
    s.rod("neck", (0, -length * 0.7, 0.22), c, 0.13, skin)
    s.ball("head", c + (0, -0.08, 0.03), (0.21, 0.25, 0.2), skin)
    eyes(s, c + (0, -0.24, 0.12), 0.12, 0.07)
    for y, name in ((-0.6, "front leg"), (0.6, "back leg")):
        for side in (-1, 1):
            s.ball(name, (side * w * 0.88, y * length, 0.1), (0.2, 0.2, 0.14), skin)
        s.joint("walk", (name,), (0, y * length, 0.2), _Z, (20 * y, -20 * y))
    s.tube("tail", (0, length * 0.9, 0.18), (0, length + 0.28, 0.1), (0.1, 0.01), skin)
    s.joint("wag", ("tail",), (0, length * 0.9, 0.18), _Z, (-40, 40))


def snail(s: Sculptor, main: Paint) -> None:
    r, length, neck, w = s.u(0.48, 0.6), s.u(0.75, 0.95), s.u(0.35, 0.55), s.u(0.22, 0.3)
    skin = apart(s, main, CREAM, (0.7, 0.6, 0.45), (0.6, 0.65, 0.6))
    s.ball("body", (0, 0, 0.1), (w, length, 0.16), skin)
    z = 0.16 + r
    s.ring("shell", (0, 0.12, z), _X, r * 0.66, r * 0.36, main, squash=1.15)
    s.ball("shell", (0, 0.12, z), (r * 0.44, r * 0.55, r * 0.55), main)
    for side in (-1, 1):
        s.ring("swirl", (side * r * 0.34, 0.12, z), _X, r * 0.42, r * 0.08, marked(main, 0.5))
        s.ball("swirl", (side * r * 0.46, 0.12, z), r * 0.14, marked(main, 0.5))
    head = np.array([0, -length * 0.85, 0.16 + neck * 0.6])
    s.rod("neck", (0, -length * 0.6, 0.14), head, 0.17, skin)
    s.ball("head", head, 0.2, skin)
    for side in (-1, 1):
        tip = head + (side * 0.2, -0.12, 0.18 + neck * 0.7)
        s.rod("stalk", head + (side * 0.08, -0.02, 0.1), tip, 0.05, skin)
        s.ball("eye", tip, 0.085, BLACK)
    s.joint("wag", ("stalk", "eye"), head + (0, 0, 0.1), _X, (-25, 25))


def butterfly(s: Sculptor, main: Paint) -> None:
    span, length, tilt, rear = s.u(0.42, 0.52), s.u(0.4, 0.52), s.u(28, 48), s.u(0.3, 0.38)
    dark = (0.2, 0.16, 0.18)
    s.rod("body", (0, -length, 0), (0, length, 0), 0.1, dark)
    s.ball("head", (0, -length - 0.1, 0.03), 0.15, dark)
    for side, sign in SIDES:
        rise = turn(-sign * tilt, "y")
        for y, size, long in ((-0.28, span, span * 0.85), (0.34, span * 0.8, rear)):
            middle = rise @ (sign * (0.06 + size), y, 0)
            s.ball(f"{side} wing", middle, (size, long, 0.045), main, rotation=rise)
            s.ball(f"{side} spot", middle + rise @ (sign * size * 0.35, 0, 0), (size * 0.35, long * 0.35, 0.07), marked(main, 0.45), rotation=rise)
        s.joint("flap", (f"{side} wing", f"{side} spot"), (sign * 0.05, 0, 0), (0, -sign, 0), (-45, 25))
        s.rod("feeler", (sign * 0.05, -length - 0.18, 0.1), (sign * 0.2, -length - 0.42, 0.4), 0.035, dark)


def snake(s: Sculptor, main: Paint) -> None:
    r, coil, rise, lean = s.u(0.15, 0.19), s.u(0.46, 0.56), s.u(0.5, 0.75), s.u(0.15, 0.3)
    angle = np.linspace(0, 4.5 * np.pi, 19)
    around = coil * np.linspace(1, 0.55, 19)
    height = r + 2.9 * r * np.clip(angle / (4 * np.pi), 0, 1)
    loops = np.stack([around * np.sin(angle), 0.1 + around * np.cos(angle), height], 1)
    s.sweep("body", loops, r, main)
    top, z = np.array([0, 0.0, 4 * r + rise]), 3.9 * r
    s.sweep("neck", [loops[-1], (0.1, 0.1, z), top * 0.6 + (0, 0, z * 0.3), top], r * 0.9, main)
    c = top + (0, -lean, 0.05)
    s.rod("neck", top, c, r * 0.85, main)
    s.ball("head", c + (0, -0.1, 0.02), (r * 1.35, r * 1.75, r * 1.05), main)
    eyes(s, c + (0, -0.2, r * 0.85), r * 0.75, 0.085)
    s.rod("tongue", c + (0, -r * 2, -0.02), c + (0, -r * 2 - 0.32, -0.06), 0.035, (0.85, 0.1, 0.2) if not is_dark(main) else SKIN_PINK)
    s.tube("tail", loops[0], loops[0] + (-0.6, 0.1, -r * 0.6), (r, 0.02), main)
    s.joint("wag", ("tail",), loops[0], _Z, (-25, 25))


def crab(s: Sculptor, main: Paint) -> None:
    w, claw, reach, lift = s.u(0.55, 0.68), s.u(0.2, 0.27), s.u(0.25, 0.38), s.u(0.2, 0.45)
    s.ball("body", (0, 0, 0.42), (w, 0.42, 0.28), main)
    for side, sign in SIDES:
        elbow = np.array([sign * (w + reach), -0.25, 0.5 + lift * 0.4])
        hand = elbow + (-sign * 0.08, -0.28, lift * 0.6)
        s.rod("arm", (sign * w * 0.8, -0.1, 0.42), elbow, 0.1, main)
        s.ball(f"{side} claw", hand, (claw, claw, claw * 0.75), main)
        for x in (-1, 1):
            root = hand + (x * claw * 0.6, -claw * 0.4, 0)
            s.tube(f"{side} claw", root, root + (-x * claw * 0.1, -claw * 1.6, 0.05), (claw * 0.42, 0.02), main)
        for y in (-0.2, 0.05, 0.3):
            knee = np.array([sign * (w + 0.22), y * 1.4, 0.42])
            s.rod(f"{side} leg", (sign * w * 0.75, y, 0.4), knee, 0.07, marked(main, 0.75))
            s.rod(f"{side} leg", knee, knee + (sign * 0.15, y * 0.3, -0.36), 0.06, marked(main, 0.75))
        s.joint("walk", (f"{side} leg",), (sign * w * 0.75, 0.05, 0.4), _Z, (-14 * sign, 14 * sign))
        s.rod("stalk", (sign * 0.18, -0.3, 0.55), (sign * 0.2, -0.36, 0.82), 0.05, main)
        s.joint("flap", (f"{side} claw",), elbow, (0, -sign, 0), (-15, 30))
    eyes(s, (0, -0.38, 0.86), 0.2, 0.11)


def octopus(s: Sculptor, main: Paint) -> None:
    head, tall, reach, lift = s.u(0.42, 0.5), s.u(1.0, 1.3), s.u(0.62, 0.8), s.u(0.05, 0.2)
    s.ball("head", (0, 0, 0.42 + head * tall * 0.75), (head, head, head * tall), main)
    for i in range(8):
        a = 2 * np.pi * (i + 0.5) / 8
        out = np.array([np.cos(a), np.sin(a), 0])
        bend = out * reach * 0.65 + (0, 0, 0.12)
        s.rod("arm", out * head * 0.55 + (0, 0, 0.5), bend, 0.125, main)
        s.rod("arm", bend, out * reach + (0, 0, 0.1 + lift), 0.1, main)
    eyes(s, (0, -head * 0.85, 0.42 + head * tall * 0.7), head * 0.42, 0.13)


def whale(s: Sculptor, main: Paint) -> None:
    w, length, fluke, spout = s.u(0.52, 0.62), s.u(0.7, 0.85), s.u(0.34, 0.44), s.u(0.3, 0.45)
    s.ball("body", (0, 0, 0), (w, length, w * 0.95), main)
    s.ball("belly", (0, -0.1, -w * 0.24), (w * 0.88, length * 0.86, w * 0.78), lighter(main, 0.6) if not _pale(main) else marked(main, 0.75))
    end = np.array([0, length + 0.35, 0.45])
    s.tube("tail", (0, length * 0.6, 0.02), end, (w * 0.5, 0.1), main)
    for side, sign in SIDES:
        s.ball("fluke", end + (sign * fluke * 0.7, 0.12, 0.08), (fluke, 0.19, 0.06), main, rotation=turn(sign * 25, "z"))
        s.ball(f"{side} fin", (sign * (w + 0.12), -0.1, -0.2), (0.3, 0.17, 0.06), main, rotation=turn(sign * 30, "y"))
        s.ball("eye", (sign * w * 0.82, -length * 0.55, 0.06), 0.09, WHITE)
        s.ball("pupil", (sign * w * 0.9, -length * 0.6, 0.06), 0.06, BLACK)
        s.rod("spout", (0, -0.2, w * 0.9), (sign * 0.16, -0.2, w * 0.95 + spout), 0.055, GLASS)
    s.joint("wag", ("tail", "fluke"), (0, length * 0.6, 0.02), _X, (-20, 20))
    _flap(s, "fin", w * 0.9, -0.1, -0.15, 30)


def _pale(main: Paint) -> bool:
    """Whether white would not be seen on this paint."""
    return bool(base_color(main).sum() > 2.4)


ANIMALS = family(
    "animals",
    with_front=(
        duck, dog, fish, cat, rabbit, elephant, giraffe, pig, owl, penguin, turtle, snail,
        butterfly, snake, crab, octopus, whale,
    ),
    without_front=(),
)  # fmt: skip
