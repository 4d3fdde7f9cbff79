"""Furniture."""

from backend.pocket.world.kinds.base import (
    CREAM,
    DARK_METAL,
    DARK_WOOD,
    LIGHT,
    METAL,
    WHITE,
    WOOD,
    apart,
    darker,
    family,
)
from backend.pocket.world.shapes import Array, Sculptor


def chair(s: Sculptor, main: Array) -> None:
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


def table(s: Sculptor, main: Array) -> None:
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


def bed(s: Sculptor, main: Array) -> None:
    w, length, h = s.u(0.5, 0.75), s.u(0.85, 1.05), s.u(0.25, 0.38)
    wood = apart(s, main, WOOD, DARK_WOOD, CREAM)
    s.box("frame", (0, 0, h - 0.12), (w + 0.04, length + 0.03, 0.09), wood)
    s.soft_box("sheet", (0, 0, h + 0.05), (w, length, 0.13), 0.06, WHITE)
    s.soft_box("blanket", (0, -0.25 * length, h + 0.07), (w + 0.03, 0.76 * length, 0.15), 0.06, main)
    s.box("headboard", (0, length, h + s.u(0.15, 0.3)), (w + 0.05, 0.05, h + 0.25), wood)
    s.box("footboard", (0, -length, h * 0.7), (w + 0.05, 0.04, h * 0.7), wood)
    count = 2 if w > 0.58 else 1
    for i in range(count):
        x = (i - (count - 1) / 2) * w
        half = (w * (0.42 if count == 2 else 0.7), 0.17, 0.08)
        s.soft_box("pillow", (x, length * 0.76, h + 0.22), half, 0.07, WHITE)


def lamp(s: Sculptor, main: Array) -> None:
    h, low, high, shade = s.u(0.9, 1.5), s.u(0.45, 0.65), s.u(0.2, 0.36), s.u(0.5, 0.7)
    stand = apart(s, main, DARK_METAL, WOOD, METAL)
    s.tube("base", (0, 0, 0), (0, 0, 0.08), (0.36, 0.3), stand)
    s.tube("pole", (0, 0, 0), (0, 0, h), (0.05, 0.05), stand)
    s.tube("shade", (0, 0, h - 0.1), (0, 0, h - 0.1 + shade), (low, high), main, capped=False)
    s.ball("bulb", (0, 0, h + 0.12), 0.15, LIGHT)


FURNITURE = family("furniture", with_front=(chair, bed), without_front=(table, lamp))
