"""What a patch is: trained on pictures of a subject, it makes a personal prior of a prior.

The prior that is patched is never changed: a patch works on a twin of its network that shares the
weights it leaves alone, so both may be asked at once, and dropping the patch restores everything.
"""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from backend.priors.base import NetworkPrior, Prior, PriorSpec
from protocol.errors import InputError


class Patch(Protocol):
    """A change to ``base`` that can be trained; ``kind`` is what it is called ("lora"), ``rate``
    the learning rate that it usually wants.

    ``state`` and ``load_state`` carry all that training changes, as flat tensors by name.
    """

    kind: str
    base: Prior
    rate: float

    def apply(self, spec: PriorSpec) -> Prior:
        """The base with this change, known by ``spec``; it follows further training."""
        ...

    def parameter_groups(self) -> dict[str, list[Parameter]]: ...

    def state(self) -> dict[str, Tensor]: ...

    def load_state(self, state: dict[str, Tensor]) -> None: ...


def applied(patch: Patch) -> Prior:
    """The personal prior: the base's interface, and a fingerprint of the patch as it is now."""
    spec = patch.base.spec
    fingerprint = digest(patch.state(), spec.fingerprint, patch.kind)
    name = f"{spec.name} + {patch.kind}"
    return patch.apply(replace(spec, name=name, fingerprint=fingerprint))


def digest(tensors: Mapping[str, Tensor], *words: str) -> str:
    """A hash of tensors by name, and of words."""
    found = hashlib.sha256(" ".join(words).encode())
    for name, value in sorted(tensors.items()):
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()[:32]


def require_network(prior: Prior) -> NetworkPrior:
    """The same prior, if it has a network to train; else :class:`InputError` ``prior_fixed``."""
    if not isinstance(prior, NetworkPrior):
        raise InputError(
            "prior_fixed", f"The prior {prior.spec.name!r} has no network that could be trained.",
            "Name another model in the model settings, or train no steps of personalization.",
        )
    return prior


def twin_network(network: nn.Module) -> nn.Module:
    """A second tree of modules over the very same parameters and buffers."""
    shared = [*network.parameters(), *network.buffers()]
    return copy.deepcopy(network, {id(tensor): tensor for tensor in shared})
