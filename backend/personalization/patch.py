"""What a patch is: trained on pictures of a subject, it makes a personal prior of a prior.

The prior that is patched is never changed: a patch works on a twin of its network that shares the
weights it leaves alone, so both may be asked at once, and dropping the patch restores everything.
"""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
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


def save_patch(patch: Patch, path: Path) -> None:
    """Write what training made of it, as safetensors that name the prior they belong to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().contiguous() for name, value in patch.state().items()}
    save_file(state, path, {"kind": patch.kind, "base": patch.base.spec.fingerprint})


def load_patch(patch: Patch, path: Path) -> None:
    """Take up what :func:`save_patch` wrote. Raises :class:`InputError` ``patch_invalid`` where
    that was another kind or size of patch, of another prior, or is damaged."""
    try:
        with safe_open(path, "pt") as file:
            said = file.metadata()
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise _unfit(path, f"it cannot be read: {error}") from error
    wanted = {"kind": patch.kind, "base": patch.base.spec.fingerprint}
    if said != wanted:
        raise _unfit(path, f"it is of {said}, not of {wanted}")
    if _shapes(state) != _shapes(patch.state()):
        raise _unfit(path, "its tensors have other names or shapes")
    patch.load_state(state)


def _shapes(state: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in state.items()}


def _unfit(path: Path, reason: str) -> InputError:
    return InputError(
        "patch_invalid", f"{path.name} cannot be used: {reason}.",
        "Use it with the prior and the rank that it was trained with, or train it anew.",
    )
