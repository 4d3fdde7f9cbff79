"""The oracle: the exact posterior mean of a known distribution of renders, as a prior.

The distribution is a mixture of worlds m_k, each with isotropic deviation s within it, so

    p(z | k) = N(alpha m_k, alpha**2 s**2 + sigma**2),
    E[x0 | z, k] = (s**2 alpha z + sigma**2 m_k) / (alpha**2 s**2 + sigma**2),

and x0_hat averages these by the posterior of k, a softmax of -|z - alpha m_k|**2 / (2 variance).

What else a condition says chooses among the worlds: known pixels are evidence without noise; an
instruction chooses as any text does, and where it says nothing the world of its source is kept.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from backend.diffusion.conversions import from_x0
from backend.diffusion.schedules import CosineSchedule, NoiseSchedule, expand_like
from backend.priors.base import (
    DEPTH,
    NORMAL,
    Capability,
    Condition,
    KnownPixels,
    Prediction,
    PriorSpec,
    TextEmbedding,
    WithoutReadings,
)
from backend.priors.pixels import BACKGROUND, CHANNELS, decode_pixels, encode_pixels, nearness
from backend.priors.worlds import Drawing, World, kit
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras


class Component(Protocol):
    """One thing that the oracle may draw; ``name`` holds the words that ask for it."""

    @property
    def name(self) -> str: ...

    def latents(
        self, cameras: Cameras | None, domain: Tensor | None = None, time: Tensor | None = None
    ) -> Tensor:
        """Its views, (views, channels, height, width); ``domain`` (views,) and ``time`` (views, 2),
        frame and strength of motion, as in :class:`Condition`."""
        ...


@dataclass(frozen=True)
class StoredViews:
    """Fixed latents (views, channels, height, width), whatever the cameras."""

    name: str
    views: Tensor

    def latents(
        self, cameras: Cameras | None, domain: Tensor | None = None, time: Tensor | None = None
    ) -> Tensor:
        """The stored ones."""
        return self.views


Path = Callable[[Tensor], Tensor]
"""Where something moves to: frames (views,) in [0, 1] -> positions (views, 3) at full strength."""


@dataclass(frozen=True)
class DrawnWorld:
    """A world of the kit, seen by the cameras that the condition names; it moves along ``path``."""

    world: World
    resolution: int = 64
    path: Path | None = None

    @property
    def name(self) -> str:
        """The world's."""
        return self.world.name

    def latents(
        self, cameras: Cameras | None, domain: Tensor | None = None, time: Tensor | None = None
    ) -> Tensor:
        """Drawn anew for these cameras."""
        if cameras is None:
            raise ValueError("an oracle of worlds wants cameras; OraclePrior.of_pictures does not")
        cameras = self._followed(cameras.resized(self.resolution, self.resolution), time)
        drawing = self.world.draw(cameras)
        alpha = torch.from_numpy(drawing.alpha).float()
        shown = torch.from_numpy(drawing.color).float()
        if domain is not None:
            shown = _in_domains(shown, drawing, cameras, domain)
        return encode_pixels(shown, alpha, self.resolution)

    def _followed(self, cameras: Cameras, time: Tensor | None) -> Cameras:
        """Cameras that see the thing at rest as these see it where it has moved."""
        if time is None or self.path is None:
            return cameras
        moved = time[:, 1:] * self.path(time[:, 0])
        c2w = cameras.c2w.clone()
        c2w[:, :3, 3] -= moved
        return replace(cameras, c2w=c2w)


def _in_domains(color: Tensor, drawing: Drawing, cameras: Cameras, domain: Tensor) -> Tensor:
    """Each view in its own domain, over the background."""
    covered = torch.from_numpy(drawing.depth > 0)
    normals = torch.from_numpy(drawing.normals).float() / 2 + 0.5
    near = nearness(torch.from_numpy(drawing.depth).float(), cameras).expand_as(color) / 2 + 0.5
    over = [torch.where(covered, shown, BACKGROUND) for shown in (normals, near)]
    chosen = domain[:, None, None, None]
    return torch.where(chosen == NORMAL, over[0], torch.where(chosen == DEPTH, over[1], color))


WITHOUT_CAMERAS: frozenset[Capability] = frozenset(
    {"text", "instruction", "inpaint", "features", "attention"}
)
WITH_CAMERAS: frozenset[Capability] = WITHOUT_CAMERAS - {"text"} | {
    "text+cameras", "views", "image+pose", "normals", "depth", "video",
}


@dataclass
class OraclePrior(WithoutReadings):
    """``deviation``: s. ``joint``: one world for all views of a set (a multi-view prior); otherwise
    every view chooses for itself (a prior of single images). A prompt chooses the components whose
    names stand in it, or all of them where none does. ``paints``: the display-encoded colors that
    words name, by which it reads attention.
    """

    components: Sequence[Component]
    deviation: float = 0.0
    joint: bool = True
    resolution: int = 64
    capabilities: frozenset[Capability] = frozenset({"text+cameras"})
    schedule: NoiseSchedule = field(default_factory=CosineSchedule)
    paints: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = ",".join(component.name for component in self.components)
        text = f"{names};{self.deviation};{self.joint};{self.resolution}"
        self.spec = PriorSpec(
            name="oracle",
            resolution=self.resolution,
            latent=(CHANNELS, self.resolution, self.resolution),
            views=0 if self.joint else 1,
            capabilities=self.capabilities,
            guidance_scale=1.0,
            distillation_scale=1.0,
            license="GPL-3.0-or-later",
            fingerprint=hashlib.sha256(text.encode()).hexdigest()[:32],
            prediction="x0",
            background=BACKGROUND,
            bounded=True,
            instruction_scales=(1.0, 1.0),
        )

    @classmethod
    def of_kit(cls, worlds: Sequence[World] | None = None, **choices: object) -> "OraclePrior":
        """Over the worlds of the kit (or others), conditioned on cameras."""
        drawn = [DrawnWorld(world) for world in worlds or kit()]
        return cls(drawn, **{"capabilities": WITH_CAMERAS, **choices})  # type: ignore[arg-type]

    @classmethod
    def of_pictures(cls, worlds: Sequence[World] | None = None, azimuths: int = 8) -> "OraclePrior":
        """Over single pictures of the worlds from all around, without cameras: what a prior of
        images knows. Names are such as "cube front view", so that a prompt may choose the view."""
        angles = torch.arange(azimuths) * (360 / azimuths)
        fov = torch.tensor(50.0)
        cameras = orbit_cameras(angles, 15.0, framing_radius(fov), fov, 64)
        pictures: list[Component] = [
            StoredViews(f"{world.name} {_view_word(float(angle))} view", views[None])
            for world in worlds or kit()
            for angle, views in zip(angles, DrawnWorld(world).latents(cameras), strict=True)
        ]
        return cls(pictures, joint=False, capabilities=WITHOUT_CAMERAS)

    def embed_text(self, prompts: list[str]) -> TextEmbedding:
        """One token a prompt: the weights of the components, (n, 1, components); blends of such
        embeddings are blends of the mixtures."""
        weights = torch.tensor([self._weights(prompt) for prompt in prompts])
        tokens = weights / weights.sum(-1, keepdim=True)
        return TextEmbedding(tokens[:, None], torch.ones(len(prompts), 1, dtype=torch.bool))

    def _weights(self, prompt: str) -> list[float]:
        """Components that share the most words with the prompt."""
        words = set(prompt.lower().replace(",", " ").split())
        shared = [len(words & set(component.name.split())) for component in self.components]
        return [float(count == max(shared)) for count in shared]

    def encode(self, images: Tensor, alpha: Tensor | None = None) -> Tensor:
        """As the pocket prior: :mod:`backend.priors.pixels`."""
        return encode_pixels(images, alpha, self.resolution)

    def decode(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """As the pocket prior."""
        return decode_pixels(latents)

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """The posterior mean; differentiable in ``noisy``."""
        alpha, sigma = (expand_like(value, noisy) for value in self.schedule.alpha_sigma(t))
        means = self._means(noisy, condition)
        posterior = self._posterior(noisy, t, condition, means).to(noisy)
        blend = (posterior[..., None, None, None] * means).sum(1)
        spread, noise = self.deviation**2, (sigma**2).clamp_min(1e-12)
        x0 = (spread * alpha * noisy + noise * blend) / (alpha**2 * spread + noise)
        if condition.given is not None:
            x0 = torch.where(expand_like(condition.given, noisy), noisy, x0)
        if condition.known is not None:
            x0 = torch.lerp(x0, condition.known.latents, condition.known.mask)
        return Prediction(*from_x0(noisy, x0, alpha, sigma))

    def features(self, images: Tensor, alpha: Tensor | None = None) -> Tensor:
        """Colors around the background's gray, and alpha: (n, 16, 16, 4), unit length."""
        planes = encode_pixels(images, alpha, 16).permute(0, 2, 3, 1)
        return torch.nn.functional.normalize(planes, dim=-1)

    def attention(
        self, images: Tensor, words: list[str], *, prompt: str | None = None,
        alpha: Tensor | None = None,
    ) -> Tensor:
        """How near each pixel's color is to what a word paints; nothing for other words."""
        planes = []
        for word in words:
            paint = torch.tensor(self.paints.get(word, (9.0, 9.0, 9.0)))
            planes.append(torch.exp(-(images - paint).square().sum(-1) / (2 * 0.1**2)))
        return torch.stack(planes, 1)

    def posterior(self, noisy: Tensor, t: Tensor, condition: Condition) -> Tensor:
        """How probable each component is, (batch, components, views), in double precision; the
        same for all views of a set where the oracle is joint."""
        return self._posterior(noisy, t, condition, self._means(noisy, condition))

    def _posterior(self, noisy: Tensor, t: Tensor, condition: Condition, means: Tensor) -> Tensor:
        alpha, sigma = self.schedule.alpha_sigma(t.double())
        distance = noisy[:, None] - expand_like(alpha, noisy)[:, None].to(noisy) * means
        variance = (alpha**2 * self.deviation**2 + sigma**2).clamp_min(1e-8)
        likelihood = -(distance.double() ** 2).flatten(3).sum(-1) / (2 * variance[:, None])
        if condition.known is not None:
            likelihood = likelihood + self._likelihood_of_known(condition.known, means)
        if self.joint:
            likelihood = likelihood.sum(-1, keepdim=True).expand_as(likelihood)
        weights = self._log_weights(condition.text, t)
        return torch.softmax(likelihood + self._kept(weights, condition, means), dim=1)

    def _likelihood_of_known(self, known: KnownPixels, means: Tensor) -> Tensor:
        distance = (known.latents[:, None] - means) * known.mask[:, None]
        return -(distance.double() ** 2).flatten(3).sum(-1) / (2 * max(self.deviation**2, 1e-4))

    def _kept(self, weights: Tensor, condition: Condition, means: Tensor) -> Tensor:
        """``weights``, but of the source's own component alone where text prefers none."""
        if condition.source is None:
            return weights
        distance = (condition.source[:, None] - means).double().square().flatten(3).sum((-1, -2))
        own = torch.nn.functional.one_hot(distance.argmin(1), distance.shape[1]).double().log()
        says_nothing = (weights == weights[:, :1]).all(1, keepdim=True)
        return torch.where(says_nothing, own[:, :, None], weights)

    def _log_weights(self, text: TextEmbedding | None, t: Tensor) -> Tensor:
        """(batch, components, views or 1): texts may be one a set or one a view."""
        if text is None:
            return torch.zeros(1, 1, 1, dtype=torch.float64)
        weights = text.tokens[:, 0].double().unflatten(0, (len(t), -1))
        return weights.clamp_min(0).log().transpose(1, 2)

    def _means(self, noisy: Tensor, condition: Condition) -> Tensor:
        """What each component would show: (batch, components, views, channels, height, width)."""
        batch, views = noisy.shape[:2]
        cameras, domain = condition.cameras, condition.domain
        domain = None if domain is None else domain.flatten()
        drawn = torch.stack(
            [component.latents(cameras, domain, _time(condition)) for component in self.components]
        )
        if cameras is None:
            drawn = drawn[None].expand(batch, -1, views, *drawn.shape[2:])
        else:
            drawn = drawn.unflatten(1, (batch, views)).transpose(0, 1)
        return drawn.to(noisy)


def _time(condition: Condition) -> Tensor | None:
    """Frames and strengths of motion (full, where none is told), (batch·views, 2)."""
    if condition.frame is None:
        return None
    motion = torch.ones_like(condition.frame) if condition.motion is None else condition.motion
    return torch.stack([condition.frame, motion], -1).flatten(0, 1)


def _view_word(azimuth_degrees: float) -> str:
    turned = abs((azimuth_degrees + 180) % 360 - 180)
    return "front" if turned <= 45 else "back" if turned >= 135 else "side"
