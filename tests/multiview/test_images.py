import numpy as np
import pytest
import torch

from backend.multiview.images import (
    OBJECT_FILL,
    find_image,
    given_view,
    prepare_picture,
    words_for,
)
from backend.multiview.rigs import picture_camera
from backend.priors.oracle import OraclePrior
from protocol.assets import Asset, Image
from protocol.errors import InputError

RED, GREEN = (200, 30, 20), (20, 160, 40)


def canvas(height=80, width=120, background=(230, 230, 235)):
    return np.full((height, width, 3), background, np.uint8)


def with_box(pixels, rows=(20, 50), columns=(60, 80), color=RED):
    pixels = pixels.copy()
    pixels[slice(*rows), slice(*columns), : len(color)] = color
    return pixels


def graded():
    ramp = np.linspace(120, 220, 120)[None, :, None] + np.linspace(0, 20, 80)[:, None, None]
    return np.broadcast_to(ramp, (80, 120, 3)).astype(np.uint8)


def extent(alpha):
    rows, columns = ((alpha[0, ..., 0] > 0.5).any(axis).nonzero()[:, 0] for axis in (1, 0))
    return [int(x) for x in (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1)]


@pytest.mark.parametrize("background", [canvas(), graded()])
def test_an_object_before_a_smooth_background_is_cut_out_centered_and_scaled(background):
    picture = prepare_picture(Image(with_box(background)), 64)
    top, bottom, left, right = extent(picture.alpha)
    assert bottom - top == pytest.approx(64 * OBJECT_FILL, abs=2)
    assert right - left == pytest.approx(64 * OBJECT_FILL * 20 / 30, abs=2)
    assert top + bottom == pytest.approx(64, abs=2)
    assert left + right == pytest.approx(64, abs=2)
    assert torch.allclose(picture.over(0.5)[0, 0, 0], torch.full((3,), 0.5))
    assert torch.allclose(picture.over(0.5)[0, 32, 32], torch.tensor(RED) / 255, atol=0.01)


def test_given_alpha_is_used_and_hidden_color_does_not_bleed():
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., :3] = GREEN
    pixels = with_box(pixels, (10, 30), (0, 20), (*RED, 255))
    picture = prepare_picture(Image(pixels), 32)
    top, bottom, left, right = extent(picture.alpha)
    assert (bottom - top, right - left) == pytest.approx((24, 24), abs=1)
    green_over_black = picture.premultiplied[..., 1].max()
    assert green_over_black < 0.2


def test_what_has_the_color_of_the_background_inside_stays():
    inside = with_box(with_box(canvas(), (10, 70), (30, 90)), (30, 40), (50, 60), (230, 230, 235))
    picture = prepare_picture(Image(inside), 64)
    assert picture.alpha[0, 32, 30] == 1


def test_gray_pictures_are_taken():
    pixels = with_box(canvas())[..., :1]
    assert prepare_picture(Image(pixels), 16).alpha.max() == 1


def noisy():
    return np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "code"),
    [
        (canvas(20, 20), "image_too_small"),
        (canvas(), "image_no_object"),
        (np.zeros((64, 64, 4), np.uint8), "image_no_object"),
        (noisy(), "image_background"),
        (with_box(canvas(), (20, 26), (60, 66)), "image_object_too_small"),
        (with_box(with_box(canvas()), (20, 50), (10, 30), GREEN), "image_several_objects"),
        (np.zeros((64, 64, 2), np.uint8), "image_invalid"),
        (with_box(canvas()).astype(np.float32), "image_invalid"),
    ],
)
def test_bad_pictures_are_told_apart(pixels, code):
    with pytest.raises(InputError) as caught:
        prepare_picture(find_image({"image": Asset("i", images={"image": Image(pixels)})}), 32)
    assert caught.value.problem.code == code
    assert caught.value.problem.hint


def test_no_picture_at_all():
    for assets in ({}, {"image": Asset("empty")}):
        with pytest.raises(InputError, match="no picture"):
            find_image(assets)


class Seeing(OraclePrior):
    """Takes what is mostly red for an apple."""

    def recognize(self, images, alpha):
        red = (images[..., 0] - images[..., 1] > 0.3) & (alpha[..., 0] > 0.5)
        return ["an apple" if share > 0.1 else "" for share in red.float().mean((1, 2))]


@pytest.mark.parametrize(("color", "words"), [(RED, "an apple"), (GREEN, "")])
def test_a_prior_is_told_what_it_takes_a_picture_for(color, words):
    prior = Seeing.of_kit()
    picture = prepare_picture(Image(with_box(canvas(), color=color)), 64)
    assert words_for(prior, picture) == words
    given = given_view(prior, picture, picture_camera(0.0, 0.0, 64))
    assert (given.text is not None) == bool(words)


def test_other_words_may_be_given_or_none():
    prior, camera = Seeing.of_kit(), picture_camera(0.0, 0.0, 64)
    picture = prepare_picture(Image(with_box(canvas())), 64)
    said = given_view(prior, picture, camera, "a cube")
    assert torch.equal(said.text.tokens, prior.embed_text(["a cube"]).tokens)
    assert given_view(prior, picture, camera, "").text is None
