"""What weights and judges say they know."""

from collections import Counter

import pytest

from backend.evaluation.judge import load_judge
from backend.pocket.vocabulary import WORLD, Vocabulary
from backend.pocket.weights import describe_network
from backend.pocket.world import is_held_out

FEW = Vocabulary(("mug", "dog"), ("red", "blue"))


def test_pairs_are_all_combinations_once() -> None:
    trained, held_out = FEW.pairs(held_out=False), FEW.pairs(held_out=True)
    assert sorted(trained + held_out) == sorted((k, c) for k in FEW.kinds for c in FEW.colors)
    assert all(is_held_out(*pair) for pair in held_out)


def test_an_intersection_keeps_the_order_of_the_first() -> None:
    other = Vocabulary(("dog", "car", "mug"), ("blue",))
    assert FEW & other == Vocabulary(("mug", "dog"), ("blue",))


def test_a_config_holds_it_and_strange_words_are_refused() -> None:
    assert Vocabulary.of(FEW.to_dict()) == FEW
    with pytest.raises(KeyError, match="unicorn"):
        Vocabulary.of({"kinds": ["unicorn"], "colors": []})
    with pytest.raises(KeyError, match="kinds"):
        Vocabulary.of({})


def test_prompts_are_held_out_fixed_and_spread_over_kinds() -> None:
    count = len(WORLD.kinds)
    pairs = WORLD.held_out_prompts(count)
    assert pairs == WORLD.held_out_prompts(count) and pairs[:5] == WORLD.held_out_prompts(5)
    assert all(is_held_out(*pair) for pair in pairs)
    assert max(Counter(kind for kind, _ in pairs).values()) == 1


def test_what_ships_knows_words_of_the_world() -> None:
    shared = describe_network().vocabulary & load_judge().vocabulary
    assert len(shared.kinds) >= 25 and len(shared.colors) >= 10
