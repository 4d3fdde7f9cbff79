"""A small prior, a studio and pictures of a subject."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.personalization.training import Subject
from backend.pocket.network import PocketConfig, PocketNetwork
from backend.priors.pocket import PocketPrior
from backend.studio import Studio


@pytest.fixture
def prior() -> PocketPrior:
    """A network of the pocket prior's shape with random weights everywhere."""
    torch.manual_seed(0)
    network = PocketNetwork(PocketConfig(widths=(8, 8, 16), blocks=2, heads=2))
    for weight in network.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    return PocketPrior(network.requires_grad_(False), half=False)


@pytest.fixture
def studio(tmp_path: Path, prior: PocketPrior) -> Studio:
    ticks: Iterator[Any] = iter(range(0, 10**9, 60))
    return Studio(
        tmp_path / "job", tmp_path / "cache", 3, lambda capability: prior, {}, clock=ticks.__next__
    )


@pytest.fixture
def subject() -> Subject:
    """Two pictures of a red square over gray."""
    alpha = torch.zeros(2, 64, 64, 1)
    alpha[:, 20:44, 20:44] = 1
    red = torch.tensor([0.9, 0.1, 0.1])
    return Subject(red * alpha + 0.5 * (1 - alpha), "a photo of sks square", alpha)
