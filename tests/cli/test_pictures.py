"""Pictures from files: what is taken, and what is refused in words."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from backend.cli.pictures import read_picture
from protocol.errors import InputError

RGBA = np.random.default_rng(0).integers(0, 255, (40, 60, 4), np.uint8)


@pytest.mark.parametrize(
    ("name", "mode", "channels"),
    [("a.png", "RGBA", 4), ("a.png", "RGB", 3), ("a.png", "L", 1), ("a.webp", "RGBA", 4),
     ("a.jpg", "RGB", 3), ("a.png", "LA", 4), ("a.png", "1", 3), ("a.jpg", "CMYK", 3)],
)
def test_pictures_of_many_kinds(tmp_path: Path, name: str, mode: str, channels: int) -> None:
    PIL.Image.fromarray(RGBA).convert(mode).save(tmp_path / name)
    asset = read_picture(tmp_path / name)
    asset.check()
    pixels = asset.images["image"].pixels
    assert pixels.shape == (40, 60, channels) and pixels.dtype == np.uint8


def test_pixels_come_as_they_are(tmp_path: Path) -> None:
    PIL.Image.fromarray(RGBA).save(tmp_path / "a.png")
    assert np.array_equal(read_picture(tmp_path / "a.png").images["image"].pixels, RGBA)


def test_a_palette_with_transparency_and_sixteen_bits(tmp_path: Path) -> None:
    palette = PIL.Image.fromarray(RGBA[..., :3]).quantize(16)
    palette.save(tmp_path / "p.png", transparency=0)
    assert read_picture(tmp_path / "p.png").images["image"].pixels.shape[-1] == 4
    deep = np.full((40, 40), 0x8012, np.uint16)
    PIL.Image.fromarray(deep).save(tmp_path / "d.png")
    assert (read_picture(tmp_path / "d.png").images["image"].pixels == 0x80).all()


def test_a_picture_is_turned_as_its_camera_was_held(tmp_path: Path) -> None:
    picture = PIL.Image.fromarray(RGBA[..., :3])
    exif = picture.getexif()
    exif[0x0112] = 6  # a quarter turn
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert read_picture(tmp_path / "a.jpg").images["image"].pixels.shape == (60, 40, 3)


def test_what_is_no_picture_is_refused_with_a_hint(tmp_path: Path) -> None:
    words = tmp_path / "words.png"
    words.write_text("no picture")
    PIL.Image.fromarray(RGBA).save(tmp_path / "whole.png")
    PIL.Image.new("L", (20000, 2)).save(tmp_path / "wide.png")
    cut = tmp_path / "cut.png"
    cut.write_bytes((tmp_path / "whole.png").read_bytes()[:3000])
    for path, code in (
        (tmp_path / "none.png", "image_file_missing"), (words, "image_file_invalid"),
        (tmp_path, "image_file_invalid"), (cut, "image_file_invalid"),
        (tmp_path / "wide.png", "image_too_large"),
    ):
        with pytest.raises(InputError) as caught:
            read_picture(path)
        assert caught.value.problem.code == code
        assert caught.value.problem.hint
