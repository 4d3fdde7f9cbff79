"""Cameras by their parameters, alone and in rigs."""

import math
from dataclasses import dataclass, replace

import numpy as np

from backend.pocket.render import View, orbit

ORTHOGRAPHIC_AZIMUTHS = (0.0, 45.0, 90.0, 180.0, 270.0, 315.0)
"""Of the six views of Wonder3D (Long et al., 2310.15008): front, both halves to the front, both
sides, back; all level."""


@dataclass(frozen=True)
class Shot:
    """A camera by its parameters: degrees, and the part of the frame that the unit ball fills."""

    azimuth: float
    elevation: float
    fov: float
    fill: float
    orthographic: bool = False

    def view(self) -> View:
        """The camera as the ray caster wants it."""
        half = math.tan(math.radians(self.fov) / 2)
        radius = 1 / math.sin(math.atan(self.fill * half))
        half = 1 / self.fill if self.orthographic else half
        return View(orbit(self.azimuth, self.elevation, radius), half, self.orthographic)

    def turned(self, degrees: float) -> "Shot":
        """The same camera, further around the z axis."""
        return replace(self, azimuth=(self.azimuth + degrees) % 360)


def draw_elevation(rng: np.random.Generator) -> float:
    """Mostly -10 to 45 degrees, sometimes anything from -20 to 90."""
    wide = rng.random() < 0.2
    return float(rng.uniform(-20, 90) if wide else rng.uniform(-10, 45))


def draw_shot(rng: np.random.Generator) -> Shot:
    """One camera, anywhere."""
    fov = float(rng.uniform(15, 70) if rng.random() < 0.4 else rng.uniform(30, 60))
    fill, azimuth = float(rng.uniform(0.7, 1.2)), float(rng.uniform(0, 360))
    return Shot(azimuth, draw_elevation(rng), fov, fill, bool(rng.random() < 0.08))


def draw_ring(rng: np.random.Generator, views: int) -> list[Shot]:
    """Evenly spaced azimuths at one elevation."""
    first = draw_shot(rng)
    return [first.turned(360 / views * i) for i in range(views)]


def draw_rig(rng: np.random.Generator, views: int) -> list[Shot]:
    """Cameras of one lens: mostly evenly around at one elevation, sometimes anywhere."""
    ring = draw_ring(rng, views)
    if rng.random() >= 0.12:
        return ring
    return [
        replace(shot, azimuth=float(rng.uniform(0, 360)), elevation=draw_elevation(rng))
        for shot in ring
    ]


def draw_around(rng: np.random.Generator, views: int) -> list[Shot]:
    """A camera and others beside it: a fifth are the same, where all that it shows is to be carried
    over as it is, two fifths lie near, the others anywhere."""
    first = draw_shot(rng)

    def draw() -> Shot:
        chance = rng.random()
        if chance < 0.2:
            return first
        if chance < 0.6:
            elevation = float(np.clip(first.elevation + rng.normal(0, 12), -20, 90))
            return replace(first.turned(float(rng.normal(0, 40))), elevation=elevation)
        return draw_shot(rng)

    return [first, *(draw() for _ in range(views - 1))]


def draw_orthographic(rng: np.random.Generator) -> list[Shot]:
    """Wonder3D's six orthographic views, half of the time level and from the front on, as it draws
    them, else from anywhere on; filled as its frames are, or as recipes like it."""
    first = Shot(0.0, 0.0, 40.0, float(rng.uniform(0.8, 1.1)), True)
    if rng.random() < 0.5:
        first = replace(
            first, azimuth=float(rng.uniform(0, 360)), elevation=float(rng.uniform(-10, 45))
        )
    return [first.turned(azimuth) for azimuth in ORTHOGRAPHIC_AZIMUTHS]
