"""Where words are seen, and which places belong together."""

import numpy as np

from backend.pocket.data.readings import (
    Labeled,
    coverage,
    draw_labeled,
    draw_matched,
    places_on,
    span_of,
)
from backend.pocket.data.shots import Shot
from backend.pocket.world import Accessory, Description, Relation, build

FRONT = Shot(0.0, 15.0, 40.0, 1.0)


def test_words_cover_their_own_parts_alone() -> None:
    hat = Description("snowman", "white", accessory=Accessory("hat", "blue"))
    labeled = Labeled.of(hat, 3)
    assert set(labeled.words) == {"hat", "snowman"}
    assert not (labeled.words["hat"] & labeled.words["snowman"]).any()
    seen = labeled.seen(FRONT)
    above, below = (coverage(seen, labeled.words[word]) for word in ("hat", "snowman"))
    rows = np.arange(32)[:, None]
    assert (above * rows).sum() / above.sum() < (below * rows).sum() / below.sum()


def test_both_things_of_a_relation_have_their_word() -> None:
    on = Description("mug", "red", relation=Relation("on", Description("table", "blue")))
    labeled = Labeled.of(on, 0)
    assert (labeled.words["mug"] ^ labeled.words["table"]).all()
    assert labeled.words["mug"].any() and labeled.words["table"].any()


def test_every_labeled_word_stands_in_the_caption() -> None:
    rng = np.random.default_rng(0)
    for _ in range(12):
        sample = draw_labeled(rng, False)
        assert sample.shown is not None and sample.shown.shape == (len(sample.spans), 1, 32, 32)
        assert all(sample.caption[begin:end] for begin, end in sample.spans)
        assert 0 <= sample.shown.min() and sample.shown.max() <= 1
    assert span_of("bow tie", "a red bow tie") == (6, 13)


def test_places_lie_in_the_box_of_the_object() -> None:
    places = places_on(build("dog", "brown", 2), FRONT)
    on = places[..., 3] >= 0
    assert on.any() and not on.all()
    assert np.abs(places[on][:, :3]).max() < 1.05
    assert len(np.unique(places[on][:, 3])) > 2
    head = places[on][:, 1] < -0.6  # its front
    assert places[on][head, 2].mean() > 0


def test_a_pair_is_of_one_kind_seen_from_about_one_side() -> None:
    rng = np.random.default_rng(4)
    for _ in range(6):
        sample = draw_matched(rng, False)
        first, second = (shot.azimuth for shot in sample.shots)
        assert abs((first - second + 180) % 360 - 180) <= 40
        assert sample.places is not None
        shared = np.intersect1d(*(np.unique(side[..., 3]) for side in sample.places))
        assert (shared >= 0).any()
