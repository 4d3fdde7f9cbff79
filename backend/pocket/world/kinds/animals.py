"""Animals."""

import numpy as np

from backend.pocket.world.kinds.base import (
    BLACK,
    ORANGE,
    WHITE,
    apart,
    darker,
    family,
    is_dark,
    lighter,
)
from backend.pocket.world.shapes import Paint, Sculptor, turn


def duck(s: Sculptor, main: Paint) -> None:
    w, length, h, head = s.u(0.4, 0.5), s.u(0.6, 0.72), s.u(0.36, 0.45), s.u(0.26, 0.33)
    beak = apart(s, main, ORANGE, (0.98, 0.78, 0.15))
    s.ball("body", (0, 0, h), (w, length, h), main)
    s.ball("tail", (0, length * 0.85, h * 1.35), (w * 0.4, 0.28, 0.13), main, rotation=turn(35, "x"))
    c = np.array([0, -length * 0.65, h * 1.6 + head * s.u(0.6, 0.9)])
    s.rod("neck", (0, -length * 0.55, h * 1.2), c, head * 0.65, main)
    s.ball("head", c, head, main)
    s.ball("beak", c + (0, -head * 1.1, -0.06), (head * 0.55, head * 0.55, 0.08), beak)
    eye = BLACK if not is_dark(main) else WHITE
    for x in (-1, 1):
        s.ball("eye", c + (x * head * 0.6, -head * 0.7, head * 0.3), 0.06, eye)
        wing = (0.1, length * 0.6, h * 0.55)
        s.ball("wing", (x * w * 0.93, 0.1, h * 1.1), wing, darker(main, 0.82), rotation=turn(15, "x"))


def dog(s: Sculptor, main: Paint) -> None:
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
    dark = BLACK if not is_dark(main) else (0.8, 0.8, 0.8)
    s.ball("nose", c + (0, -head * 1.8, -0.03), 0.075, dark)
    ear = darker(main, 0.6) if not is_dark(main) else lighter(main, 0.25)
    for x in (-1, 1):
        s.ball("eye", c + (x * head * 0.45, -head * 0.82, head * 0.3), 0.055, dark)
        s.ball("ear", c + (x * head, 0.02, head * 0.1), (0.07, 0.13, s.u(0.2, 0.28)), ear)
    s.rod("tail", (0, length + r * 0.8, z + 0.1), (0, length + r + s.u(0.15, 0.3), z + s.u(0.35, 0.5)), 0.07, main)


def fish(s: Sculptor, main: Paint) -> None:
    w, length, h, tail = s.u(0.2, 0.28), s.u(0.65, 0.8), s.u(0.36, 0.5), s.u(0.26, 0.36)
    fin = darker(main, 0.72) if not is_dark(main) else lighter(main, 0.25)
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


ANIMALS = family("animals", with_front=(duck, dog, fish), without_front=())
