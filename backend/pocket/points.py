"""The points network: colored point clouds from text, denoised all at once.

A cloud is 1,024 points of position and color. A few latent tokens read the points, think together
with the words, and write back (recurrent interface networks, Jabri et al., 2212.11972, section 3),
so that the cost grows with the points and not with their square. What goes in and out has about
unit variance at every noise level (Karras et al., 2206.00364, section 5).
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.diffusion.schedules import CosineSchedule
from backend.pocket.network import waves

POINTS = 1024
SCHEDULE = CosineSchedule()
DEVIATION = 0.45
"""Of the clean values, positions and colors together."""

FREQUENCIES = (0.5, 1.0, 2.0, 4.0)
"""Of the waves by which a place is told, in turns of pi per unit of length."""


def balance(t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What to multiply noisy values by at the noise levels t, for the network's input, for the
    share of them that is taken as clean, and its output by, to be added to that; shapes of t."""
    alpha, sigma = SCHEDULE.alpha_sigma(t)
    variance = (alpha * DEVIATION) ** 2 + sigma**2
    return variance.rsqrt(), alpha * DEVIATION**2 / variance, DEVIATION * sigma * variance.rsqrt()


@dataclass(frozen=True)
class PointsConfig:
    """Channels of points and latents, how many latents, blocks and attention heads."""

    width: int = 128
    latents: int = 32
    blocks: int = 4
    heads: int = 4
    text_width: int = 384

    def to_dict(self) -> dict[str, object]:
        """For a config.json."""
        return asdict(self)


class Attention(nn.Module):
    """Queries of one stream attend to another; what is added is normalized, as in the trunk of
    the network of views."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.norm_other = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out, self.added = nn.Linear(width, width), nn.LayerNorm(width)
        nn.init.constant_(self.added.weight, 0.3)

    def forward(self, x: Tensor, other: Tensor, mask: Tensor | None = None) -> Tensor:
        """`x` (B, N, C) from `other` (B, M, C), of which `mask` (B, M) count."""
        query = self._split(self.query(self.norm(x)))
        key, value = (self._split(p) for p in self.key_value(self.norm_other(other)).chunk(2, -1))
        logits = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        if mask is not None:
            logits = logits.masked_fill(~mask[:, None, None], -1e4)
        mixed = logits.softmax(-1).to(value) @ value
        return x + self.added(self.out(mixed.transpose(1, 2).flatten(2)))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Mlp(nn.Module):
    """Two layers on each token, told the noise level by FiLM (Perez et al. 2018)."""

    def __init__(self, width: int, factor: int) -> None:
        super().__init__()
        self.norm, self.film = nn.LayerNorm(width), nn.Linear(width, 2 * width)
        self.layers = nn.Sequential(
            nn.Linear(width, factor * width), nn.GELU(approximate="tanh"),
            nn.Linear(factor * width, width),
        )
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)
        nn.init.zeros_(self.layers[2].weight)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """`x` (B, N, C), `condition` (B, C)."""
        scale, shift = self.film(condition)[:, None].chunk(2, -1)
        return x + self.layers(self.norm(x) * (1 + scale) + shift)


class PointsBlock(nn.Module):
    """Read, think, write."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.read, self.think, self.write = (Attention(width, heads) for _ in range(3))
        self.after_think, self.after_write = Mlp(width, 4), Mlp(width, 2)

    def forward(
        self, points: Tensor, latents: Tensor, words: Tensor, mask: Tensor, condition: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Points (B, N, C) and latents (B, M, C), renewed; words (B, L, C) are only read."""
        latents = self.read(latents, points)
        thought = torch.cat([latents, words], 1)
        counts = torch.cat([mask.new_ones(latents.shape[:2]), mask], 1)
        latents = self.after_think(self.think(latents, thought, counts), condition)
        return self.after_write(self.write(points, latents), condition), latents


class PointsNetwork(nn.Module):
    """Predicts the clean cloud: (B, N, 6), positions in the unit ball and colors in [-1, 1]."""

    def __init__(self, config: PointsConfig = PointsConfig()) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.enter = nn.Linear(6 + 6 * len(FREQUENCIES), width)
        self.noise = nn.Sequential(nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width))
        self.words = nn.Sequential(
            nn.LayerNorm(config.text_width), nn.Linear(config.text_width, width)
        )
        self.latents = nn.Parameter(torch.randn(config.latents, width) * 0.1)
        self.blocks = nn.ModuleList(
            [PointsBlock(width, config.heads) for _ in range(config.blocks)]
        )
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 6))

    def forward(self, noisy: Tensor, t: Tensor, *, text: Tensor, text_mask: Tensor) -> Tensor:
        """`noisy` (B, N, 6); `t` (B,); `text` (B, L, 384) with `text_mask` (B, L), a row without
        True being unconditional."""
        words = self.words(text)
        counts = text_mask.to(words)[..., None]
        sentence = (words * counts).sum(1) / counts.sum(1).clamp_min(1)
        condition = F.silu(self.noise(waves(t)) + sentence)
        enter, keep, leave = (factor[:, None, None] for factor in balance(t))
        points = self.enter(torch.cat([noisy * enter, place_waves(noisy[..., :3])], -1))
        latents = (self.latents + condition[:, None]).expand(len(noisy), -1, -1)
        for block in self.blocks:
            points, latents = block(points, latents, words, text_mask, condition)
        return keep * noisy + leave * self.leave(points).float()


def place_waves(positions: Tensor) -> Tensor:
    """Sines and cosines of positions (..., 3) at FREQUENCIES, (..., 24)."""
    angles = (positions[..., None] * (math.pi * positions.new_tensor(FREQUENCIES))).flatten(-2)
    return torch.cat([angles.sin(), angles.cos()], -1)
