"""Pictures for the documentation: compositions of the world, edits with their region, motions."""

import math
import textwrap
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from backend.pocket.data import Shot
from backend.pocket.render import Light, View, render_views
from backend.pocket.world import Accessory, Description, Relation, Scene, build, caption
from backend.pocket.world.descriptions import ACCESSORIES, ATTRIBUTES, PATTERNS, RELATIONS

LIGHT = Light(np.array([1.5, -3.0, 3.0]), 0.45, 0.6)
FRONT = Shot(25, 18, 40, 1.0).view()
_GRAY = (128, 128, 128)


def composition_sheet(size: int = 96, columns: int = 7) -> Image.Image:
    """One scene of every thing that can be said besides kind and color, with its caption."""
    tiles = [
        captioned(picture(build(said, seed=seed), FRONT, size), caption(said))
        for seed, said in enumerate(_COMPOSITIONS)
    ]
    return tiled(tiles, columns)


def picture(scene: Scene, view: View, size: int) -> Image.Image:
    """One lit view of a scene over gray."""
    rgba = render_views(scene, [view], LIGHT, size=size)["rgba"][0]
    over = rgba[..., :3] * rgba[..., 3:] + 0.5 * (1 - rgba[..., 3:])
    return Image.fromarray((over * 255).round().clip(0, 255).astype(np.uint8))


def captioned(image: Image.Image, words: str, lines: int = 2) -> Image.Image:
    """An image with words under it, broken at its width."""
    tile = Image.new("RGB", (image.width, image.height + 11 * lines), _GRAY)
    tile.paste(image, (0, 0))
    text = "\n".join(textwrap.wrap(words, image.width // 6)[:lines])
    ImageDraw.Draw(tile).multiline_text((2, image.height - 2), text, "white", spacing=0)
    return tile


def tiled(tiles: list[Image.Image], columns: int) -> Image.Image:
    """Tiles of one size in rows."""
    width, height = tiles[0].size
    sheet = Image.new("RGB", (columns * width, math.ceil(len(tiles) / columns) * height), _GRAY)
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * width, index // columns * height))
    return sheet


def save(sheet: Image.Image, path: Path) -> None:
    """Write a sheet in 256 colors."""
    sheet.quantize(256).save(path, optimize=True)


_COMPOSITIONS = (
    *(Description("mug", None if i > 2 else "red", pattern=p) for i, p in enumerate(PATTERNS)),
    *(Description("chair", "blue", attribute=word) for word in ATTRIBUTES if word != "big"),
    *(Description("snowman", "white", accessory=Accessory(worn, "red")) for worn in ACCESSORIES),
    *(Description("dog", "brown", accessory=Accessory(worn, "blue")) for worn in ACCESSORIES),
)
