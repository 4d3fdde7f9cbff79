"""Where a ray first meets an analytic shape in the shape's own coordinates, and the normal there.

Every function takes the ray's origin and direction (3,), writes an outward or inward normal of any
length to `n` (3,), and returns the ray's parameter, or FAR. Directions need not be unit vectors.
"""

import math

from numba import njit

FAR = 1e30


@njit(cache=True, fastmath=True, inline="always")
def _dot(a, b):  # type: ignore[no-untyped-def]
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, fastmath=True)
def hit_ellipsoid(o, d, low, high, n):  # type: ignore[no-untyped-def]
    """The unit sphere between two heights, open where it is cut."""
    a, b, c = _dot(d, d), _dot(o, d), _dot(o, o) - 1.0
    disc = b * b - a * c
    if disc < 0:
        return FAR
    root = math.sqrt(disc)
    for sign in (-1.0, 1.0):
        t = (-b + sign * root) / a
        z = o[2] + t * d[2]
        if t > 0 and low - 1e-9 <= z <= high + 1e-9:
            for i in range(3):
                n[i] = o[i] + t * d[i]
            return t
    return FAR


@njit(cache=True, fastmath=True)
def hit_box(o, d, px, py, n):  # type: ignore[no-untyped-def]
    """Convex: six planes; the side planes tilt from half-width 1 at z = -1 to px, py at z = 1."""
    near, far = -FAR, FAR
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
                return FAR
            continue
        t = gap / speed
        if speed < 0:
            if t > near:
                near = t
                n[0], n[1], n[2] = nx, ny, nz
        elif t < far:
            far = t
    return near if near <= far and near > 0 else FAR


@njit(cache=True, fastmath=True)
def hit_frustum(o, d, bottom, top, capped, n):  # type: ignore[no-untyped-def]
    """A cone piece around z from z = -1 to z = 1, with or without its discs."""
    slope, middle = 0.5 * (top - bottom), 0.5 * (top + bottom)
    best = FAR
    ro, rd = middle + slope * o[2], slope * d[2]
    a = d[0] * d[0] + d[1] * d[1] - rd * rd
    b = o[0] * d[0] + o[1] * d[1] - ro * rd
    c = o[0] * o[0] + o[1] * o[1] - ro * ro
    disc = b * b - a * c
    if disc >= 0 and abs(a) > 1e-14:
        root = math.sqrt(disc)
        for sign in (-1.0, 1.0):
            t = (-b + sign * root) / a
            z = o[2] + t * d[2]
            if t > 0 and t < best and -1.0 <= z <= 1.0:
                best = t
                n[0], n[1] = o[0] + t * d[0], o[1] + t * d[1]
                n[2] = -slope * (middle + slope * z)
    if capped > 0 and d[2] != 0.0:
        for z in (-1.0, 1.0):
            t = (z - o[2]) / d[2]
            x, y = o[0] + t * d[0], o[1] + t * d[1]
            radius = bottom if z < 0 else top
            if t > 0 and t < best and x * x + y * y <= radius * radius:
                best = t
                n[0], n[1], n[2] = 0.0, 0.0, z
    return best


@njit(cache=True, fastmath=True, inline="always")
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
def hit_torus(o, d, minor, extent, n):  # type: ignore[no-untyped-def]
    """Sphere tracing between entering and leaving the bounding box."""
    t, far = _slab(o, d, extent)
    length = math.sqrt(_dot(d, d))
    for _ in range(96):
        if t > far:
            return FAR
        x, y, z = o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2]
        around = max(math.sqrt(x * x + y * y), 1e-12)
        gap = math.sqrt((around - 1.0) ** 2 + z * z) - minor
        if gap < 1e-4:
            n[0], n[1], n[2] = x * (1.0 - 1.0 / around), y * (1.0 - 1.0 / around), z
            return t
        t += gap / length
    return FAR


@njit(cache=True, fastmath=True)
def hit_rounded_box(o, d, p, extent, n):  # type: ignore[no-untyped-def]
    """Newton's method on the distance: convex along the ray, so it never steps too far."""
    t, far = _slab(o, d, extent)
    for _ in range(48):
        if t > far:
            return FAR
        squared = 0.0
        for i in range(3):
            x = o[i] + t * d[i]
            q = max(abs(x) - p[i] + p[3], 0.0)
            n[i] = math.copysign(q, x)
            squared += q * q
        distance = math.sqrt(squared)
        if distance < p[3] + 1e-6:
            return t
        speed = _dot(n, d) / distance
        if speed >= 0:
            return FAR
        t -= (distance - p[3]) / speed
    return FAR


@njit(cache=True, fastmath=True)
def hit_pebble(o, d, p, q, n):  # type: ignore[no-untyped-def]
    """Newton's method on the gauge (see `parts.gauge`), a norm, so convex along the ray."""
    t, far = _slab(o, d, (1.0, 1.0, 1.0))
    for _ in range(48):
        if t > far:
            return FAR
        x, y, z = o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2]
        across = (abs(x) ** p + abs(y) ** p) ** (1.0 / p)
        size = (across**q + abs(z) ** q) ** (1.0 / q)
        flat = (across / size) ** (q - 1.0)
        reach = max(across, 1e-12)
        n[0] = math.copysign(flat * (abs(x) / reach) ** (p - 1.0), x)
        n[1] = math.copysign(flat * (abs(y) / reach) ** (p - 1.0), y)
        n[2] = math.copysign((abs(z) / size) ** (q - 1.0), z)
        if size < 1.0 + 1e-6:
            return t
        speed = _dot(n, d)
        if speed >= 0:
            return FAR
        t -= (size - 1.0) / speed
    return FAR


@njit(cache=True, fastmath=True, inline="always")
def _hit_ball(wd, ww, dd, radius):  # type: ignore[no-untyped-def]
    """The near side of a ball, from the products of d and the way w from its center."""
    disc = wd * wd - dd * (ww - radius * radius)
    return (-wd - math.sqrt(disc)) / dd if disc >= 0 else FAR


@njit(cache=True, fastmath=True)
def hit_round_cone(o, d, piece, best, n):  # type: ignore[no-untyped-def]
    """The hull of two balls, if nearer than `best`; also the way along its axis.

    `piece`: first center (3), unit axis (3), length, two radii. The hull is the two balls and the
    cone that touches both: radius (r - y s) / c at height y, where s, c are the sine and cosine of
    its slope, between the circles where it touches.
    """
    length, first, second = piece[6], piece[7], piece[8]
    dy, oy, wd, ww, dd = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(3):
        w = o[i] - piece[i]
        dy += d[i] * piece[3 + i]
        oy += w * piece[3 + i]
        wd += w * d[i]
        ww += w * w
        dd += d[i] * d[i]
    half = 0.5 * length
    middle, bound = wd - half * dy, half + max(first, second)
    if ww - 2.0 * half * oy + half * half - middle * middle / dd > bound * bound:
        return FAR, 0.0
    found, tilt, along = best, 0.0, 0.0
    t = _hit_ball(wd, ww, dd, first)
    if 0 < t < found:
        found = t
    end = _hit_ball(wd - length * dy, ww - 2.0 * length * oy + length * length, dd, second)
    if 0 < end < found:
        found, along = end, length
    sine = (first - second) / length
    body = False
    if abs(sine) < 1.0:
        slope = sine / math.sqrt(1.0 - sine * sine)
        radius = first / math.sqrt(1.0 - sine * sine) - slope * oy
        a = dd - dy * dy * (1.0 + slope * slope)
        b = wd - oy * dy + radius * slope * dy
        c = ww - oy * oy - radius * radius
        disc = b * b - a * c
        if disc >= 0 and abs(a) > 1e-14:
            root = math.sqrt(disc)
            for sign in (-1.0, 1.0):
                t = (-b + sign * root) / a
                y = oy + t * dy
                if 0 < t < found and first * sine <= y <= length + second * sine:
                    found, along, body = t, y, True
                    tilt = slope * (radius - slope * t * dy)
    if found >= best:
        return FAR, 0.0
    for i in range(3):
        axis = piece[3 + i]
        n[i] = o[i] + found * d[i] - piece[i] - along * axis + (tilt * axis if body else 0.0)
    return found, along


@njit(cache=True, fastmath=True)
def hit_sweep(o, d, pieces, n):  # type: ignore[no-untyped-def]
    """A chain of round cones; also the way along the curve (`pieces`: as above, way there)."""
    best, along = FAR, 0.0
    for index in range(len(pieces)):
        t, y = hit_round_cone(o, d, pieces[index], best, n)
        if t < best:
            best, along = t, pieces[index, 9] + y
    return best, along


@njit(cache=True, fastmath=True)
def hit_lathe(o, d, pieces, extent, n):  # type: ignore[no-untyped-def]
    """Cone pieces and rings around z, with normals blended along the profile, towards the viewer.

    `pieces`: radius, z and normal (radial, z) of the lower end, then of the upper one.
    """
    enter, leave = _slab(o, d, extent)
    if enter > leave:
        return FAR
    low = min(o[2] + enter * d[2], o[2] + leave * d[2]) - 1e-6
    high = max(o[2] + enter * d[2], o[2] + leave * d[2]) + 1e-6
    best, chosen, at = FAR, 0, 0.0
    a0, b0 = d[0] * d[0] + d[1] * d[1], o[0] * d[0] + o[1] * d[1]
    c0 = o[0] * o[0] + o[1] * o[1]
    for index in range(len(pieces)):
        piece = pieces[index]
        r0, z0, r1, z1 = piece[0], piece[1], piece[4], piece[5]
        if max(z0, z1) < low or min(z0, z1) > high:
            continue
        rise = z1 - z0
        if abs(rise) < 1e-6:
            t = (z0 - o[2]) / d[2] if d[2] != 0.0 else FAR
            f = (math.sqrt(max(a0 * t * t + 2 * b0 * t + c0, 0.0)) - r0) / (r1 - r0)
            if 0 < t < best and 0.0 <= f <= 1.0:
                best, chosen, at = t, index, f
            continue
        slope = (r1 - r0) / rise
        ro, rd = r0 + slope * (o[2] - z0), slope * d[2]
        a, b, c = a0 - rd * rd, b0 - ro * rd, c0 - ro * ro
        disc = b * b - a * c
        if disc < 0 or abs(a) < 1e-14:
            continue
        root = math.sqrt(disc)
        for sign in (-1.0, 1.0):
            t = (-b + sign * root) / a
            f = (o[2] + t * d[2] - z0) / rise
            if 0 < t < best and -1e-9 <= f <= 1.0 + 1e-9:
                best, chosen, at = t, index, f
    if best < FAR:
        _lathe_normal(o, d, best, pieces[chosen], at, n)
    return best


@njit(cache=True, fastmath=True)
def _lathe_normal(o, d, t, piece, f, n):  # type: ignore[no-untyped-def]
    """The blended normal, on the side of the surface that the viewer sees."""
    x, y = o[0] + t * d[0], o[1] + t * d[1]
    around = max(math.sqrt(x * x + y * y), 1e-12)
    side = (x * d[0] + y * d[1]) / around * (piece[5] - piece[1]) - d[2] * (piece[4] - piece[0])
    sign = -1.0 if side > 0 else 1.0
    radial = sign * ((1.0 - f) * piece[2] + f * piece[6])
    n[0], n[1] = radial * x / around, radial * y / around
    n[2] = sign * ((1.0 - f) * piece[3] + f * piece[7])
