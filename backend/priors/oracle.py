"""The oracle: the exact posterior mean of a known distribution of renders, as a prior.

The distribution is a mixture of worlds m_k, each with isotropic deviation s within it, so

    p(z | k) = N(alpha m_k, alpha**2 s**2 + sigma**2),
    E[x0 | z, k] = (s**2 alpha z + sigma**2 m_k) / (alpha**2 s**2 + sigma**2),

and x0_hat averages these by the posterior of k, a softmax of -|z - alpha m_k|**2 / (2 variance).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from backend.diffusion.conversions import from_x0
from backend.diffusion.schedules import CosineSchedule, NoiseSchedule, expand_like
from backend.priors.base import Capability, Condition, Prediction, PriorSpec, TextEmbedding
from backend.priors.pixels import BACKGROUND, CHANNELS, decode_pixels, encode_pixels
from backend.priors.worlds import World, kit
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras


class Component(Protocol):
    """One thing that the oracle may draw; ``name`` holds the words that ask for it."""

    @property
    def name(self) -> str: ...

    def latents(self, cameras: Cameras | None) -> Tensor:
        """Its views, (views, channels, height, width)."""
        ...


@dataclass(frozen=True)
class StoredViews:
    """Fixed latents (views, channels, height, width), whatever the cameras."""

    name: str
    views: Tensor

    def latents(self, cameras: Cameras | None) -> Tensor:
        """The stored ones."""
        return self.views


@dataclass(frozen=True)
class DrawnWorld:
    """A world of the kit, seen by the cameras that the condition names."""

    world: World
    resolution: int = 64

    @property
    def name(self) -> str:
        """The world's."""
        return self.world.name

    def latents(self, cameras: Cameras | None) -> Tensor:
        """Drawn anew for these cameras."""
        if cameras is None:
            raise ValueError("an oracle of worlds wants cameras; OraclePrior.of_pictures does not")
        drawing = self.world.draw(cameras.resized(self.resolution, self.resolution))
        color, alpha = (torch.from_numpy(image).float() for image in (drawing.color, drawing.alpha))
        return encode_pixels(color, alpha, self.resolution)


@dataclass
class OraclePrior:
    """``deviation``: s. ``joint``: one world for all views of a set (a multi-view prior); otherwise
    every view chooses for itself (a prior of single images). A prompt chooses the components whose
    names stand in it, or all of them where none does.
    """

    components: Sequence[Component]
    deviation: float = 0.0
    joint: bool = True
    resolution: int = 64
    capability: Capability = "text+cameras"
    schedule: NoiseSchedule = field(default_factory=CosineSchedule)

    def __post_init__(self) -> None:
        names = ",".join(component.name for component in self.components)
        text = f"{names};{self.deviation};{self.joint};{self.resolution}"
        self.spec = PriorSpec(
            name="oracle",
            resolution=self.resolution,
            latent=(CHANNELS, self.resolution, self.resolution),
            views=0 if self.joint else 1,
            capabilities=frozenset({self.capability}),
            guidance_scale=1.0,
            license="GPL-3.0-or-later",
            fingerprint=hashlib.sha256(text.encode()).hexdigest()[:32],
            prediction="x0",
            background=BACKGROUND,
            bounded=True,
        )

    @classmethod
    def of_kit(cls, worlds: Sequence[World] | None = None, **choices: object) -> "OraclePrior":
        """Over the worlds of the kit (or others), conditioned on cameras."""
        return cls([DrawnWorld(world) for world in worlds or kit()], **choices)  # type: ignore[arg-type]

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
        return cls(pictures, joint=False, capability="text")

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
        means = self._means(noisy, condition.cameras)
        posterior = self._posterior(noisy, t, condition.text, means).to(noisy)
        blend = (posterior[..., None, None, None] * means).sum(1)
        spread, noise = self.deviation**2, (sigma**2).clamp_min(1e-12)
        x0 = (spread * alpha * noisy + noise * blend) / (alpha**2 * spread + noise)
        if condition.given is not None:
            x0 = torch.where(expand_like(condition.given, noisy), noisy, x0)
        return Prediction(*from_x0(noisy, x0, alpha, sigma))

    def posterior(self, noisy: Tensor, t: Tensor, condition: Condition) -> Tensor:
        """How probable each component is, (batch, components, views), in double precision; the
        same for all views of a set where the oracle is joint."""
        means = self._means(noisy, condition.cameras)
        return self._posterior(noisy, t, condition.text, means)

    def _posterior(
        self, noisy: Tensor, t: Tensor, text: TextEmbedding | None, means: Tensor
    ) -> Tensor:
        alpha, sigma = self.schedule.alpha_sigma(t.double())
        distance = noisy[:, None] - expand_like(alpha, noisy)[:, None].to(noisy) * means
        variance = (alpha**2 * self.deviation**2 + sigma**2).clamp_min(1e-8)
        likelihood = -(distance.double() ** 2).flatten(3).sum(-1) / (2 * variance[:, None])
        if self.joint:
            likelihood = likelihood.sum(-1, keepdim=True).expand_as(likelihood)
        return torch.softmax(likelihood + self._log_weights(text, t), dim=1)

    def _log_weights(self, text: TextEmbedding | None, t: Tensor) -> Tensor:
        """(batch, components, views or 1): texts may be one a set or one a view."""
        if text is None:
            return torch.zeros(1, 1, 1, dtype=torch.float64)
        weights = text.tokens[:, 0].double().unflatten(0, (len(t), -1))
        return weights.clamp_min(0).log().transpose(1, 2)

    def _means(self, noisy: Tensor, cameras: Cameras | None) -> Tensor:
        """What each component would show: (batch, components, views, channels, height, width)."""
        batch, views = noisy.shape[:2]
        drawn = torch.stack([component.latents(cameras) for component in self.components])
        if cameras is None:
            drawn = drawn[None].expand(batch, -1, views, *drawn.shape[2:])
        else:
            drawn = drawn.unflatten(1, (batch, views)).transpose(0, 1)
        return drawn.to(noisy)


def _view_word(azimuth_degrees: float) -> str:
    turned = abs((azimuth_degrees + 180) % 360 - 180)
    return "front" if turned <= 45 else "back" if turned >= 135 else "side"
