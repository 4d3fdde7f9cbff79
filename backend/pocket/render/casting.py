"""The ray caster: nearest hits of all rays of a view, and the pixels that they become."""

import math

import numpy as np
from numba import njit

from backend.pocket.render.intersections import (
    FAR,
    dot,
    hit_box,
    hit_ellipsoid,
    hit_frustum,
    hit_lathe,
    hit_pebble,
    hit_round_cone,
    hit_rounded_box,
    hit_sweep,
    hit_torus,
)
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
)
from backend.pocket.world.patterns import METAL, STRIPES, paint

_SHINE, _GLOSS = 0.8, 14.0  # strength and exponent of metal's highlight
# Where each output begins in a pixel: a view's pixels are (size, size, CHANNELS).
COLOR, ALPHA, NORMAL, POINT, OBJECT, DEPTH, PART = 0, 3, 4, 7, 10, 13, 14
CAMERA_NORMAL, CHANNELS = 15, 18


@njit(cache=True, fastmath=True)
def _rectangle(matrix, bounds, c2w, half, orthographic, size):  # type: ignore[no-untyped-def]
    """The pixel rectangle (x0, x1, y0, y1) that covers a part's bounding box, and its depth."""
    lo_x, hi_x, lo_y, hi_y, near = 1e9, -1e9, 1e9, -1e9, FAR
    q = np.empty(3)
    for corner in range(8):
        for i in range(3):
            q[i] = matrix[i, 3] - c2w[i, 3]
            for j in range(3):
                side = bounds[1, j] if (corner >> j) & 1 else -bounds[1, j]
                q[i] += matrix[i, j] * (bounds[0, j] + side)
        x = q[0] * c2w[0, 0] + q[1] * c2w[1, 0] + q[2] * c2w[2, 0]
        y = q[0] * c2w[0, 1] + q[1] * c2w[1, 1] + q[2] * c2w[2, 1]
        depth = -(q[0] * c2w[0, 2] + q[1] * c2w[1, 2] + q[2] * c2w[2, 2])
        near = min(near, depth)
        if not orthographic:
            if depth < 1e-2:
                return 0, size, 0, size, -FAR
            x, y = x / depth, y / depth
        lo_x, hi_x, lo_y, hi_y = min(lo_x, x), max(hi_x, x), min(lo_y, y), max(hi_y, y)
    scale = 0.5 * size / half
    x0, x1 = math.floor(0.5 * size + lo_x * scale), math.ceil(0.5 * size + hi_x * scale)
    y0, y1 = math.floor(0.5 * size - hi_y * scale), math.ceil(0.5 * size - lo_y * scale)
    return max(x0, 0), min(x1, size), max(y0, 0), min(y1, size), near


@njit(cache=True, fastmath=True, inline="always")
def _hit(shape, o, d, p, extent, pieces, first, last):  # type: ignore[no-untyped-def]
    """The ray's parameter and normal where it meets a shape, and the way along a tube there."""
    t, n, along = FAR, (0.0, 0.0, 0.0), 0.0
    if shape == ELLIPSOID:
        t, n = hit_ellipsoid(o, d, p[0], p[1])
    elif shape == BOX:
        t, n = hit_box(o, d, p[0], p[1])
    elif shape == FRUSTUM:
        t, n = hit_frustum(o, d, p[0], p[1], p[2])
    elif shape == CAPSULE:
        start = (o[0], o[1], o[2] + p[0])
        t, n, along = hit_round_cone(start, d, (0.0, 0.0, 1.0), 2.0 * p[0], p[1], p[1])
    elif shape == PEBBLE:
        t, n = hit_pebble(o, d, p[0], p[1])
    elif shape == ROUNDED_BOX:
        t, n = hit_rounded_box(o, d, (p[0], p[1], p[2]), p[3])
    elif shape == SWEEP:
        t, n, along = hit_sweep(o, d, pieces, first, last)
    elif shape == LATHE:
        t, n = hit_lathe(o, d, pieces, first, last, extent)
    elif shape == TORUS:
        t, n = hit_torus(o, d, p[0])
    return t, n, along


@njit(cache=True, fastmath=True)
def _local_rays(inverse, c2w, orthographic, rays):  # type: ignore[no-untyped-def]
    """Fill `rays` (6, 3): origin and direction of the view's middle ray in a part's coordinates,
    then what a step right and up in the image plane adds to the origin, and to the direction."""
    rays[:] = 0.0
    moved = 2 if orthographic else 4
    for i in range(3):
        rays[0, i] = inverse[i, 3]
        for j in range(3):
            rays[0, i] += inverse[i, j] * c2w[j, 3]
            rays[1, i] -= inverse[i, j] * c2w[j, 2]
            rays[moved, i] += inverse[i, j] * c2w[j, 0]
            rays[moved + 1, i] += inverse[i, j] * c2w[j, 1]


@njit(cache=True, fastmath=True, inline="always")
def _ray(rays, middle, step, x, y):  # type: ignore[no-untyped-def]
    """The origin or direction of the ray through an image point."""
    return (
        rays[middle, 0] + x * rays[step, 0] + y * rays[step + 1, 0],
        rays[middle, 1] + x * rays[step, 1] + y * rays[step + 1, 1],
        rays[middle, 2] + x * rays[step, 2] + y * rays[step + 1, 2],
    )


@njit(cache=True, fastmath=True)
def cast(scene, c2w, half, orthographic, size):  # type: ignore[no-untyped-def]
    """Nearest hits of every ray: depth along the view axis, part (-1: none), world normal, and
    the way along a swept tube. `scene` as `packed` makes it."""
    shapes, matrices, inverses, params, bounds, pieces, ranges = scene
    depths, along = np.full((size, size), FAR), np.zeros((size, size))
    parts, normals = np.full((size, size), -1, np.int16), np.zeros((size, size, 3))
    boxes, nearest = np.empty((len(shapes), 4), np.int64), np.empty(len(shapes))
    for part in range(len(shapes)):
        x0, x1, y0, y1, near = _rectangle(
            matrices[part], bounds[part], c2w, half, orthographic, size
        )
        boxes[part, 0], boxes[part, 1], boxes[part, 2], boxes[part, 3] = x0, x1, y0, y1
        nearest[part] = near
    rays = np.empty((6, 3))
    for part in np.argsort(nearest):
        shape, inverse, near, row_of = shapes[part], inverses[part], nearest[part], ranges[part]
        p = (params[part, 0], params[part, 1], params[part, 2], params[part, 3])
        extent = (bounds[part, 1, 0], bounds[part, 1, 1], bounds[part, 1, 2])
        _local_rays(inverse, c2w, orthographic, rays)
        for row in range(boxes[part, 2], boxes[part, 3]):
            y = (1.0 - 2.0 * (row + 0.5) / size) * half
            for column in range(boxes[part, 0], boxes[part, 1]):
                if depths[row, column] <= near:
                    continue
                x = (2.0 * (column + 0.5) / size - 1.0) * half
                o, d = _ray(rays, 0, 2, x, y), _ray(rays, 1, 4, x, y)
                t, n, way = _hit(shape, o, d, p, extent, pieces, row_of[0], row_of[1])
                if t >= depths[row, column]:
                    continue
                depths[row, column], parts[row, column] = t, part
                along[row, column] = way
                sign = -1.0 if shape != LATHE and dot(n, d) > 0 else 1.0
                _to_world(inverse, n, sign, normals, row, column)
    return depths, parts, normals, along


@njit(cache=True, fastmath=True)
def _to_world(inverse, n, sign, normals, row, column):  # type: ignore[no-untyped-def]
    """The unit world normal of a local normal, turned around where `sign` is negative."""
    squared = 0.0
    for i in range(3):
        value = inverse[0, i] * n[0] + inverse[1, i] * n[1] + inverse[2, i] * n[2]
        normals[row, column, i] = value
        squared += value * value
    scale = sign / math.sqrt(max(squared, 1e-30))
    for i in range(3):
        normals[row, column, i] *= scale


@njit(cache=True, fastmath=True)
def resolve(hits, scene, paints, rests, c2w, half, orthographic, light, pixels):  # type: ignore[no-untyped-def]
    """Shade every ray and average those of a pixel into zeroed `pixels` (size, size, CHANNELS)."""
    depths, parts, normals, along = hits
    shapes, inverses, size, fine = scene[0], scene[2], pixels.shape[0], depths.shape[0]
    samples = fine // size
    point, ray, local, color = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    normal, sums = np.empty(3), np.empty(CHANNELS)
    for row in range(size):
        for column in range(size):
            sums[:] = 0.0
            count, nearest = 0, FAR
            for sub in range(samples * samples):
                r, c = row * samples + sub // samples, column * samples + sub % samples
                part, depth = parts[r, c], depths[r, c]
                if part < 0:
                    continue
                count += 1
                x = (2.0 * (c + 0.5) / fine - 1.0) * half
                y = (1.0 - 2.0 * (r + 0.5) / fine) * half
                for i in range(3):
                    aside = x * c2w[i, 0] + y * c2w[i, 1]
                    ray[i] = (0.0 if orthographic else aside) - c2w[i, 2]
                    point[i] = c2w[i, 3] + depth * ray[i] + (aside if orthographic else 0.0)
                    normal[i] = normals[r, c, i]
                _apply(inverses, part, point, local)
                _apply(rests, part, local, color)
                for i in range(3):
                    sums[NORMAL + i] += normal[i]
                    sums[POINT + i] += point[i]
                    sums[OBJECT + i] += color[i]
                sums[DEPTH] += depth
                if depth < nearest:
                    nearest, sums[PART] = depth, part
                if shapes[part] == SWEEP and paints[part, 0] == STRIPES:
                    local[2] = along[r, c]
                paint(paints, part, local, color)
                _shade(color, paints[part, 0] == METAL, point, ray, normal, light)
                for i in range(3):
                    sums[COLOR + i] += color[i]
            _write(sums, count, samples, c2w, pixels, row, column)


@njit(cache=True, fastmath=True)
def _write(sums, count, samples, c2w, pixels, row, column):  # type: ignore[no-untyped-def]
    """The pixel of `count` hits: means, unit normals, and the part of the nearest."""
    if count == 0:
        pixels[row, column, PART] = -1
        return
    for i in range(PART):
        pixels[row, column, i] = sums[i] / count
    pixels[row, column, ALPHA] = count / (samples * samples)
    pixels[row, column, PART] = sums[PART]
    length = math.sqrt(sums[NORMAL] ** 2 + sums[NORMAL + 1] ** 2 + sums[NORMAL + 2] ** 2)
    for i in range(3):
        unit = sums[NORMAL + i] / max(length, 1e-6)
        pixels[row, column, NORMAL + i] = unit
        for j in range(3):
            pixels[row, column, CAMERA_NORMAL + j] += unit * c2w[i, j]


@njit(cache=True, fastmath=True)
def _apply(matrices, part, point, out):  # type: ignore[no-untyped-def]
    for i in range(3):
        out[i] = matrices[part, i, 3]
        for j in range(3):
            out[i] += matrices[part, i, j] * point[j]


@njit(cache=True, fastmath=True)
def _shade(color, metal, point, ray, normal, light):  # type: ignore[no-untyped-def]
    """Light a color in place: diffuse and ambient, and on metal a highlight (Blinn-Phong)."""
    towards, squared, lit, slant, viewed = 0.0, 1e-12, 0.0, 0.0, 0.0
    for i in range(3):
        way = light[i] - point[i]
        towards += normal[i] * way
        squared += way * way
        slant += way * ray[i]
        lit += normal[i] * ray[i]
        viewed += ray[i] * ray[i]
    distance, length = math.sqrt(squared), math.sqrt(viewed)
    shade = light[3] * max(0.0, towards / distance) + light[4]
    shine = 0.0
    if metal and light[3] > 0 and towards > 0:
        halfway = math.sqrt(max(2.0 - 2.0 * slant / (distance * length), 1e-12))
        facing = max(0.0, (towards / distance - lit / length) / halfway)
        shine = _SHINE * light[3] * facing**_GLOSS
    for i in range(3):
        color[i] = min(1.0, color[i] * shade + shine)
