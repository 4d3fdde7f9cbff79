"""A fine-tune as what it changes: each weight rises, falls or stays, by one step for its row.

What a fine-tune changes needs far fewer digits than the weights (Liu et al., BitDelta, arXiv
2402.10193, keeps one bit); with a third value for what stays, the step is the one of Ternary Weight
Networks (Li et al., arXiv 1605.04711, section 2.2).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.pocket.network import PocketNetwork
from backend.pocket.weights import (
    LICENSE,
    WeightsError,
    average_of,
    damaged,
    describe_network,
    file_hash,
    load_network,
    read_config,
)

FILE = "change.npz"


def to_ternary(change: Tensor) -> tuple[Tensor, Tensor]:
    """Signs (int8, the shape of ``change``) and the step of each row (all of a vector is one).

    A weight stays where it changes by less than 0.7 of its row's mean; the step is the mean change
    of the others, which is nearest to them.
    """
    rows = change.float().reshape(len(change) if change.dim() > 1 else 1, -1)
    size = rows.abs()
    moves = size > 0.7 * size.mean(1, keepdim=True)
    steps = (size * moves).sum(1) / moves.sum(1).clamp_min(1)
    return (rows.sign() * moves).to(torch.int8).reshape(change.shape), steps


def from_ternary(signs: Tensor, steps: Tensor) -> Tensor:
    """The change that :func:`to_ternary` kept, in the shape of ``signs``."""
    rows = signs.reshape(len(steps), -1) * steps[:, None]
    return rows.reshape(signs.shape)


def save_change(folder: Path, tuned: Path, base: Path) -> None:
    """Write what a fine-tune changes of the weights that it began from, in three values.

    Raises WeightsError where it began from others than those in ``base``.
    """
    record, begun = describe_network(tuned).record, describe_network(base).record["step"]
    if record["origin"] != average_of(begun):
        raise WeightsError(
            f"the fine-tune in {tuned} began from {record['origin']}, not of step {begun}; delete "
            f"{tuned.parent} and train it again"
        )
    before, after = (load_network(path).state_dict() for path in (base, tuned))
    arrays: dict[str, NDArray[Any]] = {}
    for name, value in after.items():
        signs, steps = to_ternary(value - before[name])
        arrays |= {f"{name}.signs": signs.numpy(), f"{name}.steps": steps.numpy()}
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / FILE, **arrays)
    written = {
        "license": LICENSE, "base_sha256": read_config(base)["sha256"],
        "sha256": file_hash(folder / FILE), "training": record,
    }
    (folder / "config.json").write_text(json.dumps(written, indent=2) + "\n")


def load_changed(folder: Path, base: Path) -> PocketNetwork:
    """The network in ``base`` as the fine-tune in ``folder`` left it.

    Raises WeightsError where it is damaged, or changes other weights.
    """
    network, config = load_network(base), read_config(folder, FILE)
    hashes = {"sha256": file_hash(folder / FILE), "base_sha256": read_config(base)["sha256"]}
    try:
        if any(config[name] != value for name, value in hashes.items()):
            raise ValueError("a hash in config.json is another")
        with np.load(folder / FILE) as arrays:
            for name, value in network.state_dict().items():
                signs, steps = (
                    torch.from_numpy(arrays[f"{name}.{kept}"]) for kept in ("signs", "steps")
                )
                value += from_ternary(signs, steps)
    except (ValueError, KeyError, RuntimeError, OSError) as error:
        raise damaged(folder, error) from error
    return network
