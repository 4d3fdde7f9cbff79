"""A batch as the network reads it, with noise levels and dropped words, and what it is to learn."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.diffusion.schedules import CosineSchedule, expand_like
from backend.pocket.data import Batch
from backend.pocket.network import GIVEN, MASKED, PocketNetwork, ray_map
from backend.pocket.precision import half_precision
from backend.pocket.reprojection import reprojected
from backend.pocket.text import embed_text, tokens_of
from backend.rendering.cameras import Cameras

SCHEDULE = CosineSchedule()
READ = ("labeled", "matched")
"""Kinds of examples that are read at low noise."""
TEXT_MULTIPLE = 16
"""Words come in few lengths, so that a compiled network is compiled seldom."""
MATCH_PIXELS = 64
MATCH_SPREAD = 0.15
MATCH_TEMPERATURE = 0.07


@dataclass(frozen=True)
class Levels:
    """How noise is drawn, and what is dropped.

    `single`, `joint`: mean and deviation of logit-normal noise levels; `high_share` of the sets
    draw theirs from the last `high_range` before t = 1 instead, the denser the nearer to 1. There,
    where the picture says nothing, text, rays and given views must decide; shapes stay arbitrary
    without this, and colors are those of the noise: the mean color of an object still shows
    through at t = 0.97.
    """

    single: tuple[float, float] = (1.2, 1.3)
    joint: tuple[float, float] = (1.4, 1.3)
    high_share: float = 0.5
    high_range: float = 0.15
    text_dropped: float = 0.1
    lambda_words: float = 0.1
    lambda_places: float = 0.02


@dataclass
class Example:
    """All inputs of the network, and what its readings are compared with."""

    clean: Tensor
    t: Tensor
    noise: Tensor
    inputs: dict[str, Tensor]
    batch: Batch
    levels: Levels

    @property
    def given(self) -> Tensor:
        """Which views are clean, (B, V)."""
        return self.inputs["role"] == GIVEN

    @property
    def noisy(self) -> Tensor:
        """The views at their noise levels."""
        alpha, sigma = (expand_like(c, self.clean) for c in SCHEDULE.alpha_sigma(self.t))
        return alpha * self.clean + sigma * self.noise

    def loss(self, network: PocketNetwork, limit: float, bf16: bool = True) -> Tensor:
        """The loss of the views, and of the readings where the batch teaches any."""
        if self.batch.name not in READ:
            return self.loss_of_views(network, limit, bf16)
        with half_precision(enabled=bf16):
            reading = network.read(self.noisy, self.t, **self.inputs)
        loss = self._error(reading.x0, limit)
        if self.batch.name == "labeled":
            return loss + self.levels.lambda_words * loss_words(reading.words, self.batch)
        return loss + self.levels.lambda_places * loss_places(reading.places, self.batch)

    @property
    def asked(self) -> Tensor:
        """Which pixels are, (B, V, 1, 64, 64): known ones are put back into whatever is drawn."""
        masked = expand_like(self.inputs["role"] == MASKED, self.clean)
        return torch.where(masked, 1 - self.inputs["known"][:, :, 4:], 1.0)

    def loss_of_views(self, network: nn.Module, limit: float, bf16: bool = True) -> Tensor:
        """Squared error of x0 over what is asked of the wanted views, weighted by 1 / sigma^2 up to
        `limit`."""
        with half_precision(enabled=bf16):
            predicted = network(self.noisy, self.t, **self.inputs)
        return self._error(predicted, limit)

    def _error(self, predicted: Tensor, limit: float) -> Tensor:
        sigma = SCHEDULE.alpha_sigma(self.t)[1]
        asked, error = self.asked, (predicted.float() - self.clean).square()
        error = (error * asked).mean((2, 3, 4)) / asked.mean((2, 3, 4)).clamp_min(1e-3)
        wanted = (~self.given).float()
        weight = wanted / sigma.square().clamp_min(1 / limit)
        return (weight * error).sum() / wanted.sum().clamp_min(1)


def make_example(batch: Batch, seed: int, levels: Levels) -> Example:
    """Noise levels, noise and dropped words, drawn from `seed`."""
    g = torch.Generator().manual_seed(seed)
    t = _draw_levels(batch, levels, g)
    dropped = torch.rand(len(batch.captions), generator=g) < levels.text_dropped
    words = [
        "" if drop and not keep else caption
        for caption, keep, drop in zip(
            batch.captions, batch.keep_words, dropped.tolist(), strict=True
        )
    ]
    clean = torch.from_numpy(batch.images)
    inputs = _inputs(batch, words)
    if batch.known is None:
        inputs["known"] = _guessed(batch, clean, inputs["role"] == GIVEN)
    t = torch.where(inputs["role"] == GIVEN, 0.0, t)
    return Example(clean, t, torch.randn(clean.shape, generator=g), inputs, batch, levels)


def _draw_levels(batch: Batch, levels: Levels, g: torch.Generator) -> Tensor:
    sets, views = batch.role.shape
    mean, deviation = levels.single if views == 1 else levels.joint
    level = torch.sigmoid(mean + deviation * torch.randn(sets, 1, generator=g))
    highest = 1 - levels.high_range * torch.rand(sets, 1, generator=g).square()
    high = torch.rand(sets, 1, generator=g) < levels.high_share
    level = torch.where(high, highest, level)
    if batch.name in READ:
        low = 0.5 * torch.rand(sets, 1, generator=g)
        level = torch.where(high, 0.0, low)
    return level.expand(sets, views)


def _inputs(batch: Batch, words: list[str]) -> dict[str, Tensor]:
    text, text_mask = embed_text(words, TEXT_MULTIPLE)
    camera_known = torch.from_numpy(batch.camera_known)[:, None]
    inputs = {
        "rays": batch_rays(batch) * camera_known[..., None, None, None],
        "text": text, "text_mask": text_mask,
        "camera_known": camera_known.expand(batch.role.shape),
        "role": torch.from_numpy(batch.role), "domain": torch.from_numpy(batch.domain),
        "alpha_known": torch.from_numpy(batch.alpha_known),
    }
    more = {"known": batch.known, "frame": batch.frame, "motion": batch.motion}
    return inputs | {n: torch.from_numpy(value) for n, value in more.items() if value is not None}


def _guessed(batch: Batch, clean: Tensor, given: Tensor) -> Tensor:
    """What wanted views may show, where a view is given and cameras are known."""
    given = given & torch.from_numpy(batch.camera_known)[:, None]
    return reprojected(clean, given, batch_cameras(batch))


def batch_cameras(batch: Batch) -> Cameras:
    """Those of all views, set after set."""
    return Cameras(
        torch.from_numpy(batch.c2w).flatten(0, 1), torch.from_numpy(batch.fov_degrees).flatten(),
        64, 64, torch.from_numpy(batch.ortho_height).flatten(),
    )


def batch_rays(batch: Batch) -> Tensor:
    """Ray maps of all views, (B, V, 6, 32, 32)."""
    return ray_map(batch_cameras(batch)).unflatten(0, batch.fov_degrees.shape)


def loss_words(logits: Tensor, batch: Batch) -> Tensor:
    """Of token logits (B, 1, L, 32, 32) against where the words are seen: cross-entropy, and what
    is missing to a perfect overlap (Jaccard, made smooth), over all tokens of all words."""
    chosen, masks = [], []
    for row, (caption, spans, shown) in enumerate(
        zip(batch.captions, batch.spans, batch.shown, strict=True)
    ):
        for span, mask in zip(spans, torch.from_numpy(shown), strict=True):
            for token in tokens_of(caption, span):
                chosen.append(logits[row, :, token])
                masks.append(mask)
    wanted, found = torch.stack(masks), torch.stack(chosen)
    entropy = F.binary_cross_entropy_with_logits(found, wanted)
    share = found.sigmoid()
    both = (share * wanted).sum((1, 2, 3))
    either = (share + wanted - share * wanted).sum((1, 2, 3))
    return entropy + (1 - (both + 1) / (either + 1)).mean()


def loss_places(features: Tensor, batch: Batch) -> Tensor:
    """Of unit vectors (B, 1, 32, 32, C) of pairs of things, rows 2 i and 2 i + 1: the places of one
    find those of the other that lie on the same part and near in the object's own coordinates, by
    the cross-entropy of a softmax over all its pixels (as InfoNCE, with soft targets)."""
    assert batch.places is not None
    places = torch.from_numpy(batch.places)[:, 0].flatten(1, 2)
    vectors = features[:, 0].flatten(1, 2)
    losses = [
        loss
        for row in range(0, len(places), 2)
        for loss in _pair_losses(places[row : row + 2], vectors[row : row + 2])
    ]
    return torch.stack(losses).mean() if losses else features.sum() * 0


def _pair_losses(places: Tensor, vectors: Tensor) -> list[Tensor]:
    """Both ways of a pair, (2, pixels, ...); nothing where they share no part."""
    losses = []
    for own, other in ((0, 1), (1, 0)):
        there = places[other, :, 3] >= 0
        shared = torch.isin(places[own, :, 3], places[other, there, 3]) & (places[own, :, 3] >= 0)
        index = shared.nonzero()[:, 0]
        if not len(index):
            continue
        index = index[:: max(1, len(index) // MATCH_PIXELS)]
        a, b = places[own, index], places[other, there]
        apart = torch.cdist(a[:, :3], b[:, :3]).square() / (2 * MATCH_SPREAD**2)
        target = (-apart).masked_fill(a[:, 3:] != b[None, :, 3], -1e9).softmax(1)
        logits = vectors[own, index] @ vectors[other, there].T / MATCH_TEMPERATURE
        losses.append(F.cross_entropy(logits, target))
    return losses
