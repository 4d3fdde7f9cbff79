"""Pictures from files, as the input of a job."""

from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageOps

from protocol.assets import IMAGE_PIXELS, Asset, Image
from protocol.errors import InputError

HINT = "Give a PNG, JPEG or WebP file, best of all cut out (with transparency)."


def read_picture(path: Path) -> Asset:
    """The input ``image`` from a file: gray, RGB, or RGBA where it has transparency, turned as its
    camera was held. Raises :class:`InputError` where there is none, or where it is no picture, or
    too large a one."""
    try:
        with PIL.Image.open(path) as picture:
            _check_size(picture.size)
            pixels = np.asarray(_plain(PIL.ImageOps.exif_transpose(picture)))
    except FileNotFoundError as error:
        raise InputError("image_file_missing", f"There is no file {path}.", HINT) from error
    except PIL.UnidentifiedImageError as error:
        raise InputError("image_file_invalid", f"{path} is no picture.", HINT) from error
    except PIL.Image.DecompressionBombError as error:
        raise _too_large(str(error)) from error
    except (OSError, SyntaxError, ValueError) as error:  # a folder, no permission, cut short
        raise InputError("image_file_invalid", f"{path} cannot be read: {error}.", HINT) from error
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    return Asset(path.stem, images={"image": Image(np.ascontiguousarray(pixels))})


def _check_size(size: tuple[int, int]) -> None:
    """Before it is decoded."""
    if max(size) > IMAGE_PIXELS:
        raise _too_large(f"The picture has {size[0]} x {size[1]} pixels.")


def _too_large(message: str) -> InputError:
    return InputError(
        "image_too_large", message, f"Make its longer side at most {IMAGE_PIXELS} pixels."
    )


def _plain(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Eight bits a channel: gray, RGB or RGBA."""
    if picture.mode.startswith("I;16"):
        return PIL.Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture if picture.mode == "L" else picture.convert("RGB")
