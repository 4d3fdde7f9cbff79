"""The sculptor that places parts, and the rotations it needs."""

from dataclasses import replace

import numpy as np

from backend.pocket.world.curves import smooth_curve
from backend.pocket.world.materials import Array, Material, Paint, Pattern, Vector, as_material
from backend.pocket.world.parts import (
    BOX,
    CAPSULE,
    ELLIPSOID,
    FRUSTUM,
    LATHE,
    PEBBLE,
    ROUNDED_BOX,
    SWEEP,
    TORUS,
    Part,
)
from backend.pocket.world.scenes import Joint, Scene

__all__ = [
    "Array", "Joint", "Material", "Paint", "Part", "Pattern", "Scene", "Sculptor", "Vector",
    "aligned", "turn",
]  # fmt: skip


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
    x = np.array([0.0, -z[2], z[1]] if abs(z[0]) < 0.9 else [z[2], 0.0, -z[0]])
    x /= np.linalg.norm(x)
    y = [z[1] * x[2] - z[2] * x[1], z[2] * x[0] - z[0] * x[2], z[0] * x[1] - z[1] * x[0]]
    return np.stack([x, y, z], 1)


class Sculptor:
    """Collects parts and joints; `u` and `pick` are the random parameters of the object being made.

    What a part is painted with (`color`) is an RGB triple or a `Material`.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.parts: list[Part] = []
        self.joints: list[Joint] = []

    def u(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def chance(self, probability: float = 0.5) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, *colors: Vector) -> Array:
        return np.asarray(colors[int(self.rng.integers(len(colors)))], float)

    def ball(
        self, name: str, center: Vector, radii: float | Vector, color: Paint,
        rotation: Array | None = None, clip: tuple[float, float] = (-1.0, 1.0),
    ) -> None:
        """An ellipsoid; `clip` keeps a range of its own z and leaves it open there."""
        self._add(name, ELLIPSOID, center, rotation, np.broadcast_to(radii, 3), clip, color)

    def pebble(
        self, name: str, center: Vector, radii: float | Vector, exponents: tuple[float, float],
        color: Paint, rotation: Array | None = None,
    ) -> None:
        """A superquadric: exponents (around z, along z), 1 a diamond, 2 a ball, 5 nearly a box.

        (2, 5) is a cylinder with soft edges, (5, 2) a cushion. Raises ValueError below 1 (concave).
        """
        if min(exponents) < 1:
            raise ValueError(f"a pebble is convex: its exponents are at least 1, not {exponents}")
        self._add(name, PEBBLE, center, rotation, np.broadcast_to(radii, 3), exponents, color)

    def box(
        self, name: str, center: Vector, half: Vector, color: Paint,
        rotation: Array | None = None, top: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """A box whose upper face is narrowed or widened by `top` (0, 1: a gable)."""
        self._add(name, BOX, center, rotation, half, top, color)

    def soft_box(
        self, name: str, center: Vector, half: Vector, edge: float, color: Paint,
        rotation: Array | None = None,
    ) -> None:
        """A box with rounded edges of radius `edge`."""
        self._add(name, ROUNDED_BOX, center, rotation, (1, 1, 1), (*half, edge), color)

    def tube(
        self, name: str, start: Vector, end: Vector, radii: tuple[float, float], color: Paint,
        capped: bool = True,
    ) -> None:
        """A cylinder or cone from `start` to `end` with the radii there."""
        start, end = np.asarray(start, float), np.asarray(end, float)
        scale = (1, 1, np.linalg.norm(end - start) / 2)
        params = (*radii, float(capped))
        self._add(name, FRUSTUM, (start + end) / 2, aligned(end - start), scale, params, color)

    def rod(self, name: str, start: Vector, end: Vector, radius: float, color: Paint) -> None:
        """A capsule from `start` to `end`."""
        start, end = np.asarray(start, float), np.asarray(end, float)
        params = (float(np.linalg.norm(end - start)) / 2, radius)
        self._add(name, CAPSULE, (start + end) / 2, aligned(end - start), (1, 1, 1), params, color)

    def ring(
        self, name: str, center: Vector, axis: Vector, radius: float, thickness: float,
        color: Paint, squash: float = 1.0,
    ) -> None:
        """A torus around `axis`, scaled along it by `squash`."""
        scale = (radius, radius, radius * squash)
        self._add(name, TORUS, center, aligned(axis), scale, (thickness / radius,), color)

    def sweep(
        self, name: str, points: Array | list[Vector], radii: float | list[float], color: Paint
    ) -> None:
        """A round-ended tube along the smooth curve through `points`, (n, 3), with the radii there.

        A point given twice is a sharp bend.
        """
        points = np.asarray(points, float)
        radii = np.broadcast_to(np.asarray(radii, float), len(points))
        balls, _ = smooth_curve(np.concatenate([points, radii[:, None]], 1))
        balls[:, 3] = np.clip(balls[:, 3], radii.min(), radii.max())
        self._add(name, SWEEP, (0, 0, 0), None, (1, 1, 1), balls, color)

    def lathe(
        self, name: str, start: Vector, end: Vector, profile: list[tuple[float, float]],
        color: Paint, capped: bool = True,
    ) -> None:
        """The surface that a smooth profile sweeps around the line from `start` to `end`.

        `profile` lists (fraction of the line, radius); one given twice is a sharp edge, fractions
        may go back (the inside of a vase), a radius of 0 at an end closes roundly there, and
        `capped` closes open ends with discs.
        """
        start, end = np.asarray(start, float), np.asarray(end, float)
        half = float(np.linalg.norm(end - start)) / 2
        rows = _turned([(radius, (2 * at - 1) * half) for at, radius in profile], capped)
        rows[:, [1, 3]] /= half
        self._add(name, LATHE, (start + end) / 2, aligned(end - start), (1, 1, half), rows, color)

    def joint(
        self, verb: str, parts: str | tuple[str, ...], pivot: Vector, axis: Vector,
        degrees: tuple[float, float],
    ) -> None:
        """Let the parts of these names turn about an axis; see `Joint`. Verbs: wag, flap, walk, open.

        Parts of one name that move apart (left and right) need names of their own.
        """
        names = (parts,) if isinstance(parts, str) else tuple(parts)
        direction = np.asarray(axis, float)
        direction = direction / np.linalg.norm(direction)
        self.joints.append(Joint(verb, names, np.asarray(pivot, float), direction, degrees))

    def _add(
        self, name: str, shape: int, center: Vector, rotation: Array | None, scale: Vector | Array,
        params: tuple[float, ...] | Array, color: Paint,
    ) -> None:
        rotation = np.eye(3) if rotation is None else rotation
        matrix = np.concatenate([rotation * np.asarray(scale, float), np.reshape(center, (3, 1))], 1)
        material = as_material(color)
        self.parts.append(
            Part(name, shape, matrix, np.asarray(params, float), material, np.ones(3), matrix)
        )

    def finish(self, kind: str, color: str, radius: float = 0.95) -> Scene:
        """The object, centered and scaled into a ball of `radius`."""
        scene = Scene(kind, color, tuple(self.parts), tuple(self.joints)).normalized(radius)
        parts = tuple(
            replace(part, grain=np.linalg.norm(part.local_to_world[:, :3], axis=0))
            for part in scene.parts
        )
        return replace(scene, parts=parts)


def _turned(profile: list[tuple[float, float]], capped: bool) -> Array:
    """Rows of a lathe (see `Part`) from (radius, height) points."""
    points = np.array(profile, float)
    if capped:
        points = np.concatenate([_cap(points[0]), points, _cap(points[-1])[::-1]])
    before, after = _mirrored(points[0], points[1]), _mirrored(points[-1], points[-2])
    positions, tangents = smooth_curve(np.concatenate([before, points, after]))
    first, last = ((positions == end).all(1).nonzero()[0] for end in points[[0, -1]])
    positions, tangents = positions[first[0] : last[-1] + 1], tangents[first[0] : last[-1] + 1]
    joined = np.append((np.diff(positions, axis=0) != 0).any(1), False)
    positions[:, 0] = np.maximum(positions[:, 0], 0)
    return np.concatenate([positions, tangents, joined[:, None]], 1)


def _cap(end: Array) -> Array:
    """The points that close an open end with a disc, with a sharp edge."""
    return np.array([[0.0, end[1]], end]) if end[0] > 0 else np.empty((0, 2))


def _mirrored(end: Array, neighbor: Array) -> Array:
    """A point beyond an end on the axis: a curve that comes out the other side has a round tip."""
    if end[0] > 0 or (end == neighbor).all():
        return np.empty((0, 2))
    return np.array([[-neighbor[0], neighbor[1]]])
