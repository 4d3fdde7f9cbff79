"""Ray casting of scenes in bulk on the CPU: color, alpha, normals, depth, part ids, coordinates."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.pocket.render.casting import (
    CAMERA_NORMAL,
    CHANNELS,
    DEPTH,
    NORMAL,
    OBJECT,
    PART,
    POINT,
    cast,
    resolve,
)
from backend.pocket.render.packing import packed, paints
from backend.pocket.world.scenes import Scene
from backend.rendering.cameras import Cameras

Floats = NDArray[np.float32]
_NO_LIGHT = (0.0, 0.0, 1.0, 0.0, 1.0)


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


def render(
    scene: Scene, cameras: Cameras, light: Light | None = None, samples: int = 2
) -> dict[str, Floats]:
    """Render square `cameras`; see `render_views`. Raises ValueError where they are not square."""
    return render_views(scene, views_of(cameras), light, samples, cameras.height)


def views_of(cameras: Cameras) -> list[View]:
    """The cameras as the ray caster wants them. Raises ValueError where they are not square."""
    if cameras.height != cameras.width:
        raise ValueError(f"the ray caster draws squares, not {cameras.height} x {cameras.width}")
    fov, c2w = np.radians(cameras.fov_degrees.double().numpy()), cameras.c2w.double().numpy()
    ortho = np.zeros(len(fov)) if cameras.ortho_height is None else cameras.ortho_height.numpy()
    half = np.where(ortho > 0, ortho / 2, np.tan(fov / 2))
    return [View(c2w[i, :3], float(half[i]), bool(ortho[i] > 0)) for i in range(len(fov))]


def render_views(
    scene: Scene, views: list[View], light: Light | None = None, samples: int = 2, size: int = 64
) -> dict[str, Floats]:
    """Render `views` of a scene; arrays (V, size, size, C), RGB straight (not premultiplied).

    Keys: rgba (4), normals (3, world, unit; zero where empty), camera_normals (3), coordinates (3,
    world), object_coordinates (3, of the object at rest), depth (1, along the view axis), part (1,
    index or -1). Without a light the colors are plain albedo. `samples` x `samples` rays a pixel.
    """
    arrays, (rows, rests) = packed(scene), paints(scene)
    pixels = np.zeros((len(views), size, size, CHANNELS), np.float32)
    lit = np.array(
        _NO_LIGHT if light is None else [*light.position, light.diffuse, light.ambient], float
    )
    for index, view in enumerate(views):
        camera = (view.c2w, view.half_height, view.orthographic)
        hits = cast(arrays, *camera, size * samples)
        resolve(hits, arrays, rows, rests, *camera, lit, pixels[index])
    return {
        "rgba": pixels[..., :NORMAL],
        "normals": pixels[..., NORMAL:POINT],
        "camera_normals": pixels[..., CAMERA_NORMAL:],
        "coordinates": pixels[..., POINT:OBJECT],
        "object_coordinates": pixels[..., OBJECT:DEPTH],
        "depth": pixels[..., DEPTH:PART],
        "part": pixels[..., PART:CAMERA_NORMAL],
    }
