"""Images into Blender: packed from PNG bytes in memory, no temporary files.

Packing float pixels makes Blender encode a PNG on the main thread, about a second for 2K;
handing over finished PNG bytes takes milliseconds.
"""

import math
import struct
import zlib
from typing import Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ...protocol.assets import FloatArray, Image
from ...protocol.errors import InputError
from .meshes import linear_to_srgb

_PNG_COLOR_TYPES = {1: 0, 3: 2, 4: 6}


def pack_image(name: str, image: Image) -> bpy.types.Image:
    """A Blender image that carries its PNG inside the .blend file."""
    packed = pack_bytes(name, encode_png(image.pixels))
    packed.colorspace_settings.name = "sRGB" if image.color else "Non-Color"
    return packed


def pack_bytes(name: str, data: bytes) -> bpy.types.Image:
    """A Blender image of the bytes of a picture's file, carried inside the .blend file."""
    packed = bpy.data.images.new(name, 1, 1)
    packed.pack(data=data, data_len=len(data))  # type: ignore[arg-type]
    packed.source = "FILE"
    return packed


def read_image(source: bpy.types.Image) -> Image:
    """The pixels of a Blender image, display-encoded. Raises :class:`InputError` where it has none:
    its file is missing, or it is what a render left behind."""
    width, height = source.size
    channels, stored = source.channels, cast(Any, source.pixels)
    values = np.empty(channels * width * height, np.float32)
    if len(values) == 0 or len(stored) != len(values):
        raise InputError(
            "image_without_pixels", f"The image {source.name} has no pixels.",
            "Choose another, reload its file, or save a render as a file first.",
        )
    full = np.ones((height, width, 4), np.float32)
    stored.foreach_get(values)
    full[..., :channels if channels > 1 else 3] = values.reshape(height, width, channels)
    if source.is_float:
        full[..., :3] = linear_to_srgb(full[..., :3])
    pixels = np.rint(np.clip(full[::-1], 0, 1) * 255).astype(np.uint8)
    opaque = (pixels[..., 3] == 255).all()
    return Image(np.ascontiguousarray(pixels[..., :3] if opaque else pixels))


def same_pixels(first: Image, second: Image | None) -> bool:
    """True where two images show the same, whether or not one says that it is opaque."""
    if second is None or first.pixels.shape[:2] != second.pixels.shape[:2]:
        return False
    return bool(np.array_equal(blender_pixels(first), blender_pixels(second)))


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """PNG bytes of (height, width, 1, 3 or 4) uint8 (PNG specification, third edition, 5 and 9).

    Rows are not filtered and compressed fast: the file stays in memory, time matters more.
    """
    height, width, channels = pixels.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, _PNG_COLOR_TYPES[channels], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 1))
        + _chunk(b"IEND", b"")
    )


def blender_pixels(image: Image) -> FloatArray:
    """Pixels as Blender stores them: flat RGBA float32, row 0 at the bottom."""
    pixels = image.pixels[::-1]
    height, width, channels = pixels.shape
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :channels if channels > 1 else 3] = pixels.astype(np.float32) / 255
    return rgba.reshape(-1)


def folded(image: Image) -> Image:
    """A strip of square views, laid out in rows so that it fills a square better."""
    height, width, channels = image.pixels.shape
    views = width // height
    if views < 4 or width % height:
        return image
    columns = math.ceil(math.sqrt(views))
    rows = math.ceil(views / columns)
    tiles = np.zeros((rows * columns, height, height, channels), np.uint8)
    tiles[:views] = image.pixels.reshape(height, views, height, channels).swapaxes(0, 1)
    grid = tiles.reshape(rows, columns, height, height, channels).swapaxes(1, 2)
    return Image(grid.reshape(rows * height, columns * height, channels), image.color)


def mean_color(image: Image) -> NDArray[Any]:
    """The mean color (3,), display-encoded in [0, 1], over the pixels that are not transparent."""
    pixels = image.pixels.reshape(-1, image.pixels.shape[-1])
    if pixels.shape[1] == 4 and (pixels[:, 3] > 0).any():
        pixels = pixels[pixels[:, 3] > 0]
    return np.broadcast_to(pixels[:, :3].mean(axis=0) / 255, 3)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
