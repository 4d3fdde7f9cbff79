"""Pictures for the documentation: compositions of the world, edits with their region, motions."""

import math
import textwrap
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from backend.pocket.data import Shot
from backend.pocket.render import Light, View, render_views
from backend.pocket.world import Accessory, Description, Relation, Scene, build, caption
from backend.pocket.world.descriptions import (
    ACCESSORIES,
    ATTRIBUTES,
    MATERIALS,
    SHADES,
    colors_seen,
)
from backend.pocket.world.edits import OPERATIONS, Edit, changed_region, draw_edit
from backend.pocket.world.motions import (
    WHOLE,
    Motion,
    motion_captions,
    motions_of,
    pose,
    with_room,
)

LIGHT = Light(np.array([1.5, -3.0, 3.0]), 0.45, 0.6)
FRONT = Shot(25, 18, 40, 1.0).view()
_GRAY = (128, 128, 128)


def composition_sheet(size: int = 80, columns: int = 9) -> Image.Image:
    """A scene for everything that can be said besides kind and color, with its caption."""
    tiles = [
        captioned(picture(build(said, seed=seed), FRONT, size), caption(said), 3)
        for seed, said in enumerate(_COMPOSITIONS)
    ]
    return tiled(tiles, columns)


def edit_sheet(size: int = 64, columns: int = 3) -> Image.Image:
    """Edits of every operation: source, target and changed region, with the instruction."""
    tiles = []
    for row, operation in enumerate(OPERATIONS):
        for column in range(columns):
            rng = np.random.default_rng((11, row, column))
            tiles.append(_edit_tile(draw_edit(rng, operations=(operation,)), size))
    return tiled(tiles, columns)


def _edit_tile(edit: Edit, size: int) -> Image.Image:
    region = changed_region(edit, [FRONT], size)[0]
    images = [picture(scene, FRONT, size) for scene in (edit.source, edit.target)]
    images.append(Image.fromarray((region * 255).astype(np.uint8)).convert("RGB"))
    return captioned(beside(images), f"{edit.caption_source}: {edit.instruction}", 3)


def motion_sheet(size: int = 56, columns: int = 3) -> Image.Image:
    """Five phases of motions of whole objects and of joints, with a caption."""
    moving = [("mug", Motion(name)) for name in WHOLE]
    moving += [(kind, motions_of(kind)[-1]) for kind in _MOVING]
    tiles = []
    for index, (kind, motion) in enumerate(moving):
        colors = colors_seen(kind)
        said = Description(kind, colors[2 * index % len(colors)])
        scene = with_room(build(said, seed=index), motion)
        images = [picture(pose(scene, motion, phase), FRONT, size) for phase in _PHASES]
        tiles.append(captioned(beside(images), motion_captions(said, motion)[0], 1))
    return tiled(tiles, columns)


def save_sheets(folder: Path) -> None:
    """Write the three sheets as `folder`/world_{compositions,edits,motions}.png, in 256 colors."""
    sheets = {"compositions": composition_sheet, "edits": edit_sheet, "motions": motion_sheet}
    for name, draw in sheets.items():
        draw().quantize(256).save(folder / f"world_{name}.png", optimize=True)


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


def beside(images: list[Image.Image]) -> Image.Image:
    """Images of one size in a row."""
    return tiled(images, len(images))


def tiled(tiles: list[Image.Image], columns: int) -> Image.Image:
    """Tiles of one size in rows."""
    width, height = tiles[0].size
    sheet = Image.new("RGB", (columns * width, math.ceil(len(tiles) / columns) * height), _GRAY)
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * width, index // columns * height))
    return sheet


def _relation(kind: str, color: str, word: str, other: Description) -> Description:
    return Description(kind, color, relation=Relation(word, other))


_PHASES = (0.0, 0.15, 0.375, 0.6, 0.9)
_MOVING = (
    "windmill", "dog", "teapot", "wardrobe", "book", "owl", "helicopter", "elephant", "butterfly",
    "clock", "robot",
)  # fmt: skip
_COMPOSITIONS = (
    *(Description("teapot", "red", pattern=word) for word in ("striped", "checked", "dotted")),
    *(Description("chair", pattern=word) for word in MATERIALS),
    *(Description("tractor", "green", shade=word) for word in (None, *SHADES)),
    *(Description("cat", "orange", attribute=word) for word in ATTRIBUTES if word != "big"),
    *(Description("mushroom", "red", count=count) for count in (2, 3, 4)),
    _relation("apple", "green", "on", Description("table", pattern="wooden")),
    _relation("dog", "brown", "under", Description("table", "white")),
    _relation("mug", "yellow", "next to", Description("teapot", "blue")),
    _relation("car", "red", "in front of", Description("house", "white")),
    _relation("elephant", "gray", "behind", Description("sofa", "pink")),
    *(Description("snowman", "white", accessory=Accessory(word, "red")) for word in ACCESSORIES),
    *(Description(kind, color, accessory=Accessory(worn, "purple")) for kind, color, worn in (
        ("car", "yellow", "hat"), ("penguin", "black", "bow tie"), ("castle", "gray", "flag"),
        ("pig", "pink", "crown"), ("giraffe", "yellow", "scarf"), ("robot", "cyan", "flower"),
        ("tree", "green", "hat"),
    )),
)  # fmt: skip
