"""The batch of a step is a function of (seed, step); what stages mix."""

from itertools import pairwise

import numpy as np
import pytest

from backend.pocket.data import EXAMPLES, FINE_TUNES, STAGES, Mixture, Prefetcher, draw_batch
from backend.pocket.world import is_held_out
from backend.pocket.world.vocabulary import read


def test_a_step_is_a_batch() -> None:
    a, b, other = (draw_batch(3, step, "joint", 4) for step in (5, 5, 6))
    np.testing.assert_array_equal(a.images, b.images)
    assert a.captions == b.captions
    assert not np.array_equal(a.images, other.images)


def test_held_out_combinations_stay_out() -> None:
    for held_out in (False, True):
        for text in draw_batch(1, 0, "single", 24, held_out).captions:
            said = read(text)
            if len(said.kinds) == len(said.colors) == 1 and not said.others:
                assert is_held_out(said.kinds[0], said.colors[0]) == held_out


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_kind_of_example_stacks(name: str) -> None:
    example = EXAMPLES[name]
    batch = draw_batch(0, 0, name, 2 * example.views)
    assert batch.views == 2 * example.views == len(batch.images.reshape(-1, 4, 64, 64))
    assert batch.images.min() >= -1 and batch.images.max() <= 1 + 1e-6
    assert batch.role.shape == batch.domain.shape == batch.alpha_known.shape
    assert len(batch.captions) == len(batch.camera_known) == len(batch.role)


def test_stages_keep_what_came_before_and_shares_are_whole() -> None:
    stages = list(STAGES.values())
    for former, later in pairwise(stages):
        assert set(former) < set(later)
    tuned = list(FINE_TUNES.values())
    assert all(sum(shares.values()) == pytest.approx(1) for shares in stages + tuned)
    assert set(stages[-1]).union(*tuned) == set(EXAMPLES)


def test_a_mixture_starts_with_single_views() -> None:
    mixture = Mixture("A", single_steps=10)
    assert {mixture.name(0, step) for step in range(10)} == {"single"}
    later = [mixture.name(0, step) for step in range(10, 210)]
    assert 0.22 < np.mean([name == "single" for name in later]) < 0.48
    assert set(later) == {"single", "joint"}


def test_prefetched_batches_are_the_drawn_ones() -> None:
    mixture = Mixture("A", views=4, single_steps=0)
    batches = Prefetcher(mixture, 5, 3, depth=2)
    try:
        first = batches.get(3)
        expected = draw_batch(5, 3, mixture.name(5, 3), 4)
        np.testing.assert_array_equal(first.images, expected.images)
        with pytest.raises(RuntimeError, match="out of order"):
            batches.get(9)
    finally:
        batches.close()
