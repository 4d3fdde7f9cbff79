"""Toys and figures."""

import numpy as np

from backend.pocket.world.kinds.base import (
    BLACK,
    DARK_METAL,
    DARK_WOOD,
    LIGHT,
    METAL,
    ORANGE,
    base_color,
    family,
    is_dark,
)
from backend.pocket.world.shapes import Paint, Sculptor


def snowman(s: Sculptor, main: Paint) -> None:
    r, chest, head = s.u(0.48, 0.58), s.u(0.34, 0.42), s.u(0.25, 0.31)
    z1 = r * 1.75 + chest * 0.7
    z2 = z1 + chest * 0.7 + head * 0.85
    dark = BLACK if not is_dark(main) else (0.75, 0.75, 0.75)
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
        hat = (0.12, 0.12, 0.14) if not is_dark(main) else (0.6, 0.15, 0.15)
        s.tube("hat", (0, 0, z2 + head * 0.75), (0, 0, z2 + head * 0.75 + 0.05), (0.36, 0.36), hat)
        s.tube("hat", (0, 0, z2 + head * 0.75), (0, 0, z2 + head + s.u(0.2, 0.35)), (0.23, 0.22), hat)


def robot(s: Sculptor, main: Paint) -> None:
    w, h, head, leg = s.u(0.34, 0.46), s.u(0.38, 0.48), s.u(0.22, 0.3), s.u(0.35, 0.5)
    joint = METAL if np.abs(base_color(main) - METAL).sum() > 0.5 else np.asarray(DARK_METAL)
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


TOYS = family("toys", with_front=(snowman, robot), without_front=())
