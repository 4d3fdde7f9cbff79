"""Photograph an object with Cycles: soft light, its shadow on a plain backdrop, views around."""

import math
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

FOV_DEGREES = 30.0
BACKDROP_TOP, BACKDROP_BOTTOM = (0.80, 0.84, 0.89), (0.95, 0.95, 0.94)


def set_up_studio(subject: bpy.types.Object) -> bpy.types.Object:
    """Put light, a floor and a camera around an object, all in a collection; return the camera."""
    scene = bpy.context.scene
    studio = bpy.data.collections.new("Studio")
    scene.collection.children.link(studio)
    low, high = bounds(subject)
    size = (high - low).length
    center = Vector(((low.x + high.x) / 2, (low.y + high.y) / 2, low.z))
    studio.objects.link(make_floor(center, size))
    for name, direction, power, width in (
        ("Key", (-1.0, -1.3, 1.6), 42.0, 1.0),
        ("Fill", (1.7, -1.0, 0.7), 12.0, 2.0),
        ("Rim", (0.8, 1.5, 1.8), 30.0, 0.7),
    ):
        middle = (low + high) / 2
        studio.objects.link(make_light(name, middle, Vector(direction), power, width, size))
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.angle = math.radians(FOV_DEGREES)
    studio.objects.link(camera)
    scene.camera = camera
    scene.world = scene.world or bpy.data.worlds.new("World")
    scene.world.color = (0.35, 0.37, 0.4)
    # Base colors are sRGB as the prior saw them: no filmic curve between them and the picture.
    scene.view_settings.view_transform = "Standard"
    return camera


def bounds(subject: bpy.types.Object) -> tuple[Vector, Vector]:
    """Return the lowest and highest corner of an object in the world."""
    corners = [subject.matrix_world @ Vector(corner) for corner in subject.bound_box]
    return (
        Vector([min(c[axis] for c in corners) for axis in range(3)]),
        Vector([max(c[axis] for c in corners) for axis in range(3)]),
    )


def make_floor(center: Vector, size: float) -> bpy.types.Object:
    """Return a plane that shows nothing of itself but the shadows that fall on it."""
    half = 6 * size
    corners = [(-half, -half, 0), (half, -half, 0), (half, half, 0), (-half, half, 0)]
    mesh = bpy.data.meshes.new("Floor")
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    floor = bpy.data.objects.new("Floor", mesh)
    floor.location = center
    floor.is_shadow_catcher = True
    return floor


def make_light(
    name: str, target: Vector, direction: Vector, power: float, width: float, size: float
) -> bpy.types.Object:
    """Return a square light that looks at ``target``; power in watts for an object of 1 m."""
    light = bpy.data.lights.new(name, "AREA")
    light.energy = power * size**2
    light.size = width * size
    lamp = bpy.data.objects.new(name, light)
    lamp.matrix_world = looking_at(target + direction * size, target)
    return lamp


def looking_at(position: Vector, target: Vector) -> Matrix:
    """Return the pose at ``position`` whose −z axis points at ``target``, z up."""
    rotation = (target - position).to_track_quat("-Z", "Y")
    return Matrix.Translation(position) @ rotation.to_matrix().to_4x4()


def aim(
    camera: bpy.types.Object, subject: bpy.types.Object, azimuth: float, elevation: float
) -> None:
    """Look at an object from degrees around it (0: its front, −y) and above, filling the frame."""
    low, high = bounds(subject)
    around, above = math.radians(azimuth), math.radians(elevation)
    flat = math.cos(above)
    direction = Vector((math.sin(around) * flat, -math.cos(around) * flat, math.sin(above)))
    distance = 0.55 * (high - low).length / math.sin(math.radians(FOV_DEGREES) / 2)
    center = (low + high) / 2
    camera.matrix_world = looking_at(center + direction * distance, center)
    camera.data.clip_end = 100 * distance


def render(path: Path, pixels: int, samples: int) -> Path:
    """Render the scene with Cycles on the CPU into a square PNG, over the backdrop."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.use_denoising = can_denoise()
    scene.cycles.samples = samples if can_denoise() else 4 * samples
    scene.cycles.max_bounces = 4
    scene.render.film_transparent = True
    scene.render.use_persistent_data = True
    scene.render.resolution_x = scene.render.resolution_y = pixels
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    write_pixels(path, over_backdrop(read_pixels(path)))
    return path


def can_denoise() -> bool:
    """Tell whether this Blender was built with Open Image Denoise (Debian's is not)."""
    import _cycles

    return bool(_cycles.with_openimagedenoise)


def over_backdrop(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay straight-alpha pixels (row 0 at the bottom) over a soft vertical gradient."""
    height = np.linspace(0, 1, len(pixels), dtype=np.float32)[:, None, None]
    backdrop = (1 - height) * np.float32(BACKDROP_BOTTOM) + height * np.float32(BACKDROP_TOP)
    alpha = pixels[..., 3:]
    mixed = alpha * pixels[..., :3] + (1 - alpha) * backdrop
    return np.concatenate([mixed, np.ones_like(alpha)], axis=-1)


def contact_sheet(
    path: Path, camera: bpy.types.Object, subject: bpy.types.Object, pixels: int = 192
) -> Path:
    """Render eight views around an object and lay them out four a row, the front first."""
    tiles = []
    for azimuth in range(0, 360, 45):
        aim(camera, subject, azimuth, elevation=15.0)
        tiles.append(read_pixels(render(path, pixels, samples=8)))
    rows = [np.concatenate(tiles[first : first + 4], axis=1) for first in (4, 0)]
    write_pixels(path, np.concatenate(rows, axis=0))
    return path


def read_pixels(path: Path) -> NDArray[np.float32]:
    """Return an image file as (height, width, 4), row 0 at the bottom as Blender keeps it."""
    image = bpy.data.images.load(str(path), check_existing=False)
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    width, height = image.size
    bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)


def write_pixels(path: Path, pixels: NDArray[np.float32]) -> None:
    """Write (height, width, 4), row 0 at the bottom, as a PNG."""
    height, width, _ = pixels.shape
    image = bpy.data.images.new(path.name, width, height, alpha=True)
    image.pixels.foreach_set(np.ascontiguousarray(pixels).ravel())
    image.filepath_raw = str(path)
    image.file_format = "PNG"
    image.save()
    bpy.data.images.remove(image)
