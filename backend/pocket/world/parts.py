"""Analytic shapes and the named, painted parts that are made of them."""

from dataclasses import dataclass

import numpy as np

from backend.pocket.world.materials import Array, Material

ELLIPSOID, BOX, FRUSTUM, TORUS, CAPSULE, ROUNDED_BOX, PEBBLE, SWEEP, LATHE = range(9)


@dataclass(frozen=True)
class Part:
    """One named analytic shape.

    `local_to_world` is a (3, 4) affine map out of the shape's own coordinates; `params` are the
    numbers of the shape: ellipsoid (lowest z, highest z) of the unit sphere, open where it is cut;
    box (x and y half-width at the top) of the cube [-1, 1]^3; frustum (radius at z = -1, radius at
    z = 1, capped); torus (minor radius for major radius 1); capsule (half length along z, radius);
    rounded box (half sizes, edge radius); pebble (p, q), the points of gauge 1 (see `gauge`);
    sweep (n, 4), the balls (x, y, z, radius) whose successive hulls are the tube; lathe (n, 5),
    points of the profile (radius, z) with their tangents, and 1 where a straight piece leads from
    this row to the next.

    `grain` (3,) is the size of the local axes in units of the object when it was made, in which
    patterns are drawn; `rest` (3, 4) maps local to object coordinates of the unmoved object.
    """

    name: str
    shape: int
    local_to_world: Array
    params: Array
    material: Material
    grain: Array
    rest: Array

    @property
    def color(self) -> Array:
        """The mean color, (3,)."""
        return self.material.average

    def surface_points(self) -> Array:
        """Points on or just outside the surface, (N, 3), in world space."""
        local = _local_points(self.shape, self.params)
        return local @ self.local_to_world[:, :3].T + self.local_to_world[:, 3]

    def local_bounds(self) -> tuple[Array, Array]:
        """Center and half sizes of a box around the shape in its own coordinates, (3,) each."""
        if self.shape == SWEEP:
            low = (self.params[:, :3] - self.params[:, 3:]).min(0)
            high = (self.params[:, :3] + self.params[:, 3:]).max(0)
            return (low + high) / 2, (high - low) / 2
        return np.zeros(3), _extent(self.shape, self.params)


def gauge(points: Array, p: float, q: float) -> Array:
    """The superquadric norm: the q-norm of z and the p-norm of x and y; (n, 3) to (n,)."""
    across = (np.abs(points[:, :2]) ** p).sum(1) ** (1 / p)
    return (across**q + np.abs(points[:, 2]) ** q) ** (1 / q)


def _sphere_points() -> Array:
    z, angle = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(0, 2 * np.pi, 16, endpoint=False))
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], -1).reshape(-1, 3)


_SPHERE = _sphere_points()
_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1.0, 1.0)])
_CIRCLE = np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 2 * np.pi, 16, False)])


def _local_points(shape: int, params: Array) -> Array:
    if shape == BOX:
        return _CORNERS * np.where(_CORNERS[:, 2:] > 0, [*params[:2], 1.0], 1.0)
    if shape == ROUNDED_BOX:
        return _CORNERS * params[:3]
    if shape == FRUSTUM:
        return _rings(params[:2], np.array([-1.0, 1.0]))
    if shape == ELLIPSOID:
        return _clipped_sphere(params[0], params[1])
    if shape == PEBBLE:
        directions = np.concatenate([_SPHERE, _CORNERS])
        return directions / gauge(directions, params[0], params[1])[:, None]
    if shape == SWEEP:
        return (params[:, None, :3] + params[:, None, 3:] * _SPHERE).reshape(-1, 3)
    if shape == LATHE:
        return _rings(params[:, 0], params[:, 1])
    return _SPHERE * _extent(shape, params)


def _rings(radii: Array, z: Array) -> Array:
    rings = np.empty((len(z), len(_CIRCLE), 3))
    rings[..., :2] = radii[:, None, None] * _CIRCLE
    rings[..., 2] = z[:, None]
    return rings.reshape(-1, 3)


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
    if shape == LATHE:
        return np.array([params[:, 0].max()] * 2 + [np.abs(params[:, 1]).max()])
    return np.ones(3)
