"""Smooth curves through given points, cut into as few straight pieces as look smooth."""

import numpy as np

from backend.pocket.world.materials import Array

_STEP_DEGREES = 14.0


def smooth_curve(points: Array) -> tuple[Array, Array]:
    """A curve through `points` (n, d) as positions (m, d) and unit tangents (m, d).

    Cubic Hermite pieces with three-point tangents over centripetal knots (Catmull-Rom). A point
    given twice is a corner: the curve ends there and starts anew, with two tangents.
    """
    corner = np.flatnonzero((np.diff(points, axis=0) == 0).all(1)) + 1
    runs = [_smooth_run(run) for run in np.split(points, corner) if len(run) > 1]
    positions, tangents = (np.concatenate(arrays) for arrays in zip(*runs, strict=True))
    return positions, tangents / np.linalg.norm(tangents, axis=1, keepdims=True)


def _smooth_run(points: Array) -> tuple[Array, Array]:
    chords = np.diff(points, axis=0)
    widths = np.sqrt(np.linalg.norm(chords, axis=1))
    tangents = _knot_tangents(chords / widths[:, None], widths)
    positions, slopes = [], []
    for i in range(len(chords)):
        s = np.linspace(0, 1, _pieces(tangents[i], chords[i], tangents[i + 1]) + 1)
        s = (s if i == len(chords) - 1 else s[:-1])[:, None]
        start, end = tangents[i] * widths[i], tangents[i + 1] * widths[i]
        rise = s**2 * (3 - 2 * s)
        bend = s * (1 - s) ** 2 * start - s**2 * (1 - s) * end
        positions.append(points[i] + rise * chords[i] + bend)
        slope = 6 * s * (1 - s) * chords[i]
        slopes.append(slope + (1 - s) * (1 - 3 * s) * start + s * (3 * s - 2) * end)
    curve = np.concatenate(positions)
    curve[-1] = points[-1]  # a + (b - a) is not always b
    return curve, np.concatenate(slopes)


def _knot_tangents(speeds: Array, widths: Array) -> Array:
    """Derivatives at the knots; at the ends those of the parabola through three points."""
    if len(speeds) == 1:
        return np.repeat(speeds, 2, 0)
    before, after = widths[:-1, None], widths[1:, None]
    inner = (speeds[:-1] * after + speeds[1:] * before) / (before + after)
    ends = 2 * speeds[[0, -1]] - inner[[0, -1]]
    return np.concatenate([ends[:1], inner, ends[1:]])


def _pieces(start: Array, chord: Array, end: Array) -> int:
    """How many straight pieces hide the corners of a span."""
    turned = _angle_degrees(start, chord) + _angle_degrees(chord, end)
    return int(np.clip(np.ceil(turned / _STEP_DEGREES), 1, 8))


def _angle_degrees(a: Array, b: Array) -> float:
    cosine = a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
