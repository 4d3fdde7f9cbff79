"""The pocket network: one any-view denoiser (section 4 of docs/architecture.md).

A sample is a set of views; each has its own noise level, camera, role and domain. A small
convolutional U-Net reads every view alone; at 8 x 8 the tokens of all views and of the text attend
to each other (as MVDream's and CAT3D's 3D attention), so views can be permuted and counted freely.
"""

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.pocket.blocks import Block, ResBlock, Summary, nearness
from backend.rendering.cameras import Cameras

GENERATED, GIVEN, SOURCE, MASKED = range(4)
COLOR, NORMAL, DEPTH = range(3)
RAY_SIZE = 32
READ_SIZE = 32
READ_WIDTH = 32


@dataclass(frozen=True)
class PocketConfig:
    """The architecture: channels at 32, 16 and 8 pixels, transformer blocks, attention heads."""

    widths: tuple[int, int, int] = (48, 96, 256)
    blocks: int = 5
    heads: int = 4
    text_width: int = 384
    roles: int = 6
    domains: int = 4

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def ray_map(cameras: Cameras) -> Tensor:
    """Six channels a view, (V, 6, 32, 32): ray direction, the ray's point nearest the origin."""
    origins, directions = cameras.resized(RAY_SIZE, RAY_SIZE).rays()
    nearest = origins - (origins * directions).sum(-1, keepdim=True) * directions
    return torch.cat([directions, nearest], -1).permute(0, 3, 1, 2).contiguous()


def waves(values: Tensor, width: int = 64) -> Tensor:
    """Sines and cosines of values in [0, 1] at geometric frequencies, (..., width)."""
    frequencies = torch.exp(torch.linspace(0, math.log(500.0), width // 2, device=values.device))
    angles = values.float()[..., None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], -1)


class Reading(NamedTuple):
    """What the network shows of its insides: the clean views (B, V, 4, 64, 64); how much each
    pixel belongs to each token of the text, logits (B, V, L, 32, 32); and unit vectors by which
    places of one thing are matched with those of another, (B, V, 32, 32, 32)."""

    x0: Tensor
    words: Tensor
    places: Tensor


class Reader(nn.Module):
    """Attention of pixels to words, and features for matching, from the last two decoder levels
    and the words that the trunk leaves. It only reads: no picture depends on it."""

    def __init__(self, small: int, middle: int, wide: int) -> None:
        super().__init__()
        self.fine = nn.Conv2d(small, 64, 1)
        self.coarse = nn.Conv2d(middle, 64, 1)
        self.mix = nn.Conv2d(64, 64, 3, padding=1)
        self.query, self.key = nn.Conv2d(64, READ_WIDTH, 1), nn.Linear(wide, READ_WIDTH)
        self.place = nn.Conv2d(64, READ_WIDTH, 1)

    def forward(self, fine: Tensor, coarse: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """From features (B*V, C, 32, 32) and (B*V, C', 16, 16), and words (B, L, C'')."""
        x = F.silu(self.fine(fine) + _doubled(self.coarse(coarse)))
        x = F.silu(self.mix(x))
        query = self.query(x).unflatten(0, (len(words), -1)).float()
        logits = torch.einsum("bvchw,blc->bvlhw", query, self.key(words).float())
        places = self.place(x).permute(0, 2, 3, 1).unflatten(0, (len(words), -1))
        return logits / READ_WIDTH**0.5 - 2.0, F.normalize(places.float(), dim=-1)


class PocketNetwork(nn.Module):
    """Predicts the clean RGBA of every view; see `forward`."""

    def __init__(self, config: PocketConfig = PocketConfig()) -> None:
        super().__init__()
        self.config = config
        small, middle, wide = config.widths
        self.stem = nn.Conv2d(16 + 6 + 20, small, 3, padding=1)
        self.down1 = nn.ModuleList([ResBlock(small, small, wide) for _ in range(2)])
        self.shrink1 = nn.Conv2d(small, middle, 3, stride=2, padding=1)
        self.down2 = nn.ModuleList([ResBlock(middle, middle, wide) for _ in range(2)])
        self.shrink2 = nn.Conv2d(middle, wide, 3, stride=2, padding=1)
        self.before = ResBlock(wide, wide, wide)
        self.blocks = nn.ModuleList([Block(wide, config.heads, wide) for _ in range(config.blocks)])
        self.after = ResBlock(wide, wide, wide)
        self.grow2 = nn.Conv2d(wide, 4 * middle, 1)
        self.up2 = nn.ModuleList(
            [ResBlock(2 * middle, middle, wide), ResBlock(middle, middle, wide)]
        )
        self.grow1 = nn.Conv2d(middle, 4 * small, 1)
        self.up1 = nn.ModuleList([ResBlock(2 * small, small, wide), ResBlock(small, small, wide)])
        self.head = nn.Sequential(
            nn.GroupNorm(8, small), nn.SiLU(), nn.Conv2d(small, 16, 3, padding=1)
        )
        self._build_conditions(config, wide)
        self.reader = Reader(small, middle, wide)
        self.summary = Summary(wide, 8, wide)

    def _build_conditions(self, config: PocketConfig, wide: int) -> None:
        self.noise = nn.Sequential(nn.Linear(64, wide), nn.SiLU(), nn.Linear(wide, wide))
        self.frame = nn.Linear(64, wide)
        self.motion = nn.Linear(1, wide)
        self.role = nn.Embedding(config.roles, wide)
        self.domain = nn.Embedding(config.domains, wide)
        self.alpha_known = nn.Embedding(2, wide)
        self.camera_known = nn.Embedding(2, wide)
        self.words = nn.Sequential(
            nn.LayerNorm(config.text_width), nn.Linear(config.text_width, wide)
        )
        self.sentence = nn.Sequential(
            nn.LayerNorm(config.text_width), nn.Linear(config.text_width, wide)
        )
        # The convolutions' scale is left outside, so that rays and words count beside it.
        self.enter, self.leave = nn.LayerNorm(wide), nn.LayerNorm(wide)
        self.ray_tokens = nn.Conv2d(6, wide, 4, stride=4)
        self.pose = nn.Sequential(nn.Linear(96, wide), nn.SiLU(), nn.Linear(wide, wide))
        self.places = nn.Parameter(torch.randn(64, wide) * 0.02)
        for table in (self.role, self.domain, self.alpha_known, self.camera_known):
            nn.init.normal_(table.weight, std=0.02)
        for layer in (self.frame, self.motion, self.pose[2]):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, noisy: Tensor, t: Tensor, **conditions: Tensor | None) -> Tensor:
        """The clean views, (B, V, 4, 64, 64) in [-1, 1]: RGB over mid-gray, and alpha; the
        arguments are those of `decode`."""
        return self.decode(noisy, t, **conditions)[0]  # type: ignore[arg-type]

    def read(self, noisy: Tensor, t: Tensor, **conditions: Tensor | None) -> Reading:
        """The clean views, and what the reader makes of the insides."""
        x0, fine, coarse, words = self.decode(noisy, t, **conditions)  # type: ignore[arg-type]
        return Reading(x0, *self.reader(fine, coarse, words))

    def decode(
        self,
        noisy: Tensor,
        t: Tensor,
        *,
        rays: Tensor | None,
        text: Tensor,
        text_mask: Tensor,
        role: Tensor | None = None,
        domain: Tensor | None = None,
        alpha_known: Tensor | None = None,
        known: Tensor | None = None,
        frame: Tensor | None = None,
        motion: Tensor | None = None,
        camera_known: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The clean views, features of the decoder at 32 x 32 and 16 x 16, the trunk's words.

        `noisy` (B, V, 4, 64, 64); `t` (B, V), 0 for a given view; `rays` (B, V, 6, 32, 32), or
        None without cameras; `text` (B, L, 384) with `text_mask` (B, L), a row without True being
        unconditional; `role`, `domain` (B, V) int64; `alpha_known`, `camera_known` (B, V) bool;
        `known` (B, V, 5, 64, 64): known pixels and their mask, or what is `reprojected`; `frame`,
        `motion` (B, V) in [0, 1].
        """
        batch, views = t.shape
        zeros = torch.zeros_like(t, dtype=torch.long)
        if rays is None:
            rays, camera_known = noisy.new_zeros(batch, views, 6, RAY_SIZE, RAY_SIZE), zeros
        camera_known = zeros + 1 if camera_known is None else camera_known.long()
        alpha_known = zeros + 1 if alpha_known is None else alpha_known.long()
        weights = text_mask.to(text)[..., None]
        sentence = (text * weights).sum(1) / weights.sum(1).clamp_min(1)
        condition = (
            self.noise(waves(t))
            + self.frame(waves(zeros if frame is None else frame))
            + self.motion((zeros if motion is None else motion)[..., None].to(t))
            + self.role(zeros if role is None else role)
            + self.domain(zeros if domain is None else domain)
            + self.alpha_known(alpha_known)
            + self.camera_known(camera_known)
            + self.sentence(sentence)[:, None]
            + self.pose(F.adaptive_avg_pool2d(rays.flatten(0, 1), 4).reshape(batch, views, 96))
        )
        if known is None:
            known = noisy.new_zeros(batch, views, 5, *noisy.shape[-2:])
        pixels = F.pixel_unshuffle(torch.cat([noisy, known], 2).flatten(0, 1), 2)
        x = torch.cat([pixels, rays.flatten(0, 1).to(pixels)], 1)
        words = self.words(text)
        near = F.pad(nearness(rays, camera_known), (0, words.shape[1]) * 2).to(words)
        x, *insides = self._unet(x, rays.flatten(0, 1), condition, words, text_mask, near)
        return x.unflatten(0, (batch, views)), insides[0], insides[1], insides[2]

    def _unet(
        self, x: Tensor, rays: Tensor, condition: Tensor, words: Tensor, text_mask: Tensor,
        near: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        told = F.silu(condition)
        each = told.flatten(0, 1)
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        for block in self.down1:
            x = block(x, each)
        skip1, x = x, self.shrink1(x)
        for block in self.down2:
            x = block(x, each)
        skip2, x = x, self.shrink2(x)
        x = self.before(x, each)
        tokens = self.enter(x.flatten(2).transpose(1, 2)).unflatten(0, condition.shape[:2])
        summary = self.summary(tokens.flatten(1, 2), told)
        told = F.silu(condition + summary[:, None])
        each = told.flatten(0, 1)
        image, words = self._attend(tokens, rays, told, words, text_mask, near)
        image = image.transpose(1, 2).reshape(x.shape)
        x = self.after(image.contiguous(memory_format=torch.channels_last), each)
        x = torch.cat([F.pixel_shuffle(self.grow2(x), 2), skip2], 1)
        for block in self.up2:
            x = block(x, each)
        coarse = x
        x = torch.cat([F.pixel_shuffle(self.grow1(x), 2), skip1], 1)
        for block in self.up1:
            x = block(x, each)
        return F.pixel_shuffle(self.head(x), 2).float(), x, coarse, words

    def _attend(
        self, tokens: Tensor, rays: Tensor, condition: Tensor, words: Tensor, text_mask: Tensor,
        near: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """What attention makes of tokens (B, V, 64, C), as (B*V, 64, C), and of the words."""
        batch, views, _ = condition.shape
        tokens = tokens + self.places
        seen = self.ray_tokens(rays.to(tokens)).flatten(2).transpose(1, 2)
        tokens = torch.cat([(tokens + seen.view_as(tokens)).flatten(1, 2), words], 1)
        shown = text_mask.new_ones(batch, views * 64)
        hidden = ~torch.cat([shown, text_mask], 1)[:, None, None]
        mask = torch.zeros_like(hidden, dtype=words.dtype).masked_fill(hidden, -1e4)
        for block in self.blocks:
            tokens = block(tokens, condition, mask, near)
        image = self.leave(tokens[:, : views * 64]).reshape(batch * views, 64, -1)
        return image, self.leave(tokens[:, views * 64 :])


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
