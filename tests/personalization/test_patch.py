"""Personal priors have names of their own, and priors without a network cannot have one."""

import pytest
import torch

from backend.personalization.lora import Lora
from backend.personalization.patch import applied
from backend.priors.oracle import OraclePrior
from backend.priors.pocket import PocketPrior
from protocol.errors import InputError


def test_the_fingerprint_follows_what_was_trained(prior: PocketPrior) -> None:
    first, second = (Lora(prior, torch.Generator().manual_seed(seed), 4) for seed in (1, 2))
    assert applied(first).spec.fingerprint != applied(second).spec.fingerprint
    second.load_state(first.state())
    assert applied(first).spec == applied(second).spec


def test_a_prior_without_a_network_says_so() -> None:
    with pytest.raises(InputError, match="no network"):
        Lora(OraclePrior.of_pictures(azimuths=2), torch.Generator())
