"""Hierarchical Gaussian splatting (Chen et al., GaussianEditor, CVPR 2024, section 4.2): the older
a Gaussian, the more it is held to where and what it was at the last densification."""

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.representations.gaussians import NAMES, Gaussians


@dataclass(frozen=True)
class GenerationWeights:
    """How strongly a Gaussian is held, by the densifications that it has seen since it was made.

    Those of generation 0 begin at ``first``; children are free until the next densification, which
    gives them ``fresh``. Every further one multiplies by ``growth``, up to ``most``.
    """

    first: float = 1.0
    fresh: float = 0.1
    growth: float = 2.0
    most: float = 10.0

    def of(self, age: Tensor, original: Tensor) -> Tensor:
        """Weights (n,), by ``age`` (n,), in densifications, and whether each is ``original`` (n,),
        of generation 0."""
        begun = self.first * self.growth**age
        born = torch.where(age > 0, self.fresh * self.growth ** (age - 1), 0.0)
        return torch.where(original > 0, begun, born).clamp_max(self.most)


class Anchors:
    """What each Gaussian was at the last densification; kept in channels, so that it follows
    density control and checkpoints."""

    def __init__(self, gaussians: Gaussians, weights: GenerationWeights) -> None:
        self.gaussians = gaussians
        self.weights = weights
        count = len(gaussians)
        gaussians.add_channel("age", torch.zeros(count), lambda rows: torch.full_like(rows, -1))
        gaussians.add_channel("original", torch.ones(count), torch.zeros_like)
        for name in NAMES:
            gaussians.add_channel(_channel(name), getattr(gaussians, name).clone())

    @torch.no_grad()
    def renew(self) -> None:
        """Call after each densification: hold to what is there now."""
        channels = self.gaussians.channels
        channels["age"] = channels["age"] + 1
        for name in NAMES:
            channels[_channel(name)] = getattr(self.gaussians, name).detach().clone()

    def losses(self, among: Tensor) -> dict[str, Tensor]:
        """By parameter group: the mean over the Gaussians ``among`` (n,) bool of their weight times
        the squared distance from the anchor."""
        channels = self.gaussians.channels
        held = self.weights.of(channels["age"], channels["original"]) * among
        count = among.sum().clamp_min(1)
        return {name: (held * self._distance(name)).sum() / count for name in NAMES}

    def _distance(self, name: str) -> Tensor:
        moved = getattr(self.gaussians, name) - self.gaussians.channels[_channel(name)]
        return (moved**2).reshape(len(moved), -1).mean(1)


def _channel(name: str) -> str:
    return f"anchor {name}"
