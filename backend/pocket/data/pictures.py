"""What the light, the background and the buffer of a picture are."""

import numpy as np
from numpy.typing import NDArray

from backend.pocket.data.shots import Shot
from backend.pocket.render import Light, View, orbit

Floats = NDArray[np.float32]
SIZE = 64
GRAY = np.float32(0.5)
WHITE_LIGHT = Light(np.array([1.0, -3, 3]), 0.5, 0.5)


def draw_light(rng: np.random.Generator, shot: Shot) -> Light | None:
    """No light for a third; else a point light around the camera, as DreamFusion's."""
    if rng.random() < 0.35:
        return None
    toward = orbit(shot.azimuth + rng.normal(0, 50), rng.uniform(0, 80), 1.0)[:, 3]
    ambient = float(rng.uniform(0.4, 0.8))
    return Light(
        toward * rng.uniform(1.5, 4), min(1.05 - ambient, float(rng.uniform(0.3, 0.6))), ambient
    )


def draw_background(rng: np.random.Generator) -> Floats:
    """A plain or smoothly varying background, (64, 64, 3)."""
    first, second = rng.uniform(0, 1, 3), rng.uniform(0, 1, 3)
    if rng.random() < 0.5:
        second = first
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:SIZE, :SIZE] / (SIZE - 1) - 0.5
    mix = np.clip(0.5 + x * np.cos(angle) + y * np.sin(angle), 0, 1)[..., None]
    return (first * (1 - mix) + second * mix).astype(np.float32)


def color_planes(rgba: Floats, background: Floats | None = None) -> Floats:
    """Renders (..., 64, 64, 4) as the network sees them, (..., 4, 64, 64) in [-1, 1]: over gray
    with alpha, or over a background with alpha 1, which then means nothing."""
    alpha = rgba[..., 3:]
    color = rgba[..., :3] * alpha + (GRAY if background is None else background) * (1 - alpha)
    return planes(color, alpha if background is None else np.ones_like(alpha))


def normal_planes(rgba: Floats, normals: Floats) -> Floats:
    """World normals as color, (n + 1) / 2, over gray, with alpha."""
    alpha = rgba[..., 3:]
    return planes(GRAY + normals / 2 * alpha, alpha)


def nearness_planes(rgba: Floats, depth: Floats, views: list[View]) -> Floats:
    """The coordinate along the camera's backward axis, which is in [-1, 1], as gray over gray."""
    back = np.stack([view.c2w[:, 2] for view in views])
    position = np.stack([view.c2w[:, 3] for view in views])
    near = (position * back).sum(-1)[:, None, None, None] - depth
    alpha = rgba[..., 3:]
    gray = np.clip(GRAY + near / 2 * alpha, 0, 1)
    return planes(np.repeat(gray, 3, -1), alpha)


def planes(color: Floats, alpha: Floats) -> Floats:
    """Color and alpha in [0, 1], channels last, to (..., 4, 64, 64) in [-1, 1]."""
    image = np.concatenate([color, alpha], -1) * 2 - 1
    return np.moveaxis(image, -1, -3).astype(np.float32)


def turned_z(vectors: Floats, degrees: float) -> Floats:
    """Vectors (..., 3) turned about z, counter-clockwise."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float32)
    return vectors @ rotation.T
