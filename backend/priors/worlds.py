"""Analytic things and an independent ray caster: the ground truth that oracles and tests share.

Nothing here uses the project's own rays or renderers, so that a mistake in those shows. All
things lie in the unit ball, z up, fronts toward -y; colors are display-encoded and unshaded.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.rendering.cameras import Cameras

Array = NDArray[np.float64]


class Hits(NamedTuple):
    """Where rays meet a surface first: distance (n,), inf where they miss; outward unit normals
    and colors (n, 3)."""

    distance: Array
    normals: Array
    colors: Array


Surface = Callable[[Array, Array], Hits]
"""(origins (n, 3), unit directions (n, 3)) -> hits."""


class Drawing(NamedTuple):
    """Pictures (views, height, width, ...): color over the background, alpha and depth with one
    channel, world normals; zero where nothing is hit."""

    color: Array
    alpha: Array
    depth: Array
    normals: Array


@dataclass(frozen=True)
class World:
    """A thing made of surfaces, turned about z by ``azimuth_degrees`` (counter-clockwise)."""

    name: str
    surfaces: tuple[Surface, ...]
    azimuth_degrees: float = 0.0

    def turned(self, degrees: float) -> "World":
        """The same thing, turned further about z."""
        return replace(self, azimuth_degrees=self.azimuth_degrees + degrees)

    def draw(self, cameras: Cameras, *, background: float = 0.5, samples: int = 2) -> Drawing:
        """Cast ``samples``**2 rays a pixel for color and alpha, one through the pixel's center for
        depth and normals."""
        offsets = [((i + 0.5) / samples, (j + 0.5) / samples)
                   for i in range(samples) for j in range(samples)]
        size = (len(cameras), cameras.height, cameras.width)
        color, alpha = np.zeros((*size, 3)), np.zeros((*size, 1))
        for offset in offsets:
            hits, _ = self._cast(cameras, offset)
            covered = np.isfinite(hits.distance)[..., None]
            color += np.where(covered, hits.colors, background) / len(offsets)
            alpha += covered / len(offsets)
        hits, along = self._cast(cameras, (0.5, 0.5))
        covered = np.isfinite(hits.distance)
        depth = np.where(covered, hits.distance, 0) * along
        normals = np.where(covered[..., None], hits.normals, 0)
        return Drawing(color, alpha, depth[..., None], normals)

    def _cast(self, cameras: Cameras, offset: tuple[float, float]) -> tuple[Hits, Array]:
        """The nearest hits, as images, and the cosine of each ray with the view axis."""
        origins, directions, along = _rays(cameras, offset)
        turn = _turn(self.azimuth_degrees)
        shape = directions.shape[:-1]
        local = (origins @ turn).reshape(-1, 3), (directions @ turn).reshape(-1, 3)
        hits = _nearest([surface(*local) for surface in self.surfaces])
        return Hits(
            hits.distance.reshape(shape),
            (hits.normals @ turn.T).reshape(*shape, 3),
            hits.colors.reshape(*shape, 3),
        ), along


def _turn(degrees: float) -> Array:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def _rays(cameras: Cameras, offset: tuple[float, float]) -> tuple[Array, Array, Array]:
    """Origins and unit directions (views, height, width, 3) through the same point of all pixels,
    ``offset`` from their upper left corners as (x, y), and cosines with the view axis."""
    c2w = cameras.c2w.double().cpu().numpy()
    views, height, width = len(c2w), cameras.height, cameras.width
    fov = np.radians(cameras.fov_degrees.double().cpu().numpy())
    ortho = np.zeros(views)
    if cameras.ortho_height is not None:
        ortho = cameras.ortho_height.double().cpu().numpy()
    x = (np.arange(width) + offset[0] - width / 2) / height
    y = (height / 2 - np.arange(height) - offset[1]) / height
    plane_x, plane_y = np.meshgrid(x, y)
    right, up, back = (c2w[:, None, None, :3, axis] for axis in range(3))
    position = c2w[:, None, None, :3, 3]
    lateral = plane_x[..., None] * right + plane_y[..., None] * up
    parallel = (ortho > 0)[:, None, None, None]
    reach = np.where(ortho > 0, ortho, 2 * np.tan(fov / 2))[:, None, None, None]
    origins = np.where(parallel, position + reach * lateral, position)
    directions = np.where(parallel, -back, reach * lateral - back)
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    origins = np.broadcast_to(origins, directions.shape)
    return origins, directions, -(directions * back).sum(-1)


def _nearest(candidates: list[Hits]) -> Hits:
    distances = np.stack([hits.distance for hits in candidates])
    chosen = distances.argmin(0)
    rows = np.arange(distances.shape[1])
    return Hits(
        distances[chosen, rows],
        np.stack([hits.normals for hits in candidates])[chosen, rows],
        np.stack([hits.colors for hits in candidates])[chosen, rows],
    )


def ellipsoid(
    center: tuple[float, float, float],
    radii: tuple[float, float, float],
    paint: Callable[[Array], Array],
) -> Surface:
    """``paint`` gives colors (n, 3) for points (n, 3) of the unit sphere that was stretched."""

    def meet(origins: Array, directions: Array) -> Hits:
        o, d = (origins - np.array(center)) / radii, directions / np.array(radii)
        a, b, c = (d * d).sum(-1), (o * d).sum(-1), (o * o).sum(-1) - 1
        root = b * b - a * c
        distance = (-b - np.sqrt(np.maximum(root, 0))) / a
        distance = np.where((root > 0) & (distance > 0), distance, np.inf)
        unit = o + np.where(np.isfinite(distance), distance, 0)[:, None] * d
        return Hits(distance, _normalize(unit / radii), paint(unit))

    return meet


def box(half_sizes: tuple[float, float, float], colors: Array) -> Surface:
    """A box around the origin. ``colors``: (6, 3) of the faces +x, -x, +y, -y, +z, -z."""

    def meet(origins: Array, directions: Array) -> Hits:
        safe = np.where(np.abs(directions) < 1e-12, 1e-12, directions)
        first = (-np.sign(safe) * half_sizes - origins) / safe
        last = (np.sign(safe) * half_sizes - origins) / safe
        enter, leave = first.max(-1), last.min(-1)
        axis = first.argmax(-1)
        sign = -np.sign(np.take_along_axis(safe, axis[:, None], -1))[:, 0]
        distance = np.where((enter < leave) & (enter > 0), enter, np.inf)
        return Hits(distance, np.eye(3)[axis] * sign[:, None], colors[2 * axis + (sign < 0)])

    return meet


def ring(radius: float, thickness: float, color: tuple[float, float, float]) -> Surface:
    """A torus around z: ``radius`` of the middle of the tube, ``thickness`` its own radius."""

    def gap(points: Array) -> Array:
        around = np.hypot(points[:, 0], points[:, 1]) - radius
        return np.hypot(around, points[:, 2]) - thickness

    def meet(origins: Array, directions: Array) -> Hits:
        distance = np.zeros(len(origins))
        for _ in range(128):  # sphere tracing: the distance to the torus is exact
            distance = distance + gap(origins + distance[:, None] * directions)
        points = origins + distance[:, None] * directions
        hit = (np.abs(gap(points)) < 1e-6) & (distance > 0)
        middle = points * [1, 1, 0]
        middle *= radius / np.maximum(np.linalg.norm(middle, axis=-1, keepdims=True), 1e-12)
        colors = np.broadcast_to(np.array(color), points.shape)
        return Hits(np.where(hit, distance, np.inf), _normalize(points - middle), colors)

    return meet


def cap(radius: float, top: float, color: tuple[float, float, float], inward: bool) -> Surface:
    """The part of a sphere around the origin below z = ``top``, its normals outward or inward."""

    def meet(origins: Array, directions: Array) -> Hits:
        middle = -(origins * directions).sum(-1)
        square = middle**2 - (origins * origins).sum(-1) + radius**2
        half = np.sqrt(np.maximum(square, 0))
        distance = np.full(len(origins), np.inf)
        for root in (middle + half, middle - half):
            below = (origins + root[:, None] * directions)[:, 2] <= top
            distance = np.where((square > 0) & (root > 0) & below, root, distance)
        points = origins + np.where(np.isfinite(distance), distance, 0)[:, None] * directions
        normals = _normalize(-points if inward else points)
        return Hits(distance, normals, np.broadcast_to(np.array(color), points.shape))

    return meet


def rim(inner: float, outer: float, top: float, color: tuple[float, float, float]) -> Surface:
    """A flat ring around z between two radii at z = ``top``, facing up."""

    def meet(origins: Array, directions: Array) -> Hits:
        fall = np.where(np.abs(directions[:, 2]) < 1e-12, 1e-12, directions[:, 2])
        distance = (top - origins[:, 2]) / fall
        points = origins + distance[:, None] * directions
        off = np.hypot(points[:, 0], points[:, 1])
        hit = (distance > 0) & (off >= inner) & (off <= outer)
        normals = np.broadcast_to(np.array([0.0, 0, 1]), points.shape)
        return Hits(np.where(hit, distance, np.inf), normals,
                    np.broadcast_to(np.array(color), points.shape))

    return meet


def _normalize(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12))


def _plain(*color: float) -> Callable[[Array], Array]:
    return lambda points: np.broadcast_to(np.array(color), points.shape)


def _face(points: Array) -> Array:
    """A pale muzzle around the front of a dark head."""
    front = points[:, 1:2] < -0.6
    return np.asarray(np.where(front, [0.95, 0.75, 0.65], [0.35, 0.22, 0.15]))


def sphere() -> World:
    """A red ball of radius 0.7."""
    return World("sphere", (ellipsoid((0, 0, 0), (0.7, 0.7, 0.7), _plain(0.85, 0.15, 0.1)),))


def cube() -> World:
    """Half-size 0.5; faces +x red, -x cyan, +y green, -y magenta, +z blue, -z yellow."""
    red, green, blue = np.eye(3) * 0.8 + 0.1
    colors = np.stack([red, 1 - red, green, 1 - green, blue, 1 - blue])
    return World("cube", (box((0.5, 0.5, 0.5), colors),))


def torus() -> World:
    """An orange ring lying flat."""
    return World("torus", (ring(0.6, 0.25, (0.95, 0.55, 0.1)),))


def animal() -> World:
    """A body along y, and at its front a head with a face that no other side has."""
    body = ellipsoid((0, 0.15, -0.1), (0.35, 0.6, 0.35), _plain(0.55, 0.35, 0.2))
    head = ellipsoid((0, -0.45, 0.3), (0.28, 0.28, 0.28), _face)
    return World("animal", (body, head))


def bowl(inner: float = 0.6, outer: float = 0.75, top: float = 0.2) -> World:
    """A blue bowl, white inside: concave, so that no outline shows its shape. Not in the kit."""
    blue, white = (0.15, 0.3, 0.8), (0.9, 0.9, 0.85)
    near, far = (float(np.sqrt(radius**2 - top**2)) for radius in (inner, outer))
    return World(
        "bowl",
        (cap(outer, top, blue, False), cap(inner, top, white, True), rim(near, far, top, blue)),
    )


def kit() -> list[World]:
    """All of them."""
    return [sphere(), cube(), torus(), animal()]
