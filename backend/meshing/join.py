"""Two meshes with textures made one."""

from dataclasses import replace

import numpy as np

from backend.meshing.normals import vertex_normals
from protocol.assets import Attribute, Image, Material, Mesh

FLAT = (128, 128, 255)
"""A normal map that changes nothing."""


def join_textured(first: Mesh, second: Mesh) -> Mesh:
    """Both, ``first`` before ``second``; each needs UVs in the unit square and a base color map.

    Positions, faces, normals and attributes of ``first`` keep their bits; attributes of ``second``
    are white in ``color`` and 0 in all others. Textures become twice as wide and high: the first
    one's stands at the bottom left, texel by texel, its UVs halved (which no float loses a bit by),
    its edge repeated around it; the second one's, resized, at the top right.
    """
    assert first.uvs is not None
    assert second.uvs is not None
    count = len(second.positions)
    normals = second.normals
    if normals is None:
        normals = vertex_normals(second.positions, second.faces)
    return Mesh(
        np.concatenate([first.positions, second.positions]),
        np.concatenate([first.faces, second.faces + len(first.positions)]).astype(np.int32),
        np.concatenate([first.uvs / 2, second.uvs / 2 + 0.5]).astype(np.float32),
        None if first.normals is None else np.concatenate([first.normals, normals]),
        {name: _longer(name, entry, count, len(second.faces))
         for name, entry in first.attributes.items()},
        _joined_material(first.material, second.material),
    )


def _longer(name: str, entry: Attribute, points: int, faces: int) -> Attribute:
    more = {"point": points, "face": faces, "corner": 3 * faces}[entry.domain]
    fill = 1 if name == "color" else 0
    rows = np.full((more, *entry.values.shape[1:]), fill, entry.values.dtype)
    return replace(entry, values=np.concatenate([entry.values, rows]))


def _joined_material(first: Material | None, second: Material | None) -> Material:
    assert first is not None
    assert first.base_color_map is not None
    assert second is not None
    assert second.base_color_map is not None
    factors = {"roughness_map": second.roughness, "metallic_map": second.metallic}
    maps = {
        name: _beside(image, np.full((1, 1, 1), round(255 * factor), np.uint8))
        for name, factor in factors.items() if (image := getattr(first, name)) is not None
    }
    if first.normal_map is not None:
        maps["normal_map"] = _beside(first.normal_map, np.array(FLAT, np.uint8)[None, None])
    maps["base_color_map"] = _beside(first.base_color_map, second.base_color_map.pixels)
    return replace(first, **maps)


def _beside(image: Image, other: np.ndarray) -> Image:
    """A picture at the bottom left of one twice its size, and ``other`` at the top right."""
    height, width, channels = image.pixels.shape
    pixels = np.pad(image.pixels, ((height, 0), (0, width), (0, 0)), mode="edge")
    rows = np.arange(height) * other.shape[0] // height
    columns = np.arange(width) * other.shape[1] // width
    pixels[:height, width:] = _with_channels(other[rows][:, columns], channels)
    return Image(pixels, image.color)


def _with_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Opaque where alpha is missing; the first channel repeated where there is one."""
    if pixels.shape[2] == 1:
        pixels = pixels.repeat(min(channels, 3), 2)
    if channels == 4 and pixels.shape[2] == 3:
        return np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], 2)
    return pixels[..., :channels]
