"""What identifies a result, and which prompts are refused before any work."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.pocket.vocabulary import Vocabulary
from backend.priors.base import Capability, Prior
from backend.priors.library import settings_path
from backend.priors.oracle import OraclePrior
from backend.recipes import registry
from protocol.errors import InputError
from protocol.messages import JobSpec

SPEC = JobSpec(recipe="gaussiandreamer", prompt="a red mushroom")


def oracle(fingerprint: str, **spec: Any) -> OraclePrior:
    prior = OraclePrior.of_pictures()
    prior.spec = replace(prior.spec, fingerprint=fingerprint, **spec)
    return prior


def test_another_prior_is_another_result(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DISTILLERY_CONFIG", str(tmp_path))
    plain = registry.identity(SPEC, lambda _: oracle("one"))
    assert plain == registry.identity(SPEC, lambda _: oracle("one"))
    assert plain["priors"] == ["one"]
    assert plain != registry.identity(SPEC, lambda _: oracle("two"))


def test_also_one_that_need_not_be_asked_and_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISTILLERY_CONFIG", str(tmp_path))
    asked: list[Capability] = []

    def find(capability: Capability) -> Prior:
        asked.append(capability)
        return oracle("one")

    plain = registry.identity(SPEC, find)
    settings_path().write_text('{"points": {"adapter": "oracle"}}')
    assert plain != registry.identity(SPEC, find)
    assert set(asked) == {"text"}


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
