"""What identifies a result, and which prompts are refused before any work."""

from dataclasses import replace
from typing import Any

import pytest

from backend.pocket.vocabulary import Vocabulary
from backend.priors.base import Capability, Prior
from backend.priors.oracle import OraclePrior
from backend.recipes import registry
from protocol.errors import InputError
from protocol.messages import JobSpec

SPEC = JobSpec(recipe="gaussiandreamer", prompt="a red mushroom")


def oracle(fingerprint: str, **spec: Any) -> OraclePrior:
    prior = OraclePrior.of_pictures()
    prior.spec = replace(prior.spec, fingerprint=fingerprint, **spec)
    return prior


def without_points(capability: Capability) -> Prior:
    if capability == "points":
        raise InputError("capability_missing", "None.", "Train one.")
    return oracle("one")


def with_points(capability: Capability) -> Prior:
    return oracle("other" if capability == "points" else "one")


def test_another_prior_is_another_result_also_where_it_need_not_be_asked() -> None:
    plain = registry.identity(SPEC, without_points)
    assert plain == registry.identity(SPEC, without_points)
    assert plain["priors"] == ["one"]
    assert plain != registry.identity(SPEC, with_points)
    assert plain != registry.identity(SPEC, lambda _: oracle("two"))


def test_a_prompt_without_a_known_word_is_refused_with_the_nearest_words() -> None:
    knowing = oracle("few", vocabulary=Vocabulary(("dog", "mug"), ("red",)))
    recipe = registry.get("dreamfusion")
    registry.check_words(recipe, "a red dog", lambda _: knowing)
    with pytest.raises(InputError) as caught:
        registry.check_words(recipe, "a corgi", lambda _: knowing)
    assert caught.value.problem.code == "prompt_unknown"
    assert "dog" in caught.value.problem.hint


def test_a_prior_that_knows_all_words_is_asked_anything() -> None:
    registry.check_words(registry.get("dreamfusion"), "a corgi", lambda _: oracle("all"))
