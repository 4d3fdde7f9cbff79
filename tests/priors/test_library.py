"""Which prior answers a capability, and what is said where none does."""

import json
import shutil
from pathlib import Path

import pytest

from backend.pocket.weights import COMMITTED
from backend.priors import pocket
from backend.priors.library import _load, find_prior, prior_marks, settings_path
from backend.priors.oracle import OraclePrior
from backend.priors.pocket import PocketPrior
from protocol.errors import InputError


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILLERY_CONFIG", str(tmp_path))


def settle(text: object) -> None:
    settings_path().write_text(text if isinstance(text, str) else json.dumps(text))


def problem(capability: str = "text") -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        find_prior(capability)
    return caught.value.problem.code, str(caught.value)


def test_settings_choose_the_adapter() -> None:
    settle({"text+cameras": {"adapter": "oracle"}})
    assert isinstance(find_prior("text+cameras"), OraclePrior)


def test_a_prior_is_loaded_once() -> None:
    settle({"text+cameras": {"adapter": "oracle"}})
    first = find_prior("text+cameras")
    assert find_prior("text+cameras") is first


def test_a_capability_that_the_prior_lacks() -> None:
    settle({"text": {"adapter": "oracle"}})
    code, message = problem("text")
    assert code == "capability_missing"
    assert "models.json" in message
    settle({"text": {"adapter": "oracle", "model": "pictures"}})
    assert find_prior("text").spec.views == 1


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ("{", "model_settings", "cannot be read"),
        ({"text": {"adaptor": "oracle"}}, "model_settings", "adaptor"),
        ({"texts": {"adapter": "oracle"}}, "model_settings", "texts"),
        ({"text": {"adapter": "dalle"}}, "adapter_unknown", "stable-diffusion"),
        ({"text": {"adapter": "stable-diffusion", "model": "/no/such/folder"}}, "model_unusable",
         "no such folder"),
        ({"text": {"adapter": "stable-diffusion"}}, "model_unusable", "no such folder"),
        ({"text": {"adapter": "stable-diffusion", "model": "nobody/nothing"}}, "model_unusable",
         "cache does not have it"),
        ({"text": {"adapter": "pocket", "model": "/no/such/folder"}}, "weights_missing",
         "/no/such/folder"),
    ],
)
def test_wrong_settings_are_named(settings: object, code: str, said: str) -> None:
    settle(settings)
    found, message = problem()
    assert found == code
    assert said in message


def test_missing_weights_name_the_command_that_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pocket, "COMMITTED", settings_path().parent)
    _load.cache_clear()
    code, message = problem()
    assert code == "weights_missing"
    assert "python -m backend pocket train" in message
    _load.cache_clear()


def test_the_pocket_prior_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(COMMITTED, folder)
    settle({"text": {"adapter": "pocket", "model": str(folder)}})
    assert find_prior("text").spec.fingerprint == PocketPrior.load().spec.fingerprint


def test_marks_change_with_the_settings_and_with_the_files(tmp_path: Path) -> None:
    shipped = prior_marks("text")
    assert shipped == prior_marks("text") == prior_marks("points")
    folder = tmp_path / "weights"
    shutil.copytree(COMMITTED, folder)
    settle({"text": {"adapter": "pocket", "model": str(folder)}})
    copied = prior_marks("text")
    assert copied not in (shipped, prior_marks("points")) and prior_marks("points") == shipped
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")
    assert prior_marks("text") not in (copied, shipped)


def test_marks_of_a_model_that_is_not_there_yet_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched for them."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    settle({"text": {"adapter": "stable-diffusion", "model": "nobody/nothing-of-this-name"}})
    first = prior_marks("text")
    settle({"text": {"adapter": "stable-diffusion", "model": "nobody/another"}})
    assert first != prior_marks("text")
