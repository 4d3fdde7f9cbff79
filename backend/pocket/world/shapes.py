"""Analytic shapes, the named parts that are made of them, and the sculptor that places parts."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Vector = tuple[float, float, float] | Array

Pattern = Literal["plain", "stripes", "checks", "dots", "wood", "stone", "metal"]


@dataclass(frozen=True)
class Material:
    """How a part is painted: a pattern in object space, of one color or two (RGB, (3,))."""

    color: Array
    pattern: Pattern = "plain"
    second: Array | None = None
    size: float = 0.2


@dataclass(frozen=True)
class Joint:
    """What of an object moves by itself: the parts of these names turn about an axis through the
    pivot, between two angles in degrees; ``verb`` is the motion that uses it (wag, flap, open …).
    """

    verb: str
    parts: tuple[str, ...]
    pivot: Array
    axis: Array
    degrees: tuple[float, float]

ELLIPSOID, BOX, FRUSTUM, TORUS, CAPSULE, ROUNDED_BOX = range(6)


@dataclass(frozen=True)
class Part:
    """One named analytic shape.

    `local_to_world` is a (3, 4) affine map out of the shape's own coordinates; `params` are the
    four numbers of the shape: ellipsoid (lowest z, highest z, -, -) of the unit sphere, open where
    it is cut; box (x and y half-width at the top, -, -) of the cube [-1, 1]^3; frustum (radius at
    z = -1, radius at z = 1, capped, -); torus (minor radius for major radius 1); capsule (half
    length along z, radius); rounded box (half sizes, edge radius).
    """

    name: str
    shape: int
    local_to_world: Array
    params: Array
    color: Array

    def surface_points(self) -> Array:
        """Points on or just outside the surface, (N, 3), in world space."""
        local = _SPHERE * _extent(self.shape, self.params)
        if self.shape in (BOX, ROUNDED_BOX):
            local = _CORNERS * _extent(self.shape, self.params)
            if self.shape == BOX:
                local = local * np.where(_CORNERS[:, 2:] > 0, [*self.params[:2], 1.0], 1.0)
        elif self.shape == FRUSTUM:
            radius = np.where(_RIM[:, 2:] > 0, self.params[1], self.params[0])
            local = _RIM * np.concatenate([radius, radius, np.ones_like(radius)], 1)
        elif self.shape == ELLIPSOID:
            local = _clipped_sphere(self.params[0], self.params[1])
        return local @ self.local_to_world[:, :3].T + self.local_to_world[:, 3]

    def local_bounds(self) -> Array:
        """Half sizes of a box around the shape in its own coordinates, (3,)."""
        return _extent(self.shape, self.params)


@dataclass(frozen=True)
class Scene:
    """An object: its parts (drawn in the unit ball), its kind and its color word."""

    kind: str
    color: str
    parts: tuple[Part, ...]

    def textureless(self) -> "Scene":
        """The same object in plain white."""
        white = np.array([0.92, 0.92, 0.92])
        parts = tuple(
            Part(p.name, p.shape, p.local_to_world, p.params, white) for p in self.parts
        )
        return Scene(self.kind, self.color, parts)


def _sphere_points() -> Array:
    z, angle = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(0, 2 * np.pi, 16, endpoint=False))
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], -1).reshape(-1, 3)


_SPHERE = _sphere_points()
_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1.0, 1.0)])
_RIM = np.array(
    [[np.cos(a), np.sin(a), z] for a in np.linspace(0, 2 * np.pi, 16, False) for z in (-1.0, 1.0)]
)


def _clipped_sphere(low: float, high: float) -> Array:
    points = _SPHERE.copy()
    points[:, 2] = np.clip(points[:, 2], low, high)
    ring = np.hypot(points[:, 0], points[:, 1])[:, None]
    radius = np.sqrt(np.maximum(1 - points[:, 2:] ** 2, 0))
    points[:, :2] *= np.where(ring > 0, radius / np.maximum(ring, 1e-9), 0)
    return points


def _extent(shape: int, params: Array) -> Array:
    if shape == TORUS:
        return np.array([1 + params[0], 1 + params[0], params[0]])
    if shape == CAPSULE:
        return np.array([params[1], params[1], params[0] + params[1]])
    if shape == ROUNDED_BOX:
        return np.array(params[:3])
    if shape == FRUSTUM:
        return np.array([max(params[0], params[1])] * 2 + [1.0])
    if shape == BOX:
        return np.array([max(1.0, params[0]), max(1.0, params[1]), 1.0])
    return np.ones(3)


def turn(degrees: float, axis: str) -> Array:
    """Rotation about a coordinate axis, (3, 3), counter-clockwise."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    rotation = np.eye(3)
    rotation[i, i], rotation[i, j], rotation[j, i], rotation[j, j] = c, -s, s, c
    return rotation


def aligned(direction: Vector) -> Array:
    """A rotation, (3, 3), that takes the z axis to `direction`."""
    z = np.asarray(direction, float)
    z = z / np.linalg.norm(z)
    helper = np.array([1.0, 0, 0]) if abs(z[0]) < 0.9 else np.array([0, 1.0, 0])
    x = np.cross(helper, z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z], 1)


class Sculptor:
    """Collects parts; `u` and `pick` are the random parameters of the object being made."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.parts: list[Part] = []

    def u(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def chance(self, probability: float = 0.5) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, *colors: Vector) -> Array:
        return np.asarray(colors[int(self.rng.integers(len(colors)))], float)

    def ball(
        self, name: str, center: Vector, radii: float | Vector, color: Vector,
        rotation: Array | None = None, clip: tuple[float, float] = (-1.0, 1.0),
    ) -> None:
        """An ellipsoid; `clip` keeps a range of its own z and leaves it open there."""
        self._add(name, ELLIPSOID, center, rotation, np.broadcast_to(radii, 3), clip, color)

    def box(
        self, name: str, center: Vector, half: Vector, color: Vector,
        rotation: Array | None = None, top: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """A box whose upper face is narrowed or widened by `top` (0, 1: a gable)."""
        self._add(name, BOX, center, rotation, half, top, color)

    def soft_box(
        self, name: str, center: Vector, half: Vector, edge: float, color: Vector,
        rotation: Array | None = None,
    ) -> None:
        """A box with rounded edges of radius `edge`."""
        self._add(name, ROUNDED_BOX, center, rotation, (1, 1, 1), (*half, edge), color)

    def tube(
        self, name: str, start: Vector, end: Vector, radii: tuple[float, float], color: Vector,
        capped: bool = True,
    ) -> None:
        """A cylinder or cone from `start` to `end` with the radii there."""
        start, end = np.asarray(start, float), np.asarray(end, float)
        scale = (1, 1, np.linalg.norm(end - start) / 2)
        params = (*radii, float(capped))
        self._add(name, FRUSTUM, (start + end) / 2, aligned(end - start), scale, params, color)

    def rod(self, name: str, start: Vector, end: Vector, radius: float, color: Vector) -> None:
        """A capsule from `start` to `end`."""
        start, end = np.asarray(start, float), np.asarray(end, float)
        params = (float(np.linalg.norm(end - start)) / 2, radius)
        self._add(name, CAPSULE, (start + end) / 2, aligned(end - start), (1, 1, 1), params, color)

    def ring(
        self, name: str, center: Vector, axis: Vector, radius: float, thickness: float,
        color: Vector, squash: float = 1.0,
    ) -> None:
        """A torus around `axis`, scaled along it by `squash`."""
        scale = (radius, radius, radius * squash)
        self._add(name, TORUS, center, aligned(axis), scale, (thickness / radius,), color)

    def _add(
        self, name: str, shape: int, center: Vector, rotation: Array | None, scale: Vector | Array,
        params: tuple[float, ...], color: Vector,
    ) -> None:
        rotation = np.eye(3) if rotation is None else rotation
        matrix = np.concatenate([rotation * np.asarray(scale, float), np.reshape(center, (3, 1))], 1)
        padded = np.zeros(4)
        padded[: len(params)] = params
        self.parts.append(Part(name, shape, matrix, padded, np.asarray(color, float)))

    def finish(self, kind: str, color: str, radius: float = 0.95) -> Scene:
        """The object, centered and scaled into a ball of `radius`."""
        points = np.concatenate([part.surface_points() for part in self.parts])
        center = (points.min(0) + points.max(0)) / 2
        scale = radius / np.linalg.norm(points - center, axis=1).max()
        parts = []
        for part in self.parts:
            matrix = part.local_to_world.copy()
            matrix[:, 3] -= center
            parts.append(Part(part.name, part.shape, matrix * scale, part.params, part.color))
        return Scene(kind, color, tuple(parts))
