"""A fine-tune as what it changes of the weights that it began from, in a few levels for each row.

What a fine-tune changes needs far fewer digits than the weights (Liu et al., BitDelta, arXiv
2402.10193, keeps one bit and a scale for each matrix). After a long one that is too few here: see
docs/pocket.md.
"""

import json
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Scale:
    """``levels`` on each side of nothing; the last is ``reach`` times the root mean square of what
    a row changes, and what changes more is held there."""

    levels: int = 15
    reach: float = 5.0


SCALES = {"edits": Scale(), "six": Scale(3, 3.0), "holes": Scale(3, 3.0)}
"""Of each fine-tune that can ship, in a folder of its name beside the network of views: as few
levels as leave its held-out errors nearly as they are."""


def to_levels(change: Tensor, scale: Scale = Scale()) -> tuple[Tensor, Tensor]:
    """How many steps each weight changes (int8, the shape of ``change``), and the step of each row
    (all of a vector is one)."""
    rows = change.float().reshape(len(change) if change.dim() > 1 else 1, -1)
    steps = rows.square().mean(1).sqrt() * (scale.reach / scale.levels)
    counts = (rows / steps[:, None].clamp_min(1e-30)).round().clamp(-scale.levels, scale.levels)
    return counts.to(torch.int8).reshape(change.shape), steps


def from_levels(counts: Tensor, steps: Tensor) -> Tensor:
    """The change that :func:`to_levels` kept, in the shape of ``counts``."""
    rows = counts.reshape(len(steps), -1) * steps[:, None]
    return rows.reshape(counts.shape)


def save_change(folder: Path, tuned: Path, base: Path, scale: Scale = Scale()) -> None:
    """Write what a fine-tune changes of the weights that it began from, in levels.

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
        counts, steps = to_levels(value - before[name], scale)
        arrays |= {f"{name}.counts": counts.numpy(), f"{name}.steps": steps.numpy()}
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
                counts, steps = (
                    torch.from_numpy(arrays[f"{name}.{kept}"]) for kept in ("counts", "steps")
                )
                value += from_levels(counts, steps)
    except (ValueError, KeyError, RuntimeError, OSError) as error:
        raise damaged(folder, error) from error
    return network
