"""Toys and figures."""

import numpy as np

from backend.pocket.world.kinds.base import (
    BLACK,
    CREAM,
    DARK_METAL,
    DARK_WOOD,
    LIGHT,
    METAL,
    ORANGE,
    SIDES,
    WHITE,
    WOOD,
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
from backend.pocket.world.shapes import Sculptor, aligned, turn

_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def snowman(s: Sculptor, main: Paint) -> None:
    r, chest, head = s.u(0.48, 0.58), s.u(0.36, 0.43), s.u(0.27, 0.33)
    z1 = r * 1.75 + chest * 0.7
    z2 = z1 + chest * 0.7 + head * 0.85
    dark = (0.75, 0.75, 0.75) if is_dark(main) else BLACK
    for name, z, size in (("base", r, r), ("chest", z1, chest), ("head", z2, head)):
        s.ball(name, (0, 0, z), size, main)
    s.tube("nose", (0, -head * 0.9, z2), (0, -head * 0.9 - s.u(0.25, 0.4), z2 - 0.03), (0.1, 0.01), ORANGE)
    for side, sign in SIDES:
        s.ball("eye", (sign * head * 0.4, -head * 0.85, z2 + head * 0.3), 0.06, dark)
        shoulder = (sign * chest * 0.8, 0, z1)
        s.rod(f"{side} arm", shoulder, (sign * (chest + s.u(0.35, 0.5)), 0, z1 + s.u(0.1, 0.35)), 0.045, DARK_WOOD)
        s.joint("flap", f"{side} arm", shoulder, (0, -sign, 0), (-20, 35))
    for z in (-0.15, 0.1):
        s.ball("button", (0, -chest, z1 + z), 0.06, dark)
    if s.chance(0.6):
        hat = (0.6, 0.15, 0.15) if is_dark(main) else (0.12, 0.12, 0.14)
        s.tube("hat", (0, 0, z2 + head * 0.75), (0, 0, z2 + head * 0.75 + 0.06), (0.38, 0.38), hat)
        s.tube("hat", (0, 0, z2 + head * 0.75), (0, 0, z2 + head + s.u(0.2, 0.35)), (0.25, 0.24), hat)


def robot(s: Sculptor, main: Paint) -> None:
    w, h, head, leg = s.u(0.36, 0.46), s.u(0.4, 0.5), s.u(0.25, 0.31), s.u(0.35, 0.48)
    gray = apart(s, main, METAL, DARK_METAL)
    z = leg + h
    s.soft_box("body", (0, 0, z), (w, 0.28, h), 0.05, main)
    s.box("panel", (0, -0.28, z + 0.05), (w * 0.62, 0.03, h * 0.42), gray)
    for x, lamp in ((-0.32, (0.9, 0.2, 0.2)), (0.0, (0.95, 0.85, 0.2)), (0.32, (0.2, 0.7, 0.3))):
        s.ball("button", (x * w, -0.31, z + 0.05), 0.07, lamp)
    top = z + h + 0.08 + head
    s.tube("neck", (0, 0, z + h), (0, 0, z + h + 0.12), (0.12, 0.12), gray)
    s.soft_box("head", (0, 0, top), (head * 1.2, head, head), 0.04, main)
    eye, spread = s.pick(LIGHT, (0.4, 0.9, 0.95)), s.u(0.12, 0.28)
    for side, sign in SIDES:
        s.tube("eye", (sign * head * 0.55, -head * 0.9, top + 0.05), (sign * head * 0.55, -head * 1.12, top + 0.05), (0.11, 0.11), eye)
        shoulder, hand = (sign * (w + 0.1), 0, z + h * 0.75), (sign * (w + spread), -0.05, z - h * 0.7)
        s.rod(f"{side} arm", shoulder, hand, 0.1, gray)
        s.ball(f"{side} arm", hand, 0.15, main)
        s.tube(f"{side} leg", (sign * w * 0.55, 0, 0.1), (sign * w * 0.55, 0, leg + 0.05), (0.12, 0.12), gray)
        s.soft_box(f"{side} leg", (sign * w * 0.55, -0.06, 0.09), (0.17, 0.26, 0.09), 0.03, main)
        s.joint("walk", (f"{side} leg",), (sign * w * 0.55, 0, leg), _X, (-25 * sign, 25 * sign))
        s.joint("flap", f"{side} arm", shoulder, (0, -sign, 0), (0, 60))
    s.tube("antenna", (0, 0, top + head), (0, 0, top + head + 0.2), (0.035, 0.03), gray)
    s.ball("antenna", (0, 0, top + head + 0.24), 0.08, (0.9, 0.2, 0.2))


def teddy_bear(s: Sculptor, main: Paint) -> None:
    fat, head, limb, ear = s.u(0.4, 0.48), s.u(0.36, 0.42), s.u(0.15, 0.19), s.u(0.14, 0.18)
    s.ball("body", (0, 0, fat), (fat, fat * 0.85, fat * 1.05), main)
    s.ball("belly", (0, -fat * 0.4, fat * 0.95), (fat * 0.62, fat * 0.52, fat * 0.66), lighter(main, 0.45))
    c = np.array([0, -0.04, fat * 1.9 + head * 0.7])
    s.ball("head", c, (head * 1.08, head * 0.92, head), main)
    s.ball("muzzle", c + (0, -head * 0.78, -head * 0.22), (0.19, 0.14, 0.15), lighter(main, 0.6))
    s.ball("nose", c + (0, -head * 0.78 - 0.14, -head * 0.12), (0.08, 0.05, 0.06), BLACK)
    eyes(s, c + (0, -head * 0.78, head * 0.25), head * 0.4, 0.075)
    for side, sign in SIDES:
        s.ball("ear", c + (sign * head * 0.85, 0, head * 0.75), (ear, ear * 0.6, ear), main)
        s.ball("inner ear", c + (sign * head * 0.85, -ear * 0.4, head * 0.75), (ear * 0.6, ear * 0.4, ear * 0.6), lighter(main, 0.45))
        shoulder = np.array([sign * fat * 0.8, 0, fat * 1.5])
        s.rod(f"{side} arm", shoulder, shoulder + (sign * 0.25, -0.12, -0.32), limb, main)
        hip = np.array([sign * fat * 0.55, -fat * 0.4, limb])
        s.rod(f"{side} leg", hip, hip + (sign * 0.12, -0.38, 0.02), limb * 1.08, main)
        s.ball("sole", hip + (sign * 0.14, -0.4 - limb * 0.75, 0.02), (limb * 0.75, limb * 0.5, limb * 0.75), lighter(main, 0.5))
        s.joint("flap", f"{side} arm", shoulder, (0, -sign, 0), (-10, 70))


def spinning_top(s: Sculptor, main: Paint) -> None:
    r, h, knob, lean = s.u(0.55, 0.65), s.u(0.75, 0.95), s.u(0.4, 0.55), s.u(0.55, 0.66)
    profile = [(0.0, 0.05), (0.3, r * 0.5), (lean, r), (0.82, r * 0.7), (0.95, r * 0.3), (1.0, 0.12)]
    s.lathe("body", (0, 0, 0.1), (0, 0, 0.1 + h), profile, main)
    s.ring("band", (0, 0, 0.1 + h * lean), _Z, r * 0.99, 0.045, apart(s, main, LIGHT, WHITE, (0.15, 0.2, 0.6)))
    s.tube("tip", (0, 0, 0), (0, 0, 0.14), (0.02, 0.07), METAL)
    s.rod("handle", (0, 0, 0.1 + h), (0, 0, h + knob), 0.07, apart(s, main, WOOD, CREAM))
    s.ball("handle", (0, 0, h + knob + 0.05), 0.13, apart(s, main, WOOD, CREAM))


def drum(s: Sculptor, main: Paint) -> None:
    r, h, zigs, skin = s.u(0.6, 0.72), s.u(0.65, 0.9), int(s.rng.integers(7, 10)), s.pick(CREAM, WHITE)
    cord = apart(s, main, YELLOW, WHITE, (0.2, 0.2, 0.25))
    s.tube("shell", (0, 0, 0), (0, 0, h), (r, r), main)
    s.tube("skin", (0, 0, h - 0.02), (0, 0, h + 0.05), (r * 0.98, r * 0.98), skin)
    for z in (0.03, h):
        s.ring("rim", (0, 0, z), _Z, r, 0.065, marked(main, 0.75))
    for i in range(2 * zigs):
        a, b = np.pi * i / zigs, np.pi * (i + 1) / zigs
        low, high = (0.08, h - 0.08) if i % 2 else (h - 0.08, 0.08)
        start = (r * np.cos(a), r * np.sin(a), low)
        s.rod("cord", start, (r * np.cos(b), r * np.sin(b), high), 0.03, cord)
    long, cross = s.u(0.48, 0.6), s.u(25, 45)
    for sign in (-1, 1):
        along = turn(-sign * cross, "z") @ (0, long, 0.1)
        c = np.array([sign * 0.18, 0, h + 0.16])
        s.rod("stick", c - along, c + along, 0.05, WOOD)
        s.ball("stick", c - along, 0.1, WOOD)


def crown(s: Sculptor, main: Paint) -> None:
    r, h, points, flare = s.u(0.6, 0.68), s.u(0.45, 0.6), int(s.rng.integers(5, 8)), s.u(1.05, 1.2)
    s.tube("band", (0, 0, 0), (0, 0, h), (r, r * flare), main, capped=False)
    s.ring("rim", (0, 0, 0.02), _Z, r, 0.07, darker(main, 0.82))
    gem = apart(s, main, (0.85, 0.08, 0.2), (0.1, 0.5, 0.85), (0.1, 0.6, 0.35))
    spike = s.u(0.38, 0.5)
    for i in range(points):
        out = turn(360 * (i + 0.5) / points, "z") @ (0, -1, 0)
        spin = turn(360 * (i + 0.5) / points, "z")
        foot = out * r * flare + (0, 0, h + spike * 0.42)
        s.box("spike", foot, (r * flare * 2.7 / points, 0.03, spike * 0.5), main, rotation=spin @ turn(8, "x"), top=(0.02, 1.0))
        s.ball("pearl", out * (r * flare + 0.07) + (0, 0, h + spike), 0.09, apart(s, main, WHITE, LIGHT))
        s.ball("gem", out * r * (0.5 + 0.5 * flare) + (0, 0, h * 0.5), (0.1, 0.06, 0.12), gem, rotation=spin)


def gift(s: Sculptor, main: Paint) -> None:
    x, y, z, bow = s.u(0.5, 0.66), s.u(0.5, 0.66), s.u(0.36, 0.55), s.u(0.24, 0.32)
    ribbon = apart(s, main, (0.85, 0.1, 0.15), YELLOW, WHITE, (0.15, 0.55, 0.3))
    s.box("box", (0, 0, z), (x, y, z), main)
    s.box("lid", (0, 0, 2 * z - 0.02), (x + 0.05, y + 0.05, 0.12), darker(main, 0.9))
    for wide, deep in ((x + 0.065, 0.1), (0.1, y + 0.065)):
        s.box("ribbon", (0, 0, 2 * z - 0.02), (wide, deep, 0.135), ribbon)
        s.box("ribbon", (0, 0, z), (wide - 0.045, deep, z + 0.005) if wide > deep else (wide, deep - 0.045, z + 0.005), ribbon)
    top = 2 * z + 0.12
    for side in (-1, 1):
        s.ring("bow", (side * bow * 0.95, 0, top + bow * 0.55), (side * -0.5, 1, 0.3), bow * 0.72, bow * 0.3, ribbon)
    s.ball("bow", (0, 0, top + 0.08), bow * 0.5, ribbon)
    s.joint("open", ("lid", "bow"), (0, y, 2 * z - 0.12), _X, (0, -50))


def rocking_horse(s: Sculptor, main: Paint) -> None:
    length, r, leg, neck = s.u(0.42, 0.52), s.u(0.2, 0.26), s.u(0.5, 0.62), s.u(0.45, 0.58)
    z = leg + 0.2
    wood = apart(s, main, WOOD, (0.8, 0.62, 0.4), (0.3, 0.2, 0.14))
    hair = apart(s, main, BLACK, CREAM, (0.45, 0.25, 0.1))
    y = np.linspace(-1, 1, 5)
    for side in (-1, 1):
        runner = np.stack([np.full(5, side * r * 1.15), y * (length + 0.4), 0.07 + 0.3 * y**2], 1)
        s.sweep("rocker", runner, 0.07, wood)
    for name, at in (("front leg", -length), ("back leg", length)):
        for side in (-1, 1):
            s.rod(name, (side * r * 0.6, at * 0.85, z), (side * r * 1.1, at * 1.15, 0.2), 0.09, main)
    s.rod("body", (0, -length, z), (0, length, z), r, main)
    c = np.array([0, -length - 0.28, z + neck])
    s.rod("neck", (0, -length, z), c, r * 0.72, main)
    s.rod("head", c, c + (0, -0.32, -0.16), 0.15, main)
    s.rod("mane", c + (0, 0.12, 0.12), (0, -length * 0.75, z + r), 0.075, hair)
    eyes(s, c + (0, -0.12, 0.08), 0.12, 0.055)
    for side in (-1, 1):
        s.tube("ear", c + (side * 0.09, 0.02, 0.1), c + (side * 0.12, 0.03, 0.3), (0.07, 0.01), main)
    s.ball("saddle", (0, 0.03, z + r * 0.62), (r * 1.02, 0.24, 0.16), apart(s, main, (0.75, 0.12, 0.15), YELLOW, (0.2, 0.3, 0.7)))
    s.sweep("tail", [(0, length + r * 0.8, z + 0.1), (0, length + 0.4, z + 0.1), (0, length + 0.5, z - 0.3)], [0.07, 0.09, 0.05], hair)
    s.joint("wag", ("tail",), (0, length + r * 0.8, z + 0.1), _Y, (-30, 30))


def dice(s: Sculptor, main: Paint) -> None:
    size, edge, pip, spin = 0.6, s.u(0.1, 0.2), s.u(0.11, 0.14), s.u(0, 90)
    whole = turn(spin, "z")
    s.soft_box("cube", (0, 0, 0), (size, size, size), edge, main, rotation=whole)
    ink = apart(s, main, WHITE, BLACK)
    g = 0.56 * size * s.u(0.9, 1.05)
    corners = [(a * g, b * g) for a in (-1, 1) for b in (-1, 1)]
    faces = (
        (_Z, [(0, 0)]), (_X, corners[::3]), (_Y, [*corners[::3], (0, 0)]),
        ((0, -1, 0), corners), ((-1, 0, 0), [*corners, (0, 0)]),
        ((0, 0, -1), [*corners, (-g, 0), (g, 0)]),
    )  # fmt: skip
    for normal, places in faces:
        face = aligned(normal)
        for a, b in places:
            s.ball("dot", whole @ face @ (a, b, size), (pip, pip, 0.03), ink, rotation=whole @ face)


def bowling_pin(s: Sculptor, main: Paint) -> None:
    fat, neck, head, tall = s.u(0.36, 0.42), s.u(0.14, 0.18), s.u(0.2, 0.25), s.u(1.8, 2.0)
    profile = [(0.0, fat * 0.6), (0.12, fat * 0.85), (0.32, fat), (0.5, fat * 0.72), (0.68, neck), (0.85, head), (0.96, head * 0.7), (1.0, 0.0)]
    s.lathe("body", (0, 0, 0), (0, 0, tall), profile, main)
    stripe = apart(s, main, (0.85, 0.1, 0.12), WHITE)
    for z, r in ((0.63, neck * 1.22), (0.7, neck * 1.02)):
        s.ring("stripe", (0, 0, tall * z), _Z, r, 0.05, stripe)


def ghost(s: Sculptor, main: Paint) -> None:
    r, tall, waves, reach = s.u(0.44, 0.54), s.u(0.85, 1.1), int(s.rng.integers(6, 9)), s.u(0.2, 0.32)
    shoulder_at = s.u(0.62, 0.8)
    s.ball("body", (0, 0, tall), r, main)
    s.tube("body", (0, 0, 0.16), (0, 0, tall), (r * 1.12, r), main)
    for i in range(waves):
        out = turn(360 * i / waves, "z") @ (0, -r * 0.82, 0)
        s.ball("hem", out + (0, 0, 0.16), (2.6 * r / waves, 2.6 * r / waves, 0.22), main)
    dark = (0.9, 0.9, 0.9) if is_dark(main) else BLACK
    for side, sign in SIDES:
        s.ball("eye", (sign * r * 0.4, -r * 0.88, tall + r * 0.15), (0.11, 0.08, 0.16), dark)
        shoulder = np.array([sign * r * 0.9, -0.05, tall * shoulder_at])
        s.rod(f"{side} arm", shoulder, shoulder + (sign * reach, -0.1, 0.12), 0.13, main)
        s.joint("flap", f"{side} arm", shoulder, (0, -sign, 0), (-30, 45))
    s.ball("mouth", (0, -r * 1.0, tall - r * 0.35), (0.11, 0.07, 0.13), dark)


def kite(s: Sculptor, main: Paint) -> None:
    w, up, down, tilt = s.u(0.55, 0.68), s.u(0.45, 0.55), s.u(0.8, 1.0), s.u(10, 30)
    lean = turn(-tilt, "x")
    other = lighter(main, 0.45) if base_color(main).sum() < 2.4 else darker(main, 0.7)
    s.box("sail", lean @ (0, 0, up / 2), (w, 0.035, up / 2), main, rotation=lean, top=(0.0, 1.0))
    s.box("sail", lean @ (0, 0, -down / 2), (w, 0.035, down / 2), main, rotation=lean @ turn(180, "y"), top=(0.0, 1.0))
    for f in (-1, 1):
        s.rod("spar", lean @ (0, f * 0.04, -down), lean @ (0, f * 0.04, up), 0.04, other)
        s.rod("spar", lean @ (-w, f * 0.04, 0), lean @ (w, f * 0.04, 0), 0.04, other)
    foot = lean @ (0, 0, -down)
    wave = np.array([(0, 0, 0), (0.12, 0, -0.2), (-0.12, 0.02, -0.45), (0.1, 0.05, -0.7)])
    s.sweep("tail", foot + wave, 0.035, other)
    for i in range(1, 4):
        for side in (-1, 1):
            s.tube("bow", foot + wave[i], foot + wave[i] + (side * 0.17, 0, 0), (0.03, 0.1), apart(s, main, (0.9, 0.2, 0.3), YELLOW, WHITE))


TOYS = family(
    "toys",
    with_front=(snowman, robot, teddy_bear, rocking_horse, ghost),
    without_front=(kite, spinning_top, drum, crown, gift, dice, bowling_pin),
)
