"""Adaptive density control (3D Gaussian Splatting, section 5.2): clone, split, prune."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.rendering.splatting.projection import rotation_matrices
from backend.representations.gaussians import Gaussians

SPLIT_INTO = 2
SHRINK = 1.6
"""What the scales of a split Gaussian are divided by."""


@dataclass(frozen=True)
class DensityRule:
    """``gradient``: a Gaussian whose view-space gradient (see :class:`Densifier`) is larger in the
    mean is cloned if its largest standard deviation is at most ``split_scale``, else split in two.
    ``opacity``: below it a Gaussian goes; also when larger than ``most_scale`` (world units) or
    when it was drawn with a radius above ``most_pixels``. ``most``: no growth beyond so many."""

    gradient: float = 2e-4
    split_scale: float = 0.01
    opacity: float = 0.005
    most_scale: float = float("inf")
    most_pixels: float = float("inf")
    most: int = 100_000


class Densifier:
    """Watches the renders of Gaussians and changes their number.

    What it sees is kept in channels, so that it survives checkpoints: per Gaussian the sum over
    views of the gradient's length by its center in normalized device coordinates (the picture is
    2 wide and 2 high), in how many views it was drawn, and its largest radius in pixels.
    """

    def __init__(self, gaussians: Gaussians, size: tuple[int, int]) -> None:
        """``size``: height and width of the renders."""
        self.gaussians = gaussians
        self.size = size
        for name in ("view gradient", "view count", "view radius"):
            gaussians.add_channel(name, torch.zeros(len(gaussians)), torch.zeros_like)
        gaussians.on_project = self._watch

    def _watch(self, centers: Tensor, radii: Tensor) -> None:
        centers.register_hook(lambda gradient: self._record(gradient, radii))

    def _record(self, gradient: Tensor, radii: Tensor) -> None:
        height, width = self.size
        scaled = gradient * gradient.new_tensor([width / 2, height / 2])
        lengths = scaled.norm(dim=-1).nan_to_num(0, 0, 0)
        seen, channels = radii > 0, self.gaussians.channels
        channels["view gradient"] += (lengths * seen).sum(0)
        channels["view count"] += seen.sum(0)
        largest = torch.maximum(channels["view radius"], radii.amax(0))
        channels["view radius"] = largest

    def gradients(self) -> Tensor:
        """Mean length of the view-space gradient since the last change, (n,)."""
        channels = self.gaussians.channels
        return channels["view gradient"] / channels["view count"].clamp_min(1)

    @torch.no_grad()
    def densify(
        self,
        rule: DensityRule,
        generator: torch.Generator,
        optimizer: torch.optim.Optimizer | None = None,
        among: Tensor | None = None,
    ) -> None:
        """Clone and split where gradients are large, then prune, both only ``among`` (n,) bool the
        Gaussians; what was seen is forgotten. Untouched Gaussians keep their bits and moments."""
        parents = self._grow(self._chosen(rule, among), rule, generator, optimizer)
        self.prune(rule, optimizer, None if among is None else among[parents])
        for name in ("view gradient", "view count", "view radius"):
            self.gaussians.channels[name].zero_()

    @torch.no_grad()
    def prune(
        self,
        rule: DensityRule,
        optimizer: torch.optim.Optimizer | None = None,
        among: Tensor | None = None,
    ) -> None:
        """Drop what is nearly transparent or too large, in space or in any picture."""
        gaussians = self.gaussians
        gone = gaussians.opacities.sigmoid() < rule.opacity
        gone |= gaussians.scales.amax(1).exp() > rule.most_scale
        gone |= gaussians.channels["view radius"] > rule.most_pixels
        if among is not None:
            gone &= among
        if gone.any():
            gaussians.keep(~gone, optimizer)

    def _chosen(self, rule: DensityRule, among: Tensor | None) -> Tensor:
        """The rows to clone or split: those of the largest gradients, as many as there is room."""
        gradients = self.gradients()
        if among is not None:
            gradients = torch.where(among, gradients, 0)
        room = max(rule.most - len(self.gaussians), 0)
        order = gradients.argsort(descending=True, stable=True)[:room]
        return order[gradients[order] > rule.gradient].sort().values

    def _grow(
        self,
        chosen: Tensor,
        rule: DensityRule,
        generator: torch.Generator,
        optimizer: torch.optim.Optimizer | None,
    ) -> Tensor:
        """Clone and split ``chosen`` rows; the parent of each row that there is now. Children stand
        last; those of a split are drawn from their parent, which goes."""
        gaussians = self.gaussians
        large = gaussians.scales.amax(1).exp() > rule.split_scale
        cloned, split = chosen[~large[chosen]], chosen[large[chosen]]
        stays = torch.ones_like(large)
        stays[split] = False
        kept = stays.nonzero()[:, 0]
        parents = torch.cat([kept, cloned, *[split] * SPLIT_INTO])
        if len(chosen):
            fresh = torch.arange(len(parents), device=parents.device) >= len(kept)
            gaussians.replace_rows(parents, fresh, optimizer)
            _scatter(gaussians, SPLIT_INTO * len(split), generator)
        return parents


def _scatter(gaussians: Gaussians, count: int, generator: torch.Generator) -> None:
    """Move the last ``count`` Gaussians, copies of their parents, to places drawn from them, and
    make them smaller."""
    rows = slice(len(gaussians) - count, None)
    drawn = torch.randn(count, 3, generator=generator).to(gaussians.means)
    offsets = drawn * gaussians.scales[rows].exp()
    turned = rotation_matrices(gaussians.quats[rows]) @ offsets[..., None]
    gaussians.means[rows] += turned[..., 0]
    gaussians.scales[rows] -= math.log(SHRINK)
