"""What can be said of a scene, what contradicts itself, and what training never sees."""

import numpy as np
import pytest

from backend.pocket.world import (
    COLORS,
    KINDS,
    Accessory,
    Description,
    Relation,
    draw_description,
    held_out_prompts,
    is_held_out,
    is_motion_held_out,
)
from backend.pocket.world.descriptions import (
    ACCESSORIES,
    MOTIONS,
    PATTERNS,
    colors_seen,
    has_shade,
)
from backend.pocket.world.drawing import SHARES, wearable


def drawn(count: int, seed: int = 0, **how: object) -> list[Description]:
    rng = np.random.default_rng(seed)
    return [draw_description(rng, **how) for _ in range(count)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Description("unicorn"), KeyError),
        (Description("mug", "beige"), KeyError),
        (Description("mug", "red", pattern="furry"), KeyError),
        (Description("mug", "red", attribute="angry"), KeyError),
        (Description("mug", "red", accessory=Accessory("glove", "red")), KeyError),
        (Description("mug", "red", accessory=Accessory("hat", "beige")), KeyError),
        (Description("mug", "red", relation=Relation("inside", Description("car"))), KeyError),
        (Description("mug", "black", shade="dark"), ValueError),
        (Description("mug", shade="dark"), ValueError),
        (Description("mug", "red", count=5), ValueError),
        (Description("mug", "red", count=2, accessory=Accessory("hat", "red")), ValueError),
        (
            Description("mug", "red", relation=Relation("on", Description("bed", count=2))),
            ValueError,
        ),
    ],
)
def test_what_cannot_be_said(said: Description, error: type[Exception]) -> None:
    with pytest.raises(error):
        said.check()


def test_plain_is_kind_and_color_alone() -> None:
    assert Description("mug", "red").plain and Description("mug").plain
    assert not Description("mug", "red", shade="dark").plain
    assert not Description("mug", "red", count=2).plain


RULES = {
    "color": (COLORS, is_held_out),
    "pattern": (PATTERNS, lambda kind, word: is_held_out(Description(kind, pattern=word))),
    "accessory": (
        ACCESSORIES,
        lambda kind, word: is_held_out(Description(kind, accessory=Accessory(word, "red"))),
    ),
    "motion": (MOTIONS, is_motion_held_out),
}


@pytest.mark.parametrize("rule", RULES)
def test_one_combination_with_a_kind_in_seven_is_held_out(rule: str) -> None:
    words, is_out = RULES[rule]
    table = np.array([[is_out(kind, word) for word in words] for kind in KINDS])
    assert abs(table.mean() - 1 / 7) < 0.03
    assert not table.all(0).any() and table.any(0).all()


def test_a_new_word_at_the_end_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [is_held_out(kind, color) for kind in KINDS for color in COLORS]
    monkeypatch.setitem(KINDS, "thing", KINDS["mug"])
    assert [is_held_out(k, c) for k in list(KINDS)[:-1] for c in COLORS] == before


def test_whatever_contains_a_held_out_thing_is_held_out() -> None:
    kind, color = held_out_prompts(1)[0]
    seen = Description("table", colors_seen("table")[0])
    assert is_held_out(Description(kind, color, attribute="tall", count=2))
    assert is_held_out(
        Description("table", seen.color, relation=Relation("behind", Description(kind, color)))
    )
    assert not is_held_out(seen)


def test_training_never_draws_what_is_held_out() -> None:
    found = drawn(600)
    assert not any(is_held_out(said) for said in found)
    assert all(is_held_out(said) for said in drawn(60, held_out=True))
    assert all(said.check() is said for said in found)


def test_shares_of_what_is_drawn() -> None:
    found = drawn(1500, 3)
    assert np.mean([said.plain for said in found]) == pytest.approx(SHARES["plain"], abs=0.08)
    for name in ("pattern", "attribute", "relation", "accessory"):
        assert 0.03 < np.mean([getattr(said, name) is not None for said in found]) < 0.15
    assert {said.count for said in found} == {1, 2, 3, 4}
    assert all(said.accessory.color != said.color for said in found if said.accessory)
    assert {said.kind for said in found} == set(KINDS)


def test_draws_can_be_restricted() -> None:
    kinds = ("mug", "table", "dog")
    found = drawn(100, kinds=kinds, shares={"relation": 1.0})
    assert {said.kind for said in found} == set(kinds)
    assert {said.relation.other.kind for said in found if said.relation} <= set(kinds)
    assert sum(said.relation is not None for said in found) > 50


def test_drawing_is_a_function_of_the_seed() -> None:
    assert drawn(40, 8) == drawn(40, 8) != drawn(40, 9)


def test_shades_are_colors_of_their_own() -> None:
    assert has_shade("green", "light") and not has_shade("red", "light")
    assert not has_shade("black", "light") and not has_shade("orange", "dark")


def test_only_what_has_a_head_wears_a_scarf() -> None:
    assert "scarf" in wearable("dog") and "hat" in wearable("mug")
    assert "scarf" not in wearable("mug") and "bow tie" not in wearable("hammer")


def test_prompts_of_a_vocabulary() -> None:
    kinds, colors = ["mug", "dog", "car"], ["red", "green", "blue", "pink"]
    found = held_out_prompts(50, kinds, colors)
    assert found and all(is_held_out(k, c) and k in kinds and c in colors for k, c in found)
    assert len({kind for kind, _ in held_out_prompts(3)}) == 3
