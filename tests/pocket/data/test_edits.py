"""Edits and known pixels as the network is told of them."""

import numpy as np

from backend.pocket.data.edits import (
    draw_added,
    draw_edited_views,
    draw_hole,
    draw_hole_around,
    draw_masked_views,
    draw_placed_views,
    draw_removed_views,
)
from backend.pocket.network import MASKED, SOURCE


def test_an_edit_is_told_its_source_whole() -> None:
    rng = np.random.default_rng(0)
    samples = [draw_edited_views(rng, False) for _ in range(4)]
    told = [sample for sample in samples if sample.known is not None and sample.known.any()]
    assert told
    for sample in told:
        assert sample.known is not None and (sample.role == SOURCE).all()
        assert (sample.known[:, 4] == 1).all() and sample.caption
        differs = np.abs(sample.known[:, :4] - sample.images).max(1) > 0.05
        assert differs.any() and not differs.all()


def test_a_placed_edit_is_told_its_source_whole_and_what_is_kept() -> None:
    rng = np.random.default_rng(3)
    samples = [draw_placed_views(rng, False) for _ in range(24)]
    inside, outside = [], []
    for sample in samples:
        assert sample.known is not None and (sample.role == SOURCE).all()
        source, kept = sample.known[:, :4], sample.known[:, 4]
        if not source.any():
            assert not kept.any()  # told nothing
            continue
        assert set(np.unique(kept)) <= {0, 1} and kept[source[:, 3] <= -1].all()
        differs = np.abs(source - sample.images).max(1) > 0.05
        inside.append(differs[kept == 0].mean())
        outside.append(differs[kept == 1].mean())
    # Edges of what grows lie outside of what the source shows, and parts inside a box may stay.
    assert len(inside) >= 18
    assert np.mean(inside) > 0.3 and np.median(outside) < 0.03


def test_known_pixels_are_those_of_the_picture() -> None:
    sample = draw_masked_views(np.random.default_rng(1), False)
    assert sample.known is not None and (sample.role == MASKED).all()
    mask = sample.known[:, 4:]
    np.testing.assert_array_equal(sample.known[:, :4], sample.images * mask)
    assert set(np.unique(mask)) == {0, 1}


def test_holes_are_neither_nothing_nor_everything() -> None:
    rng = np.random.default_rng(2)
    shares = [draw_hole(rng).mean() for _ in range(200)]
    assert 0 < min(shares) and max(shares) < 1 and np.std(shares) > 0.15


def test_what_is_added_is_named_and_not_known() -> None:
    rng = np.random.default_rng(5)
    samples = [draw_added(rng, False) for _ in range(8)]
    for sample in samples:
        assert sample.known is not None and (sample.role == MASKED).all()
        assert " with a" in sample.caption
        mask = sample.known[:, 4:]
        np.testing.assert_array_equal(sample.known[:, :4], sample.images * mask)
        assert 0.3 < mask.mean()
    assert sum(bool((sample.known[:, 4] == 0).any()) for sample in samples) >= 7  # some are hidden


def test_what_is_removed_is_not_named() -> None:
    rng = np.random.default_rng(6)
    samples = [draw_removed_views(rng, False) for _ in range(12)]
    words = [sample.caption for sample in samples]
    assert "" in words and any(words) and not any(" with a" in each for each in words)
    for sample in samples:
        assert sample.known is not None and sample.known.shape == (4, 5, 64, 64)
        assert (sample.known[:, 4] == 0).any((1, 2)).sum() >= 2


def test_a_hole_around_something_holds_all_of_it_and_little_else() -> None:
    rng = np.random.default_rng(7)
    seen = np.zeros((64, 64), bool)
    seen[10:20, 30:33] = True
    holes = [draw_hole_around(seen, rng) for _ in range(60)]
    assert all(hole[seen].all() for hole in holes)
    assert all(hole.sum() <= 24 * 13 for hole in holes)
    assert len({hole.tobytes() for hole in holes}) > 40
    assert not draw_hole_around(np.zeros((64, 64), bool), rng).any()
