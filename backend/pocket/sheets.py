"""Pictures for the documentation: the world's kinds, and the curves of training."""

import json
import math
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from backend.pocket.data import Shot
from backend.pocket.render import Light, render_views
from backend.pocket.weights import STATE
from backend.pocket.world import COLORS, KINDS, Scene, build, is_held_out

FAMILIES = tuple(dict.fromkeys(kind.family for kind in KINDS.values()))
_CURVES = ("joint_0.9", "joint_0.7", "joint_0.5", "joint_0.3")
_INKS = ("#b3261e", "#c77700", "#1b7f3b", "#2155c4")
_LIGHT = Light(np.array([1.5, -3.0, 3.0]), 0.45, 0.6)


def kind_tile(kind: str, index: int, size: int = 64, width: int = 84) -> Image.Image:
    """One random object of a kind, with its name."""
    colors = [color for color in COLORS if not is_held_out(kind, color)]
    scene = build(kind, colors[3 * index % len(colors)], index)
    tile = Image.new("RGB", (width, size + 12), (128, 128, 128))
    tile.paste(_strip(scene, (25,), size), ((width - size) // 2, 0))
    ImageDraw.Draw(tile).text((width // 2, size + 5), kind, fill="white", anchor="mm")
    return tile


def world_sheet(columns: int = 9) -> Image.Image:
    """Every kind of the world on one picture."""
    tiles = [kind_tile(kind, index) for index, kind in enumerate(KINDS)]
    width, height = tiles[0].size
    rows = math.ceil(len(tiles) / columns)
    sheet = Image.new("RGB", (columns * width, rows * height), (128, 128, 128))
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * width, index // columns * height))
    return sheet


def draw_world(folder: Path) -> None:
    """Write `folder`/pocket_world.png, and world_FAMILY.png for every family, in 256 colors."""
    sheets = {f"world_{family}": family_sheet(family) for family in FAMILIES}
    for name, sheet in {"pocket_world": world_sheet(), **sheets}.items():
        sheet.quantize(256).save(folder / f"{name}.png", optimize=True)


def family_sheet(family: str, scale: int = 1) -> Image.Image:
    """Every kind of a family at 64 pixels, lit, one row each: two objects of different colors, each
    from azimuths 20, 110, 200 and 290; enlarged `scale` times. Raises ValueError where unknown.
    """
    names = [name for name, kind in KINDS.items() if kind.family == family]
    if not names:
        raise ValueError(f"no family {family!r}")
    rows = [_family_row(name, index) for index, name in enumerate(names)]
    width, height = rows[0].size
    sheet = Image.new("RGB", (width, height * len(rows)), (128, 128, 128))
    for index, row in enumerate(rows):
        sheet.paste(row, (0, index * height))
    return sheet.resize((width * scale, sheet.height * scale), Image.Resampling.BICUBIC)


def _family_row(kind: str, index: int, size: int = 64) -> Image.Image:
    row = Image.new("RGB", (70 + 8 * size, size), (128, 128, 128))
    ImageDraw.Draw(row).text((4, size // 2 - 6), kind, fill="white")
    words = list(COLORS)
    for place in range(2):
        scene = build(kind, words[(3 * index + 4 * place) % len(words)], index + 50 * place)
        row.paste(_strip(scene, (20, 110, 200, 290), size), (70 + 4 * size * place, 0))
    return row


def _strip(scene: Scene, azimuths: tuple[float, ...], size: int) -> Image.Image:
    """Lit views of an object side by side, over gray."""
    views = [Shot(azimuth, 18, 40, 1.0).view() for azimuth in azimuths]
    rgba = render_views(scene, views, _LIGHT, size=size)["rgba"]
    over = rgba[..., :3] * rgba[..., 3:] + 0.5 * (1 - rgba[..., 3:])
    strip = np.concatenate(list(over), 1)
    return Image.fromarray((strip * 255).round().clip(0, 255).astype(np.uint8))


def curve_sheet(losses: Path, path: Path, width: int = 640, height: int = 360) -> None:
    """Held-out error of joint views against minutes of training, both on logarithmic axes."""
    rows = [json.loads(line) for line in losses.read_text().splitlines()]
    minutes = np.log([max(row["minutes"], 1) for row in rows])
    values = np.log([[row[name] for name in _CURVES] for row in rows])
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    x = 50 + (width - 70) * (minutes - minutes[0]) / max(np.ptp(minutes), 1e-9)
    low, high = values.min(), values.max()
    y = 15 + (height - 55) * (high - values) / (high - low)
    for column, (name, ink) in enumerate(zip(_CURVES, _INKS, strict=True)):
        draw.line(list(zip(x, y[:, column], strict=True)), fill=ink, width=2)
        draw.text((x[0] + 6, y[0, column] - 12), f"t = {name[6:]}", fill=ink)
    for value in np.linspace(low, high, 5):
        draw.text(
            (4, 9 + (height - 55) * (high - value) / (high - low)),
            f"{math.exp(value):.4f}",
            fill="black",
        )
    for position in np.linspace(0, len(rows) - 1, min(6, len(rows))).round().astype(int):
        draw.text((x[position] - 8, height - 30), f"{rows[position]['minutes']:.0f}", fill="black")
    draw.text((width - 190, height - 16), "minutes of training", fill="black")
    picture.save(path, optimize=True)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    curve_sheet(STATE / "losses.jsonl", folder / "pocket_curve.png")
