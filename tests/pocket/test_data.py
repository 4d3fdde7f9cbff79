"""Training samples: functions of (seed, step), with what the design says they hold."""

import numpy as np
import pytest

from backend.pocket.data import Mixture, Prefetcher, draw_batch, draw_shots
from backend.pocket.world import COLORS, KINDS, is_held_out
from backend.pocket.world.captions import VIEWS


def words_of(text: str) -> tuple[str, str | None]:
    words = text.replace(",", " ").split()
    kind = next(word for word in words if word in KINDS)
    return kind, next((word for word in words if word in COLORS), None)


def test_a_step_is_a_batch() -> None:
    a, b, other = draw_batch(3, 5, 2, 4), draw_batch(3, 5, 2, 4), draw_batch(3, 6, 2, 4)
    np.testing.assert_array_equal(a.images, b.images)
    assert a.captions == b.captions
    assert not np.array_equal(a.images, other.images)


def test_shapes_and_ranges() -> None:
    batch = draw_batch(0, 0, 3, 4)
    assert batch.images.shape == (3, 4, 4, 64, 64) and batch.images.dtype == np.float32
    assert batch.images.min() >= -1 and batch.images.max() <= 1 + 1e-6
    assert batch.c2w.shape == (3, 4, 4, 4) and batch.fov_degrees.shape == (3, 4)


@pytest.fixture(scope="module")
def singles():
    return [draw_batch(1, step, 16, 1) for step in range(25)]


def test_held_out_combinations_stay_out(singles) -> None:
    seen = [words_of(text) for batch in singles for text in batch.captions]
    assert not any(color and is_held_out(kind, color) for kind, color in seen)
    tested = [words_of(t) for t in draw_batch(1, 0, 40, 1, held_out=True).captions]
    assert all(color is None or is_held_out(kind, color) for kind, color in tested)


def test_shares_of_the_mixture(singles) -> None:
    captions = [text for batch in singles for text in batch.captions]
    with_view = np.mean([any(view in text for view in VIEWS) for text in captions])
    assert 0.4 < with_view < 0.6
    no_color = np.mean([words_of(text)[1] is None for text in captions])
    assert 0.08 < no_color < 0.2
    opaque = 1 - np.mean([batch.alpha_known for batch in singles])
    assert 0.15 < opaque < 0.35


def test_joint_sets_name_no_view() -> None:
    captions = [text for step in range(6) for text in draw_batch(2, step, 4, 4).captions]
    assert not any(view in text for view in VIEWS for text in captions)


def test_alpha_and_gray(singles) -> None:
    for batch in singles[:6]:
        for image, known in zip(batch.images[:, 0], batch.alpha_known[:, 0], strict=True):
            color, alpha = image[:3], image[3]
            if known:
                np.testing.assert_allclose(color[:, alpha == -1], 0, atol=1e-6)
                assert (alpha == -1).any()
            else:
                assert (alpha == 1).all()


def test_rigs_are_mostly_evenly_spaced_at_one_elevation() -> None:
    rng = np.random.default_rng(0)
    even = 0
    for _ in range(200):
        shots = draw_shots(rng, 4)
        azimuths = np.array([shot.azimuth for shot in shots])
        steps = (np.roll(azimuths, -1) - azimuths) % 360
        even += bool(np.allclose(steps, 90)) and len({shot.elevation for shot in shots}) == 1
        assert all(-20 <= s.elevation <= 90 and 15 <= s.fov <= 70 for s in shots)
        assert all(0.7 <= s.fill <= 1.2 for s in shots)
    assert 160 < even < 190


def test_mixture_starts_with_single_views() -> None:
    mixture = Mixture(images=8, views=4, single_steps=10, single_share=0.25)
    assert {mixture.shape(0, step) for step in range(10)} == {(8, 1)}
    later = [mixture.shape(0, step) for step in range(10, 210)]
    assert 0.15 < np.mean([shape == (8, 1) for shape in later]) < 0.35
    assert set(later) == {(8, 1), (2, 4)}


def test_prefetched_batches_are_the_drawn_ones() -> None:
    mixture = Mixture(images=4, views=4, single_steps=0, single_share=0.0)
    batches = Prefetcher(mixture, 5, 3, depth=2)
    try:
        first = batches.get(3)
        np.testing.assert_array_equal(first.images, draw_batch(5, 3, 1, 4).images)
        with pytest.raises(RuntimeError, match="out of order"):
            batches.get(9)
    finally:
        batches.close()
