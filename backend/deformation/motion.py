"""Motion: forward fields that carry the points of a still object through time.

Align Your Gaussians (Ling et al., CVPR 2024, arXiv 2312.13763), section 3.3: a small network says
how far each point of the still object has moved at a time; times a power of the time, so that the
motion begins at the still object exactly. Anything made of points rides along: the means of
Gaussians, the vertices of a mesh. Longer motions are clips that begin amid the one before.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.nn.functional import silu

from backend.diffusion.annealing import Number, Schedule
from backend.representations.module import StatefulModule

EXPONENT = 0.35
STRIDE = 0.5
"""Of a clip, after which the next one begins; they overlap for the rest of it."""
CLOSING = 0.25
"""Of a clip: how long the way back to the start takes in a loop."""

_LAYERS, _OCTAVES = 3, 4


def envelope(times: Tensor) -> Tensor:
    """xi(t) = t**0.35 of times in [0, 1]: nothing at 0 (section 3.3)."""
    return times.clamp(0, 1) ** EXPONENT


class ForwardField(nn.Module):
    """How far points have moved at times of one clip: a network on positions and time, encoded by
    sines, whose last layer begins at zero."""

    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.space = _linear(3 * (1 + 2 * _OCTAVES), width, generator)
        self.time = _linear(1 + 2 * _OCTAVES, width, generator)
        self.hidden = nn.ModuleList(_linear(width, width, generator) for _ in range(_LAYERS))
        self.last = nn.Linear(width, 3)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, points: Tensor, times: Tensor) -> Tensor:
        """Offsets (frames, n, 3) of ``points`` (n, 3) at ``times`` (frames,), held in [0, 1]; zero
        at time 0."""
        times = times.clamp(0, 1)
        space = self.space(_encode(points, math.pi / 2))
        time = self.time(_encode(times[:, None], math.pi))
        hidden = silu(space + time[:, None])
        for layer in self.hidden:
            hidden = silu(layer(hidden))
        offsets: Tensor = envelope(times)[:, None, None] * self.last(hidden)
        return offsets


class Timeline(StatefulModule):
    """Clips in a row, each of length 1, over the times [0, ``duration``].

    Each clip begins at the middle of the one before, from where that has carried each point, and
    takes over evenly in their overlap (section 3.3, autoregressive extension): (1 - chi) Delta_1 +
    chi Delta_2. A ``loop`` fades back to the still object at its end, and so closes.
    """

    def __init__(self, clips: int, loop: bool, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.fields = nn.ModuleList(ForwardField(width, generator) for _ in range(clips))
        self.loop = loop

    @property
    def duration(self) -> float:
        """In clips."""
        return 1 + STRIDE * (len(self.fields) - 1)

    def offsets(self, points: Tensor, times: Tensor, clips: int | None = None) -> Tensor:
        """How far ``points`` (n, 3) have moved at ``times`` (frames,): (frames, n, 3). ``clips``:
        only the first so many take part (those after are not there yet), and only the last of
        them has gradients: a clip that is done stays."""
        clips = clips or len(self.fields)
        offsets = points.new_zeros(len(times), *points.shape)
        for index in range(clips):
            with torch.set_grad_enabled(torch.is_grad_enabled() and index == clips - 1):
                moved = self.clip(points, times, index)
            offsets = moved if index == 0 else torch.lerp(offsets, moved, _chi(times, index))
        if self.loop and clips == len(self.fields):
            closing = ((times - (self.duration - CLOSING)) / CLOSING).clamp(0, 1)
            offsets = offsets * (1 - closing)[:, None, None]
        return offsets

    def clip(self, points: Tensor, times: Tensor, index: int) -> Tensor:
        """Offsets (frames, n, 3) by one clip alone, on top of where it began."""
        start = STRIDE * index
        offsets: Tensor = self.fields[index](points, times - start)
        if index:
            with torch.no_grad():
                begun = self.clip(points, times.new_tensor([start]), index - 1)
            offsets = begun + offsets
        return offsets

    def interpolation(
        self, points: Tensor, times: Tensor, offsets: Tensor, index: int
    ) -> Tensor:
        """Mean |Delta_1 - Delta_12|**2 over points and frames, in the overlap of a clip with the
        one before: the blend follows what was there (section 3.3). ``offsets``: those at
        ``times``. The first clip has none before: 0."""
        if index == 0:
            return offsets.new_zeros(())
        with torch.no_grad():
            before = self.clip(points, times, index - 1)
        overlapping = (_chi(times, index) < 1).to(offsets)
        return (overlapping * (before - offsets) ** 2).sum(-1).mean()

    def rates(self, rate: float) -> dict[str, Number]:
        """Learning rates of a run in which the clips learn one after the other: each begins at
        ``rate`` and falls to a tenth of it over its part."""
        count = len(self.fields)
        return {
            f"clip {i}": Schedule(
                rate, rate / 10, begin=i / count, end=(i + 1) / count, shape="exponential"
            )
            for i in range(count)
        }

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """"clip 0", "clip 1" …"""
        return {f"clip {i}": list(field.parameters()) for i, field in enumerate(self.fields)}

    @torch.no_grad()
    def bake(self, points: Tensor, frames: int) -> Tensor:
        """Positions (frames, n, 3) at even times from the first to the last; where nothing has
        moved they keep their bits."""
        times = torch.linspace(0, self.duration, frames)
        return torch.cat([self._carry(points, time) for time in times.split(1)])

    def _carry(self, points: Tensor, time: Tensor) -> Tensor:
        offsets = self.offsets(points, time.to(points))
        return torch.where(offsets == 0, points, points + offsets)


def _chi(times: Tensor, index: int) -> Tensor:
    """How much a clip has taken over from the one before, (frames, 1, 1)."""
    return ((times - STRIDE * index) / (1 - STRIDE)).clamp(0, 1)[:, None, None]


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """PyTorch's usual beginning, drawn from a generator of its own."""
    layer = nn.Linear(inputs, outputs)
    for parameter in (layer.weight, layer.bias):
        values = torch.rand(parameter.shape, generator=generator)
        parameter.data = inputs**-0.5 * (2 * values - 1)
    return layer


def _encode(values: Tensor, base: float) -> Tensor:
    """``values`` (n, c), with sines and cosines of octaves from ``base`` up: (n, c * 9)."""
    return torch.cat([values, *_waves(values, base)], -1)


def _waves(values: Tensor, base: float) -> Iterator[Tensor]:
    for octave in range(_OCTAVES):
        yield (base * 2**octave * values).sin()
        yield (base * 2**octave * values).cos()
