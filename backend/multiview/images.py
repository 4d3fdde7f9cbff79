"""Making a picture ready for a prior: the object cut out, centered, and as large as trained on."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn.functional import interpolate, pad

from backend.priors.base import Prior
from backend.priors.guidance import GivenViews
from backend.rendering.cameras import Cameras
from protocol.assets import Asset, Image
from protocol.errors import InputError

Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]

OBJECT_FILL = 0.75
"""What part of the frame the object's longer side takes: that of the pocket world's objects, whose
unit ball nearly fills it."""

LEAST_SIDE = 32
LEAST_OBJECT = 16
PLAIN = 0.06
"""How far a pixel of a plain background may be from the plane of colors through the border."""
PLAIN_SHARE = 0.9
SECOND_SHARE = 0.5
"""A second thing of this share of the first one's size makes it unclear which is meant."""


@dataclass(frozen=True)
class Picture:
    """A cut-out object in the middle of a square: ``premultiplied`` (1, side, side, 3) color times
    ``alpha`` (1, side, side, 1), both in [0, 1]."""

    premultiplied: Tensor
    alpha: Tensor

    def over(self, background: float) -> Tensor:
        """Over a gray, (1, side, side, 3)."""
        return self.premultiplied + (1 - self.alpha) * background


def given_view(
    prior: Prior, picture: Picture, camera: Cameras, words: str | None = None
) -> GivenViews:
    """The picture as a prior is shown it: encoded over its background (white where it has none);
    and the ``words`` for it, those of :func:`words_for` if absent."""
    gray = prior.spec.background
    latents = prior.encode(
        picture.over(1.0 if gray is None else gray), None if gray is None else picture.alpha
    )
    said = words_for(prior, picture) if words is None else words
    return GivenViews(latents, camera, prior.embed_text([said]) if said else None)


@torch.no_grad()
def words_for(prior: Prior, picture: Picture) -> str:
    """What a prior itself takes the picture for, as words; empty where it does not say."""
    gray = prior.spec.background
    return prior.recognize(picture.over(1.0 if gray is None else gray), picture.alpha)[0]


def find_image(assets: dict[str, Asset]) -> Image:
    """The input ``image``, or :class:`InputError`."""
    asset = assets.get("image")
    image = None if asset is None else asset.images.get("image")
    if image is None:
        raise InputError(
            "image_missing", "There is no picture to begin from.",
            "Choose a picture of one object, best of all cut out (with transparency).",
        )
    image.check()
    return image


def prepare_picture(image: Image, side: int, fill: float = OBJECT_FILL) -> Picture:
    """Cut the object out, center it, and scale it until its longer side takes ``fill`` of a square
    of ``side`` pixels.

    Alpha is used where the picture has any; a plain or evenly graded background is removed.
    Raises :class:`InputError` for pictures that are too small, empty, or show several objects.
    """
    if min(image.pixels.shape[:2]) < LEAST_SIDE:
        raise InputError(
            "image_too_small", f"The picture is only {image.pixels.shape[1]} x "
            f"{image.pixels.shape[0]} pixels.", f"Use one of at least {LEAST_SIDE} on each side.",
        )
    color, alpha = split_alpha(image)
    alpha = cut_out(color) if alpha is None else alpha
    rows, columns = _object_box(alpha)
    planes = torch.from_numpy(np.concatenate([color * alpha[..., None], alpha[..., None]], -1))
    square = _crop_square(planes, rows, columns, fill)
    small = interpolate(
        square.permute(2, 0, 1)[None], (side, side), mode="bilinear", antialias=True
    ).permute(0, 2, 3, 1)
    return Picture(small[..., :3].clamp(0, 1), small[..., 3:].clamp(0, 1))


def split_alpha(image: Image) -> tuple[Pixels, Pixels | None]:
    """Color (height, width, 3) and alpha (height, width) in [0, 1]; None where it is opaque."""
    pixels: Pixels = image.pixels.astype(np.float32) / np.float32(255)
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, 2), None
    if pixels.shape[2] == 3 or pixels[..., 3].min() == 1:
        return pixels[..., :3], None
    return pixels[..., :3], pixels[..., 3]


def cut_out(color: Pixels) -> Pixels:
    """Alpha (height, width) of what stands before a background that is plain or graded evenly.

    The background's color is a plane fitted to the border of the picture; what lies near it and
    reaches the border is background. Raises :class:`InputError` where the border is anything else.
    """
    border = np.ones(color.shape[:2], bool)
    border[1:-1, 1:-1] = False
    behind = _fit_plane(color, border)
    off = np.abs(color - behind).max(-1)
    if (off[border] < PLAIN).mean() < PLAIN_SHARE:
        raise InputError(
            "image_background", "The object cannot be told from the background of the picture.",
            "Cut the object out (save it with transparency), or photograph it before a plain wall.",
        )
    background = ndimage.binary_propagation(border & (off < PLAIN), mask=off < PLAIN)
    return np.where(background, (off / PLAIN - 0.5).clip(0, 1), 1).astype(np.float32)


def _fit_plane(color: Pixels, border: Mask) -> Pixels:
    """A color linear in row and column (height, width, 3) through most of the border."""
    rows, columns = np.indices(color.shape[:2]) / max(color.shape[:2])
    basis = np.stack([np.ones_like(rows), rows, columns], -1)
    kept = border.copy()
    for _ in range(3):  # an object that touches the border is left out after the first look
        plane = basis @ np.linalg.lstsq(basis[kept], color[kept], rcond=None)[0]
        off = np.abs(color - plane).max(-1)
        kept = border & (off <= max(float(np.median(off[border])), PLAIN))
    return np.asarray(plane, np.float32)


def _object_box(alpha: Pixels) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last-plus-one row and column of the object."""
    solid = alpha > 0.5
    labels, count = ndimage.label(solid, np.ones((3, 3)))
    sizes = np.sort(np.bincount(labels.ravel())[1:])
    if count == 0 or solid.all():
        raise InputError(
            "image_no_object", "The picture shows no object.",
            "Use a picture of one object that stands free of the picture's border.",
        )
    if count > 1 and sizes[-2] > SECOND_SHARE * sizes[-1]:
        raise InputError(
            "image_several_objects", "The picture shows several objects.",
            "Crop it to the one that is meant.",
        )
    rows, columns = (np.flatnonzero(solid.any(axis)) for axis in (1, 0))
    box = (int(rows[0]), int(rows[-1]) + 1), (int(columns[0]), int(columns[-1]) + 1)
    longest = max(last - first for first, last in box)
    if longest < LEAST_OBJECT:
        raise InputError(
            "image_object_too_small", f"The object is only {longest} pixels large.",
            "Crop the picture to the object, or use a larger one.",
        )
    return box


def _crop_square(
    planes: Tensor, rows: tuple[int, int], columns: tuple[int, int], fill: float
) -> Tensor:
    """The square (side, side, channels) around a box whose longer side takes ``fill`` of it."""
    side = round(max(rows[1] - rows[0], columns[1] - columns[0]) / fill)
    top, left = (sum(rows) - side) // 2, (sum(columns) - side) // 2
    bottom, right = top + side - planes.shape[0], left + side - planes.shape[1]
    # Negative padding crops.
    return pad(planes, (0, 0, -left, right, -top, bottom))
