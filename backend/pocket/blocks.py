"""What the pocket network is built of: convolutions for each view alone, and blocks of a
transformer over the tokens of all views and of the text."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SHARPEST = 30.0
"""The greatest factor on cosines in attention."""
REACHES = (0.12, 0.3, 0.7)
"""Of `nearness`, where things lie in the unit ball and tokens 0.3 apart."""
NEARNESS_UNIT = 10.0
"""What 1 stands for in a learned weight of nearness: optimizers move it by the rate a step."""


class ResBlock(nn.Module):
    """Two convolutions with a FiLM between them (Perez et al. 2018), and a shortcut."""

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, inputs), nn.GroupNorm(8, outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.film = nn.Linear(condition, 2 * outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, 1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h) * (1 + scale) + shift
        return self.shortcut(x) + self.conv2(F.silu(h))


class Block(nn.Module):
    """A transformer block over the tokens of all views and of the text.

    What each half adds is scaled by a learned gain a channel (LayerScale: Touvron et al. 2021).
    Attention goes by the cosine of queries and keys, times a learned factor a head (Swin V2, Liu
    et al. 2022, section 3.3): plain products grow until every token attends to the same one, and
    no gradient leads back. What is added must not be normalized: what all tokens have in common
    then drowns what tells them apart. Tokens whose rays come near each other attract by
    learned weights, each of the first heads at one reach from the beginning: to find the place in
    another view that shows the same is otherwise the last thing that attention learns.
    """

    def __init__(self, width: int, heads: int, condition: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.film1, self.film2 = nn.Linear(condition, 2 * width), nn.Linear(condition, 2 * width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.gain1, self.gain2 = (nn.Parameter(torch.full((width,), 0.3)) for _ in range(2))
        self.sharpness = nn.Parameter(torch.full((heads, 1, 1), math.log(10)))
        self.nearness = nn.Parameter(0.7 * torch.eye(heads, len(REACHES)))
        for layer in (self.film1, self.film2):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, condition: Tensor, mask: Tensor, near: Tensor) -> Tensor:
        """`x` (B, V*64 + L, C), `condition` (B, V, C'), `mask` (B, 1, 1, V*64 + L), added to
        the logits; `near` (B, reaches, N, N) of all tokens, as `nearness` gives it."""
        q, k, v = _heads(self.qkv(modulated(self.norm1(x), self.film1(condition))), self.heads)
        weights = (NEARNESS_UNIT * self.nearness).to(near)
        drawn = torch.einsum("hr,brnm->bhnm", weights, near)
        # Not the fused kernel: its backward pass takes five times as long on CPUs.
        mixed = (self._logits(q, k) + drawn + mask).softmax(-1).to(v) @ v
        x = x + self.gain1 * self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.gain2 * self.mlp(modulated(self.norm2(x), self.film2(condition)))

    def _logits(self, q: Tensor, k: Tensor) -> Tensor:
        factor = self.sharpness.exp().clamp(max=SHARPEST).to(q)
        return (F.normalize(q, dim=-1) * factor) @ F.normalize(k, dim=-1).transpose(-2, -1)


class Summary(nn.Module):
    """One vector of all views of a set, (B, C): tokens weighed against each other by learned scores
    (attention pooling, as Set Transformers': Lee et al. 2019, section 3.2). It tells every view
    what they have in common, colors first, which attention over tokens learns late."""

    def __init__(self, width: int, heads: int, condition: int) -> None:
        super().__init__()
        self.norm, self.film = nn.LayerNorm(width), nn.Linear(condition, 2 * width)
        self.score, self.value = nn.Linear(width, heads), nn.Linear(width, width)
        self.out = nn.Linear(width, condition)
        for layer in (self.film, self.score, self.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """`x` (B, V*64, C), `condition` (B, V, C')."""
        x = modulated(self.norm(x), self.film(condition))
        share = self.score(x).float().softmax(1).to(x)
        values = self.value(x).unflatten(-1, (share.shape[-1], -1))
        return self.out(torch.einsum("bnh,bnhc->bhc", share, values).flatten(1))


@torch.no_grad()
def nearness(rays: Tensor, known: Tensor) -> Tensor:
    """How near the rays of 8 x 8 tokens a view come to each other inside the unit ball.

    From ray maps (B, V, 6, H, H) and whether cameras are known, (B, V): (B, reaches, V*64, V*64)
    in [0, 1], a Gaussian of the distance for each reach; 0 where a camera is not known.
    """
    middle = F.adaptive_avg_pool2d(rays.float().flatten(0, 1), 8).unflatten(0, known.shape)
    direction, point = middle.permute(0, 1, 3, 4, 2).flatten(1, 3).split(3, -1)
    direction = F.normalize(direction, dim=-1)
    point = point - (point * direction).sum(-1, keepdim=True) * direction
    square = point.square().sum(-1, keepdim=True)
    half = (1 - square).clamp_min(0).sqrt()
    apart = _segment_distance(point, direction, half)
    scale = torch.tensor(REACHES, device=rays.device).square()[:, None, None]
    seen = known.bool().repeat_interleave(64, 1)
    return (-apart[:, None] / (2 * scale)).exp() * (seen[:, :, None] & seen[:, None])[:, None]


def _segment_distance(point: Tensor, direction: Tensor, half: Tensor) -> Tensor:
    """Squared distances (B, N, N) between segments, each `half` (B, N, 1) to both sides of its
    point nearest to the origin: that of the lines, with both ends of the shortest way cut off."""
    cosine = direction @ direction.mT
    to_other = direction @ point.mT
    to_own = to_other.mT
    along = (to_other + cosine * to_own) / (1 - cosine.square()).clamp_min(1e-4)
    along = along.clamp(-half, half)
    across = (to_own + cosine * along).clamp(-half.mT, half.mT)
    along = (to_other + cosine * across).clamp(-half, half)
    square = point.square().sum(-1, keepdim=True)
    fixed = square + square.mT - 2 * point @ point.mT
    moved = along.square() + across.square() - 2 * (
        along * to_other + across * to_own + along * across * cosine
    )
    return (fixed + moved).clamp_min(0)


def _heads(qkv: Tensor, heads: int) -> list[Tensor]:
    """Queries, keys and values, each (B, heads, N, C / heads), of (B, N, 3C)."""
    return [part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in qkv.chunk(3, -1)]


def modulated(x: Tensor, film: Tensor) -> Tensor:
    """FiLM, `film` (B, V, 2C), on the tokens (B, V*64 + L, C) of each view; those of the text stay
    as they are."""
    batch, views, _ = film.shape
    scale, shift = film[:, :, None].chunk(2, -1)
    image = x[:, : views * 64].view(batch, views, 64, -1) * (1 + scale) + shift
    return torch.cat([image.flatten(1, 2), x[:, views * 64 :]], 1)
