"""The color words and the shades that each covers."""

import colorsys

import numpy as np

from backend.pocket.world.materials import Array

COLORS: dict[str, tuple[float, float, float]] = {
    "red": (0.86, 0.10, 0.10),
    "orange": (1.0, 0.52, 0.06),
    "yellow": (0.98, 0.88, 0.14),
    "green": (0.15, 0.62, 0.20),
    "blue": (0.12, 0.32, 0.85),
    "purple": (0.50, 0.16, 0.68),
    "pink": (0.98, 0.55, 0.74),
    "brown": (0.43, 0.25, 0.12),
    "white": (0.94, 0.94, 0.94),
    "black": (0.10, 0.10, 0.11),
    "gray": (0.50, 0.51, 0.53),
    "cyan": (0.12, 0.78, 0.82),
    "magenta": (0.84, 0.08, 0.58),
    "lime": (0.62, 0.90, 0.12),
}
"""A place in this order decides what is held out of training: new colors go to the end."""


def shade(color: str, rng: np.random.Generator) -> Array:
    """A random shade of a color word, display-encoded RGB (3,)."""
    hue, saturation, value = colorsys.rgb_to_hsv(*COLORS[color])
    hue = (hue + rng.uniform(-0.015, 0.015)) % 1
    saturation = min(1.0, saturation * rng.uniform(0.9, 1.08))
    value = min(1.0, value * rng.uniform(0.9, 1.06))
    return np.array(colorsys.hsv_to_rgb(hue, saturation, value))
