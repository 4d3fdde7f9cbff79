"""Where a ray first meets an analytic shape in the shape's own coordinates, and the normal there.

Every function takes the ray's origin and direction as triples and returns the ray's parameter
(FAR: none) and a normal, outward or inward, of any length. Directions need not be unit vectors.
Triples and not arrays: they live in registers.
"""

import math

from numba import njit

FAR = 1e30
_NOWHERE = (0.0, 0.0, 0.0)
_MISS = (FAR, _NOWHERE)


@njit(cache=True, fastmath=True, inline="always")
def dot(a, b):  # type: ignore[no-untyped-def]
    """The product of two triples."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, fastmath=True, inline="always")
def along_ray(o, d, t):  # type: ignore[no-untyped-def]
    """The point at parameter t."""
    return (o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2])


@njit(cache=True, fastmath=True)
def hit_ellipsoid(o, d, low, high):  # type: ignore[no-untyped-def]
    """The unit sphere between two heights, open where it is cut."""
    a, b = dot(d, d), dot(o, d)
    disc = b * b - a * (dot(o, o) - 1.0)
    if disc < 0:
        return _MISS
    root = math.sqrt(disc)
    for sign in (-1.0, 1.0):
        t = (-b + sign * root) / a
        if t > 0 and low - 1e-9 <= o[2] + t * d[2] <= high + 1e-9:
            return t, along_ray(o, d, t)
    return _MISS


@njit(cache=True, fastmath=True)
def hit_box(o, d, px, py):  # type: ignore[no-untyped-def]
    """Convex: six planes; the side planes tilt from half-width 1 at z = -1 to px, py at z = 1."""
    near, far, n = -FAR, FAR, _NOWHERE
    sx, sy = 0.5 * (1.0 - px), 0.5 * (1.0 - py)
    for plane in range(6):
        nx, ny, nz, level = 0.0, 0.0, 0.0, 1.0
        sign = 1.0 if plane % 2 else -1.0
        if plane < 2:
            nx, nz, level = sign, sx, 0.5 * (1.0 + px)
        elif plane < 4:
            ny, nz, level = sign, sy, 0.5 * (1.0 + py)
        else:
            nz = sign
        speed = nx * d[0] + ny * d[1] + nz * d[2]
        gap = level - (nx * o[0] + ny * o[1] + nz * o[2])
        if speed == 0.0:
            if gap < 0:
                return _MISS
            continue
        t = gap / speed
        if speed < 0:
            if t > near:
                near, n = t, (nx, ny, nz)
        elif t < far:
            far = t
    return (near, n) if near <= far and near > 0 else _MISS


@njit(cache=True, fastmath=True)
def hit_frustum(o, d, bottom, top, capped):  # type: ignore[no-untyped-def]
    """A cone piece around z from z = -1 to z = 1, with or without its discs."""
    slope, middle = 0.5 * (top - bottom), 0.5 * (top + bottom)
    best, n = FAR, _NOWHERE
    ro, rd = middle + slope * o[2], slope * d[2]
    a = d[0] * d[0] + d[1] * d[1] - rd * rd
    b = o[0] * d[0] + o[1] * d[1] - ro * rd
    disc = b * b - a * (o[0] * o[0] + o[1] * o[1] - ro * ro)
    if disc >= 0 and abs(a) > 1e-14:
        root = math.sqrt(disc)
        for sign in (-1.0, 1.0):
            t = (-b + sign * root) / a
            x, y, z = along_ray(o, d, t)
            if 0 < t < best and -1.0 <= z <= 1.0:
                best, n = t, (x, y, -slope * (middle + slope * z))
    if capped > 0 and d[2] != 0.0:
        for level in (-1.0, 1.0):
            t = (level - o[2]) / d[2]
            x, y, _ = along_ray(o, d, t)
            radius = bottom if level < 0 else top
            if 0 < t < best and x * x + y * y <= radius * radius:
                best, n = t, (0.0, 0.0, level)
    return best, n


@njit(cache=True, fastmath=True)
def _slab(o, d, extent):  # type: ignore[no-untyped-def]
    """Where a ray enters and leaves the box of these half sizes; enters behind leaving: never."""
    near, far = 0.0, FAR
    for i in range(3):
        if abs(d[i]) < 1e-12:
            if abs(o[i]) > extent[i]:
                return FAR, 0.0
            continue
        t0, t1 = (-extent[i] - o[i]) / d[i], (extent[i] - o[i]) / d[i]
        near, far = max(near, min(t0, t1)), min(far, max(t0, t1))
    return near, far


@njit(cache=True, fastmath=True)
def hit_torus(o, d, minor):  # type: ignore[no-untyped-def]
    """Sphere tracing between entering and leaving the bounding box."""
    t, far = _slab(o, d, (1.0 + minor, 1.0 + minor, minor))
    length = math.sqrt(dot(d, d))
    for _ in range(96):
        if t > far:
            return _MISS
        x, y, z = along_ray(o, d, t)
        around = max(math.sqrt(x * x + y * y), 1e-12)
        gap = math.sqrt((around - 1.0) ** 2 + z * z) - minor
        if gap < 1e-4:
            inward = 1.0 - 1.0 / around
            return t, (x * inward, y * inward, z)
        t += gap / length
    return _MISS


@njit(cache=True, fastmath=True)
def hit_rounded_box(o, d, half, edge):  # type: ignore[no-untyped-def]
    """Newton's method on the distance: convex along the ray, so it never steps too far."""
    t, far = _slab(o, d, half)
    for _ in range(48):
        if t > far:
            return _MISS
        x, y, z = along_ray(o, d, t)
        n = (
            math.copysign(max(abs(x) - half[0] + edge, 0.0), x),
            math.copysign(max(abs(y) - half[1] + edge, 0.0), y),
            math.copysign(max(abs(z) - half[2] + edge, 0.0), z),
        )
        distance = math.sqrt(dot(n, n))
        if distance < edge + 1e-6:
            return t, n
        speed = dot(n, d) / distance
        if speed >= 0:
            return _MISS
        t -= (distance - edge) / speed
    return _MISS


@njit(cache=True, fastmath=True)
def hit_pebble(o, d, p, q):  # type: ignore[no-untyped-def]
    """Newton's method on the gauge (see `parts.gauge`), a norm, so convex along the ray."""
    t, far = _slab(o, d, (1.0, 1.0, 1.0))
    for _ in range(48):
        if t > far:
            return _MISS
        x, y, z = along_ray(o, d, t)
        across = max((abs(x) ** p + abs(y) ** p) ** (1.0 / p), 1e-12)
        size = (across**q + abs(z) ** q) ** (1.0 / q)
        flat = (across / size) ** (q - 1.0)
        n = (
            math.copysign(flat * (abs(x) / across) ** (p - 1.0), x),
            math.copysign(flat * (abs(y) / across) ** (p - 1.0), y),
            math.copysign((abs(z) / size) ** (q - 1.0), z),
        )
        if size < 1.0 + 1e-6:
            return t, n
        speed = dot(n, d)
        if speed >= 0:
            return _MISS
        t -= (size - 1.0) / speed
    return _MISS


@njit(cache=True, fastmath=True, inline="always")
def _hit_ball(wd, ww, dd, radius):  # type: ignore[no-untyped-def]
    """The near side of a ball, from the products of d and the way w from its center."""
    disc = wd * wd - dd * (ww - radius * radius)
    return (-wd - math.sqrt(disc)) / dd if disc >= 0 else FAR


@njit(cache=True, fastmath=True)
def hit_round_cone(o, d, axis, length, first, second):  # type: ignore[no-untyped-def]
    """The hull of two balls, at 0 and at `length` along a unit axis; also the way along the axis.

    It is the balls and the cone that touches both: of radius (r - y s) / c at height y, with s, c
    the sine and cosine of its slope, between the circles where it touches.
    """
    dy, oy, od, oo, dd = dot(d, axis), dot(o, axis), dot(o, d), dot(o, o), dot(d, d)
    middle, bound = od - 0.5 * length * dy, 0.5 * length + max(first, second)
    if oo - length * oy + 0.25 * length**2 - middle * middle / dd > bound * bound:
        return FAR, _NOWHERE, 0.0
    best, along, outward = _hit_ball(od, oo, dd, first), 0.0, 0.0
    if best <= 0:
        best = FAR
    t = _hit_ball(od - length * dy, oo - 2.0 * length * oy + length**2, dd, second)
    if 0 < t < best:
        best, along = t, length
    sine = (first - second) / length
    if abs(sine) < 1.0:
        cosine = math.sqrt(1.0 - sine * sine)
        slope = sine / cosine
        radius = first / cosine - slope * oy
        a = dd - dy * dy * (1.0 + slope * slope)
        b = od - oy * dy + radius * slope * dy
        disc = b * b - a * (oo - oy * oy - radius * radius)
        if disc >= 0 and abs(a) > 1e-14:
            root = math.sqrt(disc)
            for sign in (-1.0, 1.0):
                t = (-b + sign * root) / a
                y = oy + t * dy
                if 0 < t < best and first * sine <= y <= length + second * sine:
                    best, along, outward = t, y, slope * (radius - slope * t * dy)
    x, y, z = along_ray(o, d, best)
    back = along - outward
    return best, (x - back * axis[0], y - back * axis[1], z - back * axis[2]), along


@njit(cache=True, fastmath=True)
def hit_sweep(o, d, pieces, first, last):  # type: ignore[no-untyped-def]
    """A chain of round cones; also the way along the curve.

    Rows of `pieces`: center of a ball (3), unit axis (3), length, two radii, the way there.
    """
    best, n, along = FAR, _NOWHERE, 0.0
    for row in range(first, last):
        start = (o[0] - pieces[row, 0], o[1] - pieces[row, 1], o[2] - pieces[row, 2])
        axis = (pieces[row, 3], pieces[row, 4], pieces[row, 5])
        t, normal, y = hit_round_cone(
            start, d, axis, pieces[row, 6], pieces[row, 7], pieces[row, 8]
        )
        if t < best:
            best, n, along = t, normal, pieces[row, 9] + y
    return best, n, along


@njit(cache=True, fastmath=True)
def hit_lathe(o, d, pieces, first, last, extent):  # type: ignore[no-untyped-def]
    """Cone pieces and rings around z, with normals blended along the profile, towards the viewer.

    Rows of `pieces`: radius, z and normal (radial, z) of the lower end, then of the upper one.
    """
    enter, leave = _slab(o, d, extent)
    if enter > leave:
        return _MISS
    low = min(o[2] + enter * d[2], o[2] + leave * d[2]) - 1e-6
    high = max(o[2] + enter * d[2], o[2] + leave * d[2]) + 1e-6
    best, chosen, at = FAR, 0, 0.0
    flat = (d[0] * d[0] + d[1] * d[1], o[0] * d[0] + o[1] * d[1], o[0] * o[0] + o[1] * o[1])
    for row in range(first, last):
        z0, z1 = pieces[row, 1], pieces[row, 5]
        if max(z0, z1) >= low and min(z0, z1) <= high:
            t, f = _hit_piece(o[2], d[2], flat, pieces[row, 0], z0, pieces[row, 4], z1)
            if t < best:
                best, chosen, at = t, row, f
    return (best, _lathe_normal(o, d, best, pieces, chosen, at)) if best < FAR else _MISS


@njit(cache=True, fastmath=True)
def _hit_piece(oz, dz, flat, r0, z0, r1, z1):  # type: ignore[no-untyped-def]
    """A cone or, where it does not rise, a ring; and the share of the way up it. `flat` holds the
    products d·d, o·d and o·o across the axis."""
    rise = z1 - z0
    if abs(rise) < 1e-6:
        t = (z0 - oz) / dz if dz != 0.0 else FAR
        f = (math.sqrt(max(flat[0] * t * t + 2 * flat[1] * t + flat[2], 0.0)) - r0) / (r1 - r0)
        return (t, f) if t > 0 and 0.0 <= f <= 1.0 else (FAR, 0.0)
    slope = (r1 - r0) / rise
    ro, rd = r0 + slope * (oz - z0), slope * dz
    a, b = flat[0] - rd * rd, flat[1] - ro * rd
    disc = b * b - a * (flat[2] - ro * ro)
    if disc < 0 or abs(a) < 1e-14:
        return FAR, 0.0
    best, share, root = FAR, 0.0, math.sqrt(disc)
    for sign in (-1.0, 1.0):
        t = (-b + sign * root) / a
        f = (oz + t * dz - z0) / rise
        if 0 < t < best and -1e-9 <= f <= 1.0 + 1e-9:
            best, share = t, f
    return best, share


@njit(cache=True, fastmath=True)
def _lathe_normal(o, d, t, pieces, row, f):  # type: ignore[no-untyped-def]
    """The blended normal, on the side of the surface that the viewer sees."""
    x, y, _ = along_ray(o, d, t)
    around = max(math.sqrt(x * x + y * y), 1e-12)
    outward = (x * d[0] + y * d[1]) / around
    rise, widening = pieces[row, 5] - pieces[row, 1], pieces[row, 4] - pieces[row, 0]
    sign = -1.0 if outward * rise - d[2] * widening > 0 else 1.0
    radial = sign * ((1.0 - f) * pieces[row, 2] + f * pieces[row, 6]) / around
    return (radial * x, radial * y, sign * ((1.0 - f) * pieces[row, 3] + f * pieces[row, 7]))
