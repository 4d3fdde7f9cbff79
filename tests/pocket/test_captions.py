"""Captions say all that a description says, and nothing else; nouns and their plurals."""

import re

import numpy as np
import pytest

from backend.pocket.world import (
    COLORS,
    KINDS,
    Accessory,
    Description,
    Relation,
    build,
    caption,
    draw_caption,
    draw_description,
)
from backend.pocket.world.captions import TEMPLATES
from backend.pocket.world.descriptions import ACCESSORIES, ATTRIBUTES, PATTERNS, SHADES
from backend.pocket.world.naming import part_group, part_word, plural, singulars

SAYABLE = {*COLORS, *SHADES, *PATTERNS, *ATTRIBUTES}


def said_words(said: Description) -> set[str]:
    """Every color, shade, pattern and attribute of a description and of what belongs to it."""
    own = {said.color, said.shade, said.pattern, said.attribute} - {None}
    if said.accessory is not None:
        own |= {said.accessory.color}
    if said.relation is not None:
        own |= said_words(said.relation.other)
    return {str(word) for word in own}


@pytest.mark.parametrize("template", range(TEMPLATES))
def test_captions_name_all_that_is_said_and_nothing_else(template: int) -> None:
    rng = np.random.default_rng(template)
    shares = {"plain": 1.0, "shade": 1.0, "pattern": 1.0, "attribute": 1.0, "count": 1.0,
              "relation": 1.0, "accessory": 1.0}  # fmt: skip
    for _ in range(60):
        said = draw_description(rng, shares=shares)
        text = caption(said, template=template)
        words = set(re.findall(r"\w+", text))
        assert words & SAYABLE == said_words(said), text
        assert (plural(said.kind) if said.count > 1 else said.kind) in text
        assert said.accessory is None or said.accessory.kind in text
        assert said.relation is None or f" {said.relation.word} " in text
        assert not re.search(r"\b(a [aeiou]|an [^aeiou])", text), text
        assert "{" not in text


def test_phrases() -> None:
    mug = Description("mug", "red", shade="dark", pattern="striped", attribute="tall")
    assert caption(mug) == "a tall dark red striped mug"
    table = Description("table", pattern="wooden")
    on = Description("apple", "green", relation=Relation("on", table))
    assert caption(on) == "a green apple on a wooden table"
    assert caption(Description("bus", "red", count=3)) == "three red buses"
    hat = Description("snowman", "white", accessory=Accessory("hat", "orange"))
    assert caption(hat) == "a white snowman with an orange hat"
    assert caption(Description("mug", "red", pattern="striped"), template=2) == "a striped mug, red"
    assert caption(hat, template=2) == caption(hat)


def test_drawn_captions_use_many_templates() -> None:
    rng = np.random.default_rng(0)
    assert TEMPLATES >= 20
    assert len({draw_caption(Description("mug", "red"), None, rng) for _ in range(400)}) > 20


def test_plurals_come_back() -> None:
    for kind in KINDS:
        assert kind in singulars(plural(kind)), kind
    assert plural("butterfly") == "butterflies" and plural("palm tree") == "palm trees"
    assert plural("fish") == "fish" and plural("bus") == "buses"


def test_parts_are_called_by_their_word() -> None:
    car = build("car", "red", 0)
    assert part_word(car, "wheel") == "wheels" and part_word(car, "body") == "body"
    assert part_group("left ear") == "ear" and part_group("roof") == "roof"
    assert set(ACCESSORIES).isdisjoint(SAYABLE)
