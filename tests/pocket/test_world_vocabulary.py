"""Prompts in other words: paraphrases, synonyms, what is known and what comes nearest."""

import pytest

from backend.pocket.world import COLORS, KINDS, caption, held_out_prompts
from backend.pocket.world.captions import TEMPLATES
from backend.pocket.world.vocabulary import (
    COLOR_SYNONYMS,
    KIND_SYNONYMS,
    known_words,
    nearest_words,
    paraphrases,
    read,
)


def test_synonyms_belong_to_words_and_are_none() -> None:
    assert set(KIND_SYNONYMS) <= set(KINDS) and set(COLOR_SYNONYMS) <= set(COLORS)
    others = [
        word for words in (*KIND_SYNONYMS.values(), *COLOR_SYNONYMS.values()) for word in words
    ]
    assert len(others) == len(set(others))
    assert not set(others) & (set(KINDS) | set(COLORS))


def test_paraphrases_mean_their_pair_and_are_no_caption() -> None:
    pairs = held_out_prompts(60)
    found = paraphrases(pairs)
    assert [(p.kind, p.color) for p in found] == pairs and found == paraphrases(pairs)
    for each in found:
        reading = read(each.prompt)
        assert reading.kinds == (each.kind,) and reading.colors == (each.color,), each
        captions = {caption(each.kind, each.color, i) for i in range(TEMPLATES)}
        assert each.prompt not in captions
    usual = [p for p in found if p.kind in p.prompt and p.color in p.prompt]
    assert len(usual) < len(found) / 3


@pytest.mark.parametrize(
    ("prompt", "known"),
    [
        ("A Red MUG", ("mug", "red")),
        ("three crimson automobiles", ("car", "red")),
        ("tall checkered buses", ("bus", "tall", "checked")),
        ("two cacti under the palm trees", ("cactus", "palm tree")),
        ("a corgi in space", ()),
        ("a photo of", ()),
    ],
)
def test_known_words(prompt: str, known: tuple[str, ...]) -> None:
    assert known_words(prompt) == known


def test_only_the_words_of_a_vocabulary_are_known() -> None:
    assert known_words("a red mug", kinds=["dog"], colors=["red"]) == ("red",)
    assert known_words("an automobile", kinds=["dog"], colors=["red"]) == ()
    assert set(nearest_words("mug", 9, ["dog", "car"], ["red"])) == {"dog", "car", "red"}


def test_unknown_and_nearest() -> None:
    assert read("a shiny unicorn with a hat").unknown == ("shiny", "unicorn")
    assert nearest_words("hose")[0] == "house" and nearest_words("automobil")[0] == "car"
    assert nearest_words("PENGUINE")[0] == "penguin"
    assert nearest_words("corgi", least=0.75) == []
