"""Kinds, colors, captions and the rule that holds combinations out."""

import numpy as np
import pytest

from backend.pocket.world import (
    COLORS,
    KINDS,
    build,
    caption,
    draw_caption,
    held_out_prompts,
    is_held_out,
    view_words,
)

PAIRS = [(kind, color) for kind in KINDS for color in COLORS]


def test_enough_kinds_and_colors() -> None:
    assert len(KINDS) >= 24 and len(COLORS) >= 12
    assert any(kind.has_front for kind in KINDS.values())


def test_one_combination_in_seven_is_held_out_and_every_word_is_seen() -> None:
    held_out = [pair for pair in PAIRS if is_held_out(*pair)]
    assert abs(len(held_out) / len(PAIRS) - 1 / 7) < 0.01
    for kind in KINDS:
        assert 1 <= sum(pair[0] == kind for pair in held_out) <= 2
    for color in COLORS:
        assert abs(sum(pair[1] == color for pair in held_out) - len(KINDS) / 7) <= 1


def test_held_out_prompts_are_fixed_distinct_and_held_out() -> None:
    prompts = held_out_prompts(20)
    assert prompts == held_out_prompts(20) and len(set(prompts)) == 20
    assert all(is_held_out(*prompt) for prompt in prompts)
    assert len({kind for kind, _ in prompts}) == 20
    assert len({color for _, color in prompts}) >= 8


@pytest.mark.parametrize("kind", KINDS)
def test_objects_fit_the_unit_ball_and_vary(kind: str) -> None:
    shapes = set()
    for seed in range(4):
        scene = build(kind, "blue", seed)
        points = np.concatenate([part.surface_points() for part in scene.parts])
        reach = np.linalg.norm(points, axis=1).max()
        assert reach == pytest.approx(0.95, abs=1e-6)
        assert all(part.name for part in scene.parts)
        shapes.add(round(float(np.abs(points).sum(0)[2]), 6))
    assert len(shapes) == 4


def test_a_seed_is_an_object() -> None:
    for a, b in zip(build("dog", "red", 3).parts, build("dog", "red", 3).parts, strict=True):
        assert a.name == b.name
        np.testing.assert_array_equal(a.local_to_world, b.local_to_world)
        np.testing.assert_array_equal(a.color, b.color)


def test_textureless_is_white_and_keeps_the_shape() -> None:
    scene = build("car", "red", 1)
    white = scene.textureless()
    assert all(np.ptp(part.color) == 0 and part.color[0] > 0.9 for part in white.parts)
    assert all(
        np.array_equal(a.local_to_world, b.local_to_world)
        for a, b in zip(scene.parts, white.parts, strict=True)
    )


def test_unknown_words_raise() -> None:
    with pytest.raises(KeyError):
        build("unicorn", "red", 0)


def test_captions() -> None:
    assert caption("mushroom", "red") == "a red mushroom"
    assert caption("apple", "orange") == "an orange apple"
    assert caption("apple", "red", 2) == "an apple, red"
    assert caption("apple", None) == "an apple"
    rng = np.random.default_rng(0)
    drawn = {draw_caption("mug", "red", rng) for _ in range(200)}
    assert len(drawn) >= 8 and all("mug" in text and "red" in text for text in drawn)
    plain = {draw_caption("mug", None, rng) for _ in range(200)}
    assert not any(color in text.split() for text in plain for color in COLORS)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "words"),
    [(0, 0, "front view"), (-44, 10, "front view"), (316, 10, "front view"), (90, 0, "side view"),
     (225.5 - 1, 0, "back view"), (180, 59, "back view"), (270, 0, "side view"),
     (0, 61, "overhead view"), (180, 90, "overhead view")],
)  # fmt: skip
def test_view_words(azimuth: float, elevation: float, words: str) -> None:
    assert view_words(azimuth, elevation) == words
