"""Which prior answers a capability: the user's model settings, or else the pocket prior.

``models.json`` in the user's configuration folder names an adapter and its model by capability:

    {"text": {"adapter": "stable-diffusion", "model": "/models/stable-diffusion-2-1-base"}}

A prior stays loaded for the life of the process.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import get_args

import msgspec
import torch

from backend.priors.base import Capability, Prior
from backend.priors.checkpoints import local_folder
from protocol.errors import InputError
from protocol.folders import config_folder


class ModelChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``model``: a folder, or an id of the hub, where the adapter wants one."""

    adapter: str = "pocket"
    model: str = ""


def find_prior(capability: Capability, device: torch.device | str = "cpu") -> Prior:
    """The prior for a capability; :class:`InputError` where settings are wrong, or where neither
    they nor the pocket prior have it."""
    choice = read_choices().get(capability, ModelChoice())
    prior = _load(choice, str(device))
    if capability not in prior.spec.capabilities:
        raise InputError(
            "capability_missing",
            f"The prior {prior.spec.name!r} has no capability {capability!r}.",
            f"Name a model that has it in {settings_path()}.",
        )
    return prior


def prior_marks(capability: Capability) -> str:
    """What tells the prior that would answer from any other, without loading it: the adapter, the
    model, and the name, size and time of the last change of each of its files. Whoever has loaded
    it knows better: ``spec.fingerprint`` is a hash of the weights."""
    choice = read_choices().get(capability, ModelChoice())
    folder = _folder(choice)
    files = [] if folder is None else sorted(path for path in folder.rglob("*") if path.is_file())
    listed = [
        (str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns)  # type: ignore[arg-type]
        for path in files
    ]
    text = json.dumps([choice.adapter, choice.model, listed])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _folder(choice: ModelChoice) -> Path | None:
    """Where the files of a choice lie; None where there are none, or none as yet."""
    if choice.adapter == "oracle":
        return None
    if choice.adapter == "pocket" and not choice.model:
        from backend.pocket.weights import COMMITTED

        return COMMITTED
    return local_folder(choice.model)


def settings_path() -> Path:
    """Where the model settings lie, if the user made any."""
    return config_folder() / "models.json"


def read_choices() -> dict[str, ModelChoice]:
    """The user's choices by capability; none where there is no file."""
    path = settings_path()
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        choices = msgspec.json.decode(text, type=dict[str, ModelChoice])
    except msgspec.DecodeError as error:
        raise InputError(
            "model_settings", f"{path} cannot be read: {error}.",
            'It maps capabilities to {"adapter": …, "model": …}.',
        ) from error
    unknown = sorted(set(choices) - set(get_args(Capability)))
    if unknown:
        raise InputError(
            "model_settings", f"{path} names no capability with {', '.join(unknown)}.",
            f"Capabilities are: {', '.join(get_args(Capability))}.",
        )
    return choices


@cache
def _load(choice: ModelChoice, device: str) -> Prior:
    if choice.adapter not in ADAPTERS:
        raise InputError(
            "adapter_unknown",
            f"There is no adapter {choice.adapter!r}.",
            f"Adapters are: {', '.join(ADAPTERS)}.",
        )
    return ADAPTERS[choice.adapter](choice.model, torch.device(device))


# Each imports its adapter only when asked: torch models take seconds to import.


def _pocket(model: str, device: torch.device) -> Prior:
    """``model``: a folder of weights, such as training writes; by default those that ship."""
    from backend.pocket.weights import WeightsError
    from backend.priors.pocket import PocketPrior

    try:
        return PocketPrior.load(Path(model) if model else None, device)
    except WeightsError as error:
        complaint = f"The pocket prior cannot be loaded: {error}."
        raise InputError("weights_missing", complaint) from error


def _oracle(model: str, device: torch.device) -> Prior:
    """``model``: "views" for the worlds by camera (the default), "pictures" without cameras."""
    from backend.priors.oracle import OraclePrior

    return OraclePrior.of_pictures() if model == "pictures" else OraclePrior.of_kit()


def _published(module: str, name: str) -> Callable[[str, torch.device], Prior]:
    """The adapter ``name`` in a ``module`` of this room."""

    def load(model: str, device: torch.device) -> Prior:
        adapter = getattr(import_module(f"backend.priors.{module}"), name)
        prior: Prior = adapter.load(model, device)
        return prior

    return load


ADAPTERS: dict[str, Callable[[str, torch.device], Prior]] = {
    "pocket": _pocket,
    "oracle": _oracle,
    "stable-diffusion": _published("stable_diffusion", "StableDiffusionPrior"),
    "instruct-pix2pix": _published("instruct_pix2pix", "InstructPix2PixPrior"),
    "stable-diffusion-inpaint": _published(
        "stable_diffusion_inpaint", "StableDiffusionInpaintPrior"
    ),
    "mvdream": _published("mvdream", "MVDreamPrior"),
    "text-to-video": _published("text_to_video", "TextToVideoPrior"),
    "wonder3d": _published("wonder3d", "Wonder3DPrior"),
    "zero123": _published("zero123", "Zero123Prior"),
    "shap-e": _published("shap_e", "ShapEPrior"),
}
