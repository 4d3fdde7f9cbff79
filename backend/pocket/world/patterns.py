"""Solid patterns: the color of a material at points of a part, the same in renders and meshes."""

import math

import numpy as np
from numba import njit

from backend.pocket.world.materials import PATTERNS, Array
from backend.pocket.world.parts import SWEEP, Part

PLAIN, STRIPES, CHECKS, DOTS, WOOD, STONE, METAL = range(len(PATTERNS))
_DOT_RADIUS = 0.33


def paint_row(part: Part) -> Array:
    """A part's paint as numbers, (12,): pattern, axis, size, two colors, and the local units."""
    material = part.material
    row = np.empty(12)
    row[:3] = PATTERNS.index(material.pattern), pattern_axis(part), material.size
    row[3:6], row[6:9] = np.clip(material.color, 0, 1), np.clip(material.other, 0, 1)
    row[9:] = part.grain
    return row


def pattern_axis(part: Part) -> int:
    """The local axis of the pattern: the material's own, else z, but the longest side for wood and
    where a part is too flat to show three stripes."""
    material, sides = part.material, 2 * part.local_bounds()[1] * part.grain
    if material.axis is not None:
        return material.axis
    flat = material.pattern == "stripes" and part.shape != SWEEP and sides[2] < 3 * material.size
    return int(np.argmax(sides)) if flat or material.pattern == "wood" else 2


def painted(part: Part, local: Array, along: Array) -> Array:
    """The colors of a part at points in its own coordinates, (n, 3) to (n, 3).

    `along` (n,) is the way along the curve of a swept tube, in local units.
    """
    colors = np.empty_like(local)
    _paint_all(paint_row(part)[None], part.shape == SWEEP, local, along, colors)
    return colors


@njit(cache=True)
def _paint_all(rows, swept, local, along, colors):  # type: ignore[no-untyped-def]
    point, color = np.empty(3), np.empty(3)
    for index in range(len(local)):
        point[:] = local[index]
        if swept and rows[0, 0] == STRIPES:
            point[2] = along[index]
        paint(rows, 0, point, color)
        colors[index] = color


@njit(cache=True, fastmath=True)
def paint(rows, part, point, color):  # type: ignore[no-untyped-def]
    """Set `color` (3,) to that of a part at a local point (3,), which is overwritten."""
    pattern, axis, share = int(rows[part, 0]), int(rows[part, 1]), 0.0
    if pattern == PLAIN:
        for i in range(3):
            color[i] = rows[part, 3 + i]
        return
    for i in range(3):
        point[i] *= rows[part, 9 + i] / rows[part, 2]
    if pattern == STRIPES:
        share = math.floor(point[axis] + 0.5) % 2
    elif pattern == CHECKS:
        # Off center, so that a flat side of a part does not lie on a border between squares.
        for i in range(3):
            share += math.floor(point[i] + 0.237)
        share %= 2
    elif pattern == DOTS:
        share = _dots(point)
    elif pattern == WOOD:
        share = _rings(point, axis)
    elif pattern == STONE:
        coarse, fine = _noise(point, axis, 1.0, 1.0), _noise(point, axis, 2.7, 2.7)
        share = min(1.0, max(0.0, 2.2 * (0.6 * coarse + 0.4 * fine) - 0.7))
    for i in range(3):
        color[i] = (1 - share) * rows[part, 3 + i] + share * rows[part, 6 + i]
    if pattern == METAL:
        brushed = _noise(point, axis, 0.6, 4.0)
        for i in range(3):
            color[i] = min(1.0, color[i] * (0.75 + 0.45 * brushed) + 0.08)


@njit(cache=True, fastmath=True)
def _dots(point):  # type: ignore[no-untyped-def]
    """Balls on a body-centered lattice: any cut through it shows dots."""
    for shift in (0.0, 0.5):
        squared = 0.0
        for i in range(3):
            x = point[i] + shift
            squared += (x - math.floor(x + 0.5)) ** 2
        if squared < _DOT_RADIUS**2:
            return 1.0
    return 0.0


@njit(cache=True, fastmath=True)
def _rings(point, axis):  # type: ignore[no-untyped-def]
    """Year rings about a wavering trunk beside the part."""
    waver = _noise(point, axis, 0.7, 0.15)
    u, v = point[(axis + 1) % 3] + 2.3, point[(axis + 2) % 3] + 3.1
    phase = math.sqrt(u * u + 0.5 * v * v) + 1.2 * waver
    wave = phase - math.floor(phase)
    return wave * wave


@njit(cache=True, fastmath=True)
def _noise(point, axis, across, along):  # type: ignore[no-untyped-def]
    """Smooth noise in [0, 1]: so many values a unit across an axis and along it."""
    x = point[0] * (along if axis == 0 else across)
    y = point[1] * (along if axis == 1 else across)
    z = point[2] * (along if axis == 2 else across)
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    total = 0.0
    for corner in range(8):
        a, b, c = corner & 1, (corner >> 1) & 1, corner >> 2
        weight = (u if a else 1 - u) * (v if b else 1 - v) * (w if c else 1 - w)
        total += weight * _scrambled(int(i) + a, int(j) + b, int(k) + c)
    return total


@njit(cache=True)
def _scrambled(i, j, k):  # type: ignore[no-untyped-def]
    """A number in [0, 1) of three integers (the mixing steps of MurmurHash3)."""
    h = np.uint32(i * 73856093) ^ np.uint32(j * 19349663) ^ np.uint32(k * 83492791)
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.float64(h ^ (h >> np.uint32(16))) / 4294967296.0
