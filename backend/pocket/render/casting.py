"""The ray caster: nearest hits of all rays of a view, and the pixels that they become."""

import math

import numpy as np
from numba import njit

from backend.pocket.render.intersections import (
    FAR,
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
)
from backend.pocket.world.patterns import METAL, PLAIN, STRIPES, paint

_SHINE, _GLOSS = 0.55, 20.0  # strength and exponent of metal's highlight
CHANNELS = 11
NORMAL, POINT, OBJECT, DEPTH, PART = 0, 3, 6, 9, 10  # where each begins in `buffers`


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
def _hit(shape, o, d, p, bounds, pieces, n):  # type: ignore[no-untyped-def]
    """The ray's parameter where it meets a shape, and the way along a swept tube there."""
    if shape == ELLIPSOID:
        return hit_ellipsoid(o, d, p[0], p[1], n), 0.0
    if shape == BOX:
        return hit_box(o, d, p[0], p[1], n), 0.0
    if shape == FRUSTUM:
        return hit_frustum(o, d, p[0], p[1], p[2], n), 0.0
    if shape == PEBBLE:
        return hit_pebble(o, d, p[0], p[1], n), 0.0
    if shape == ROUNDED_BOX:
        return hit_rounded_box(o, d, p, bounds[1], n), 0.0
    if shape == CAPSULE:
        return hit_round_cone(o, d, pieces[0], FAR, n)
    if shape == SWEEP:
        return hit_sweep(o, d, pieces, n)
    if shape == LATHE:
        return hit_lathe(o, d, pieces, bounds[1], n), 0.0
    return hit_torus(o, d, p[0], bounds[1], n), 0.0


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
    o, d, n, rays = np.empty(3), np.empty(3), np.empty(3), np.empty((6, 3))
    for part in np.argsort(nearest):
        inverse, near = inverses[part], nearest[part]
        own = pieces[ranges[part, 0] : ranges[part, 1]]
        _local_rays(inverse, c2w, orthographic, rays)
        for row in range(boxes[part, 2], boxes[part, 3]):
            y = (1.0 - 2.0 * (row + 0.5) / size) * half
            for column in range(boxes[part, 0], boxes[part, 1]):
                if depths[row, column] <= near:
                    continue
                x = (2.0 * (column + 0.5) / size - 1.0) * half
                for i in range(3):
                    o[i] = rays[0, i] + x * rays[2, i] + y * rays[3, i]
                    d[i] = rays[1, i] + x * rays[4, i] + y * rays[5, i]
                t, way = _hit(shapes[part], o, d, params[part], bounds[part], own, n)
                if t >= depths[row, column]:
                    continue
                depths[row, column], parts[row, column] = t, part
                along[row, column] = way
                flip = shapes[part] != LATHE and n[0] * d[0] + n[1] * d[1] + n[2] * d[2] > 0
                _to_world(inverse, n, -1.0 if flip else 1.0, normals[row, column])
    return depths, parts, normals, along


@njit(cache=True, fastmath=True)
def _to_world(inverse, n, sign, out):  # type: ignore[no-untyped-def]
    """The unit world normal of a local normal, turned around where `sign` is negative."""
    squared = 0.0
    for i in range(3):
        out[i] = inverse[0, i] * n[0] + inverse[1, i] * n[1] + inverse[2, i] * n[2]
        squared += out[i] * out[i]
    for i in range(3):
        out[i] *= sign / math.sqrt(max(squared, 1e-30))


@njit(cache=True, fastmath=True)
def resolve(hits, scene, paints, rests, c2w, half, orthographic, light, rgba, buffers):  # type: ignore[no-untyped-def]
    """Shade every ray and average those of a pixel into `rgba` (straight) and `buffers`."""
    depths, parts, normals, along = hits
    inverses, size, fine = scene[2], rgba.shape[0], depths.shape[0]
    samples = fine // size
    point, ray, local, color = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    for row in range(size):
        for column in range(size):
            count, nearest = 0, FAR
            pixel, buffer = rgba[row, column], buffers[row, column]
            buffer[PART] = -1
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
                _apply(inverses[part], point, local)
                for i in range(3):
                    buffer[NORMAL + i] += normals[r, c, i]
                    buffer[POINT + i] += point[i]
                    buffer[OBJECT + i] += rests[part, i, 3]
                    for j in range(3):
                        buffer[OBJECT + i] += rests[part, i, j] * local[j]
                buffer[DEPTH] += depth
                if depth < nearest:
                    nearest, buffer[PART] = depth, part
                _color(paints[part], scene[0][part], local, along[r, c], color)
                _shade(color, paints[part, 0] == METAL, point, ray, normals[r, c], light)
                for i in range(3):
                    pixel[i] += color[i]
            if count:
                pixel[:3] /= count
                buffer[:PART] /= count
                pixel[3] = count / (samples * samples)


@njit(cache=True, fastmath=True)
def _apply(matrix, point, out):  # type: ignore[no-untyped-def]
    for i in range(3):
        out[i] = matrix[i, 3]
        for j in range(3):
            out[i] += matrix[i, j] * point[j]


@njit(cache=True, fastmath=True)
def _color(row, shape, local, along, color):  # type: ignore[no-untyped-def]
    """The paint at a local point, which is overwritten."""
    if row[0] == PLAIN:
        color[:] = row[3:6]
        return
    if shape == SWEEP and row[0] == STRIPES:
        local[2] = along
    paint(row, local, color)


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
