"""Ray casting of scenes in bulk on the CPU: color, alpha, normals, depth, part ids, coordinates."""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from backend.pocket.world.parts import BOX, CAPSULE, ELLIPSOID, FRUSTUM, TORUS
from backend.pocket.world.scenes import Scene
from backend.rendering.cameras import Cameras

Floats = NDArray[np.float32]
_FAR = 1e30


@dataclass(frozen=True)
class Light:
    """DreamFusion's point light: `position` (3,), and the strengths of its two terms."""

    position: NDArray[np.float64]
    diffuse: float
    ambient: float


@dataclass(frozen=True)
class View:
    """One camera: `c2w` (3, 4); `half_height` is tan(fov / 2), or world units if orthographic."""

    c2w: NDArray[np.float64]
    half_height: float
    orthographic: bool = False


def orbit(azimuth_degrees: float, elevation_degrees: float, radius: float) -> NDArray[np.float64]:
    """Camera-to-world (3, 4) of a camera on a sphere that looks at the origin, z up."""
    az, el = math.radians(azimuth_degrees), math.radians(elevation_degrees)
    back = np.array([math.sin(az) * math.cos(el), -math.cos(az) * math.cos(el), math.sin(el)])
    right = np.array([math.cos(az), math.sin(az), 0.0])
    return np.stack([right, np.cross(back, right), back, radius * back], 1)


@njit(cache=True, fastmath=True, inline="always")
def _ellipsoid(o, d, low, high):
    a = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    b = o[0] * d[0] + o[1] * d[1] + o[2] * d[2]
    c = o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - 1.0
    disc = b * b - a * c
    if disc < 0:
        return _FAR
    root = math.sqrt(disc)
    for sign in (-1.0, 1.0):
        t = (-b + sign * root) / a
        z = o[2] + t * d[2]
        if t > 0 and low - 1e-9 <= z <= high + 1e-9:
            return t
    return _FAR


@njit(cache=True, fastmath=True)
def _box(o, d, px, py, n):
    """Convex: six planes; the side planes tilt from half-width 1 at z = -1 to px, py at z = 1."""
    near, far = -_FAR, _FAR
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
                return _FAR
            continue
        t = gap / speed
        if speed < 0:
            if t > near:
                near = t
                n[0], n[1], n[2] = nx, ny, nz
        elif t < far:
            far = t
    return near if near <= far and near > 0 else _FAR


@njit(cache=True, fastmath=True)
def _frustum(o, d, bottom, top, capped, n):
    slope, middle = 0.5 * (top - bottom), 0.5 * (top + bottom)
    best = _FAR
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


@njit(cache=True, fastmath=True)
def _distance(shape, p, x, y, z):
    if shape == TORUS:
        ring = math.sqrt(x * x + y * y) - 1.0
        return math.sqrt(ring * ring + z * z) - p[0]
    if shape == CAPSULE:
        rest = z - min(max(z, -p[0]), p[0])
        return math.sqrt(x * x + y * y + rest * rest) - p[1]
    qx, qy, qz = abs(x) - p[0] + p[3], abs(y) - p[1] + p[3], abs(z) - p[2] + p[3]
    inside = min(max(qx, max(qy, qz)), 0.0)
    qx, qy, qz = max(qx, 0.0), max(qy, 0.0), max(qz, 0.0)
    return math.sqrt(qx * qx + qy * qy + qz * qz) + inside - p[3]


@njit(cache=True, fastmath=True)
def _traced(shape, o, d, p, extent, n):
    """Sphere tracing inside the shape's bounding box."""
    near, far = 0.0, _FAR
    for i in range(3):
        if abs(d[i]) < 1e-12:
            if abs(o[i]) > extent[i]:
                return _FAR
            continue
        t0, t1 = (-extent[i] - o[i]) / d[i], (extent[i] - o[i]) / d[i]
        near, far = max(near, min(t0, t1)), min(far, max(t0, t1))
    if near > far:
        return _FAR
    length = math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
    t = near
    for _ in range(64):
        x, y, z = o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2]
        gap = _distance(shape, p, x, y, z)
        if gap < 5e-4:
            h = 1e-4
            n[0] = _distance(shape, p, x + h, y, z) - _distance(shape, p, x - h, y, z)
            n[1] = _distance(shape, p, x, y + h, z) - _distance(shape, p, x, y - h, z)
            n[2] = _distance(shape, p, x, y, z + h) - _distance(shape, p, x, y, z - h)
            return t
        t += gap / length
        if t > far:
            return _FAR
    return _FAR


@njit(cache=True, fastmath=True)
def _rectangle(matrix, extent, c2w, half, orthographic, size):
    """The pixel rectangle (x0, x1, y0, y1) that covers a part's bounding box."""
    lo_x, hi_x, lo_y, hi_y = 1e9, -1e9, 1e9, -1e9
    for corner in range(8):
        q = np.empty(3)
        for i in range(3):
            q[i] = matrix[i, 3] - c2w[i, 3]
            for j in range(3):
                side = extent[j] if (corner >> j) & 1 else -extent[j]
                q[i] += matrix[i, j] * side
        x = q[0] * c2w[0, 0] + q[1] * c2w[1, 0] + q[2] * c2w[2, 0]
        y = q[0] * c2w[0, 1] + q[1] * c2w[1, 1] + q[2] * c2w[2, 1]
        depth = -(q[0] * c2w[0, 2] + q[1] * c2w[1, 2] + q[2] * c2w[2, 2])
        if not orthographic:
            if depth < 1e-2:
                return 0, size, 0, size
            x, y = x / depth, y / depth
        lo_x, hi_x, lo_y, hi_y = min(lo_x, x), max(hi_x, x), min(lo_y, y), max(hi_y, y)
    scale = 0.5 * size / half
    x0, x1 = math.floor(0.5 * size + lo_x * scale) - 1, math.ceil(0.5 * size + hi_x * scale) + 1
    y0, y1 = math.floor(0.5 * size - hi_y * scale) - 1, math.ceil(0.5 * size - lo_y * scale) + 1
    return max(x0, 0), min(x1, size), max(y0, 0), min(y1, size)


@njit(cache=True, fastmath=True)
def _cast(shapes, matrices, inverses, params, extents, c2w, half, orthographic, size):
    """Nearest hits of every ray: depth along the view axis, part (-1: none), world normal."""
    depths = np.full((size, size), _FAR)
    parts = np.full((size, size), -1, np.int16)
    normals = np.zeros((size, size, 3))
    o, d, n, origin, ray = np.empty(3), np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    for part in range(len(shapes)):
        shape, inverse, p = shapes[part], inverses[part], params[part]
        x0, x1, y0, y1 = _rectangle(matrices[part], extents[part], c2w, half, orthographic, size)
        for row in range(y0, y1):
            y = (1.0 - 2.0 * (row + 0.5) / size) * half
            for column in range(x0, x1):
                x = (2.0 * (column + 0.5) / size - 1.0) * half
                for i in range(3):
                    if orthographic:
                        origin[i] = c2w[i, 3] + x * c2w[i, 0] + y * c2w[i, 1]
                        ray[i] = -c2w[i, 2]
                    else:
                        origin[i] = c2w[i, 3]
                        ray[i] = x * c2w[i, 0] + y * c2w[i, 1] - c2w[i, 2]
                for i in range(3):
                    o[i] = inverse[i, 0] * origin[0] + inverse[i, 1] * origin[1]
                    o[i] += inverse[i, 2] * origin[2] + inverse[i, 3]
                    d[i] = inverse[i, 0] * ray[0] + inverse[i, 1] * ray[1] + inverse[i, 2] * ray[2]
                if shape == ELLIPSOID:
                    t = _ellipsoid(o, d, p[0], p[1])
                    for i in range(3):
                        n[i] = o[i] + t * d[i]
                elif shape == BOX:
                    t = _box(o, d, p[0], p[1], n)
                elif shape == FRUSTUM:
                    t = _frustum(o, d, p[0], p[1], p[2], n)
                else:
                    t = _traced(shape, o, d, p, extents[part], n)
                if t >= depths[row, column]:
                    continue
                depths[row, column] = t
                parts[row, column] = part
                _to_world(inverse, n, ray, normals[row, column])
    return depths, parts, normals


@njit(cache=True, fastmath=True)
def _to_world(inverse, n, ray, out):
    """The unit world normal, towards the viewer, of a local normal."""
    length, facing = 0.0, 0.0
    for i in range(3):
        out[i] = inverse[0, i] * n[0] + inverse[1, i] * n[1] + inverse[2, i] * n[2]
        length += out[i] * out[i]
        facing += out[i] * ray[i]
    scale = (-1.0 if facing > 0 else 1.0) / math.sqrt(max(length, 1e-30))
    for i in range(3):
        out[i] *= scale


@njit(cache=True, fastmath=True)
def _resolve(
    depths, parts, normals, colors, c2w, half, orthographic, samples, light, rgba, buffers
):
    """Shade every ray and average those of a pixel into `rgba` (straight) and `buffers`."""
    size = rgba.shape[0]
    fine = size * samples
    point = np.empty(3)
    for row in range(size):
        for column in range(size):
            hits, nearest = 0, _FAR
            for sub in range(samples * samples):
                r, c = row * samples + sub // samples, column * samples + sub % samples
                part, depth = parts[r, c], depths[r, c]
                if part < 0:
                    continue
                hits += 1
                x = (2.0 * (c + 0.5) / fine - 1.0) * half
                y = (1.0 - 2.0 * (r + 0.5) / fine) * half
                reach = 1.0 if orthographic else depth
                towards, squared = 0.0, 1e-12
                for i in range(3):
                    point[i] = c2w[i, 3] - depth * c2w[i, 2]
                    point[i] += reach * (x * c2w[i, 0] + y * c2w[i, 1])
                    towards += normals[r, c, i] * (light[i] - point[i])
                    squared += (light[i] - point[i]) ** 2
                shade = light[3] * max(0.0, towards / math.sqrt(squared)) + light[4]
                for i in range(3):
                    rgba[row, column, i] += min(1.0, colors[part, i] * shade)
                    buffers[row, column, i] += normals[r, c, i]
                    buffers[row, column, 3 + i] += point[i]
                if depth < nearest:
                    nearest = depth
                    buffers[row, column, 7] = part
                buffers[row, column, 6] += depth
            if hits == 0:
                buffers[row, column, 7] = -1
                continue
            for i in range(3):
                rgba[row, column, i] /= hits
            for i in range(7):
                buffers[row, column, i] /= hits
            rgba[row, column, 3] = hits / (samples * samples)


def _packed(scene: Scene) -> tuple[NDArray[np.float64], ...]:
    matrices = np.stack([part.local_to_world for part in scene.parts])
    linear = np.linalg.inv(matrices[:, :, :3])
    inverses = np.concatenate([linear, -linear @ matrices[:, :, 3:]], 2)
    shapes = np.array([part.shape for part in scene.parts])
    params = np.stack([np.resize(np.append(part.params, np.zeros(4)), 4) for part in scene.parts])
    extents = np.stack([part.local_bounds()[1] for part in scene.parts])
    return shapes, matrices, inverses, params, extents


def render(
    scene: Scene, cameras: Cameras, light: Light | None = None, samples: int = 2
) -> dict[str, Floats]:
    """Render square `cameras`; see `render_views`. Raises ValueError where they are not square."""
    if cameras.height != cameras.width:
        raise ValueError(f"the ray caster draws squares, not {cameras.height} x {cameras.width}")
    fov, c2w = np.radians(cameras.fov_degrees.double().numpy()), cameras.c2w.double().numpy()
    ortho = np.zeros(len(fov)) if cameras.ortho_height is None else cameras.ortho_height.numpy()
    half = np.where(ortho > 0, ortho / 2, np.tan(fov / 2))
    views = [View(c2w[i, :3], float(half[i]), bool(ortho[i] > 0)) for i in range(len(fov))]
    return render_views(scene, views, light, samples, cameras.height)


def render_views(
    scene: Scene, views: list[View], light: Light | None = None, samples: int = 2, size: int = 64
) -> dict[str, Floats]:
    """Render `views` of a scene; arrays (V, size, size, C), RGB straight (not premultiplied).

    Keys: rgba (4), normals (3, world, unit; zero where empty), coordinates (3, world), depth (1,
    along the view axis), part (1, index or -1). Without a light the colors are plain albedo.
    """
    packed = _packed(scene)
    colors = np.clip(np.stack([part.color for part in scene.parts]), 0, 1)
    rgba = np.zeros((len(views), size, size, 4))
    buffers = np.zeros((len(views), size, size, 8))
    lit = np.array(
        [0.0, 0, 1, 0, 1] if light is None else [*light.position, light.diffuse, light.ambient]
    )
    for index, view in enumerate(views):
        camera = (view.c2w, view.half_height, view.orthographic)
        hits = _cast(*packed, *camera, size * samples)
        _resolve(*hits, colors, *camera, samples, lit, rgba[index], buffers[index])
    length = np.linalg.norm(buffers[..., :3], axis=-1, keepdims=True)
    return {
        "rgba": rgba.astype(np.float32),
        "normals": (buffers[..., :3] / np.maximum(length, 1e-6)).astype(np.float32),
        "coordinates": buffers[..., 3:6].astype(np.float32),
        "depth": buffers[..., 6:7].astype(np.float32),
        "part": buffers[..., 7:8].astype(np.float32),
    }
