"""Patches on disk, and priors that cannot have one."""

from pathlib import Path

import pytest
import torch

from backend.personalization.lora import Lora
from backend.personalization.patch import applied, load_patch, save_patch
from backend.pocket.network import PocketNetwork
from backend.priors.oracle import OraclePrior
from backend.priors.pocket import PocketPrior
from protocol.errors import InputError


def lora(prior: PocketPrior, rank: int = 4, seed: int = 1) -> Lora:
    return Lora(prior, torch.Generator().manual_seed(seed), rank)


def test_what_is_saved_comes_back(prior: PocketPrior, tmp_path: Path) -> None:
    first, second = lora(prior), lora(prior, seed=2)
    save_patch(first, tmp_path / "subject.safetensors")
    assert applied(first).spec.fingerprint != applied(second).spec.fingerprint
    load_patch(second, tmp_path / "subject.safetensors")
    assert applied(first).spec == applied(second).spec


def refused(patch: Lora, path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_patch(patch, path)
    assert caught.value.problem.code == "patch_invalid" and caught.value.problem.hint
    return caught.value.problem.message


def test_what_does_not_fit_is_refused(prior: PocketPrior, tmp_path: Path) -> None:
    path = tmp_path / "subject.safetensors"
    save_patch(lora(prior), path)
    assert "shapes" in refused(lora(prior, rank=2), path)
    other = PocketPrior(PocketNetwork(prior.network.config).requires_grad_(False))
    assert "not of" in refused(lora(other), path)
    path.write_bytes(path.read_bytes()[:100])
    assert "read" in refused(lora(prior), path)
    assert "read" in refused(lora(prior), tmp_path / "missing.safetensors")


def test_a_prior_without_a_network_says_so() -> None:
    with pytest.raises(InputError, match="no network"):
        Lora(OraclePrior.of_pictures(azimuths=2), torch.Generator())
