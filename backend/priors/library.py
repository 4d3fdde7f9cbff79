"""Which prior answers a capability: the user's model settings, or else the pocket prior.

``models.json`` in the user's configuration folder names an adapter and its model by capability:

    {"text": {"adapter": "stable-diffusion", "model": "/models/stable-diffusion-2-1-base"}}

A prior stays loaded for the life of the process.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import get_args

import msgspec
import torch

from backend.priors.base import Capability, Prior
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
    if Path(choice.model).expanduser().is_dir() and choice.model:
        return Path(choice.model).expanduser()
    if choice.adapter == "pocket":
        from backend.pocket.weights import COMMITTED

        return COMMITTED
    if not choice.model or choice.adapter == "oracle":
        return None
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(choice.model, local_files_only=True))
    except (OSError, ValueError):
        return None


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


def _stable_diffusion(model: str, device: torch.device) -> Prior:
    from backend.priors.stable_diffusion import StableDiffusionPrior

    return StableDiffusionPrior.load(model, device)


def _instruct_pix2pix(model: str, device: torch.device) -> Prior:
    from backend.priors.instruct_pix2pix import InstructPix2PixPrior

    return InstructPix2PixPrior.load(model, device)


def _stable_diffusion_inpaint(model: str, device: torch.device) -> Prior:
    from backend.priors.stable_diffusion_inpaint import StableDiffusionInpaintPrior

    return StableDiffusionInpaintPrior.load(model, device)


def _mvdream(model: str, device: torch.device) -> Prior:
    from backend.priors.mvdream import MVDreamPrior

    return MVDreamPrior.load(model, device)


def _text_to_video(model: str, device: torch.device) -> Prior:
    from backend.priors.text_to_video import TextToVideoPrior

    return TextToVideoPrior.load(model, device)


def _wonder3d(model: str, device: torch.device) -> Prior:
    from backend.priors.wonder3d import Wonder3DPrior

    return Wonder3DPrior.load(model, device)


def _zero123(model: str, device: torch.device) -> Prior:
    from backend.priors.zero123 import Zero123Prior

    return Zero123Prior.load(model, device)


def _shap_e(model: str, device: torch.device) -> Prior:
    from backend.priors.shap_e import ShapEPrior

    return ShapEPrior.load(model, device)


ADAPTERS: dict[str, Callable[[str, torch.device], Prior]] = {
    "pocket": _pocket,
    "oracle": _oracle,
    "stable-diffusion": _stable_diffusion,
    "instruct-pix2pix": _instruct_pix2pix,
    "stable-diffusion-inpaint": _stable_diffusion_inpaint,
    "mvdream": _mvdream,
    "text-to-video": _text_to_video,
    "wonder3d": _wonder3d,
    "zero123": _zero123,
    "shap-e": _shap_e,
}
