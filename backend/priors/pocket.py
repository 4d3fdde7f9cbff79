"""The pocket prior behind the common interface: pixels in, any number of views, text, cameras."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import get_args

import torch
from torch import Tensor

from backend.diffusion.conversions import from_x0
from backend.diffusion.schedules import CosineSchedule, NoiseSchedule, expand_like
from backend.pocket.network import PocketNetwork, ray_map
from backend.pocket.text import ENCODER_SHA256, MAX_TOKENS, embed_text
from backend.pocket.weights import LICENSE, Description, describe_network, load_network
from backend.priors.base import (
    Capability,
    Condition,
    Prediction,
    PriorSpec,
    TextEmbedding,
    WithoutReadings,
)
from backend.priors.embedding_cache import EmbeddingCache
from backend.priors.pixels import BACKGROUND, CHANNELS, decode_pixels, encode_pixels
from backend.rendering.cameras import Cameras

RESOLUTION = 64
GUIDANCE_SCALE = 3.0


@dataclass
class PocketPrior(WithoutReadings):
    """The prior that ships: 64 x 64 RGBA pixels, x0-prediction, cosine schedule.

    With ``Condition.cameras`` it draws those views jointly, without them views of its choosing;
    ``Condition.given`` views are taken as they are. One text a set. ``half``: evaluate in bfloat16
    where that is fast and nobody differentiates.
    """

    network: PocketNetwork
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    half: bool = True
    said: Description = field(default_factory=lambda: Description({}))
    schedule: NoiseSchedule = field(default_factory=CosineSchedule)

    def __post_init__(self) -> None:
        self.network = self.network.to(self.device).eval()
        self.spec = PriorSpec(
            name="pocket",
            resolution=RESOLUTION,
            latent=(CHANNELS, RESOLUTION, RESOLUTION),
            views=0,
            capabilities=_known(self.said.capabilities),
            guidance_scale=GUIDANCE_SCALE,
            license=LICENSE,
            fingerprint=weights_hash(self.network),
            prediction="x0",
            background=BACKGROUND,
            bounded=True,
            vocabulary=self.said.vocabulary,
        )
        self._embeddings = EmbeddingCache(f"{ENCODER_SHA256} {MAX_TOKENS}")

    @classmethod
    def load(cls, device: torch.device, *, half: bool = True) -> "PocketPrior":
        """With the weights that ship."""
        return cls(load_network(), device, half, describe_network())

    def embed_text(self, prompts: list[str]) -> TextEmbedding:
        """Token embeddings of the small sentence encoder; the empty prompt is unconditional."""
        found = self._embeddings.embed(prompts, lambda prompt: TextEmbedding(*embed_text([prompt])))
        return TextEmbedding(found.tokens.to(self.device), found.mask.to(self.device))

    def encode(self, images: Tensor, alpha: Tensor | None = None) -> Tensor:
        """Pixels over mid-gray and alpha, resized, in [-1, 1]: see :mod:`backend.priors.pixels`."""
        return encode_pixels(images, alpha, RESOLUTION)

    def decode(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Images over mid-gray, and alpha."""
        return decode_pixels(latents)

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One evaluation of all views of all sets together."""
        text = condition.text or self.embed_text([""]).repeat(len(noisy))
        if len(text) != len(noisy):
            raise ValueError(f"one text a set is wanted, not {len(text)} for {len(noisy)} sets")
        given = condition.given
        known = torch.full(t.shape, condition.alpha_known, device=t.device)
        # Half precision is what it was trained in; a caller that differentiates gets all digits.
        half = self.half and not torch.is_grad_enabled() and has_bfloat16(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            x0 = self.network(
                noisy, t, rays=_rays(condition.cameras, t), text=text.tokens, text_mask=text.mask,
                role=torch.zeros_like(t, dtype=torch.long) if given is None else given.long(),
                domain=torch.zeros_like(t, dtype=torch.long), alpha_known=known,
            ).float()
        if given is not None:
            x0 = torch.where(expand_like(given, noisy), noisy, x0)
        alpha, sigma = (expand_like(value, noisy) for value in self.schedule.alpha_sigma(t))
        return Prediction(*from_x0(noisy, x0, alpha, sigma))


def _known(names: Iterable[str]) -> frozenset[Capability]:
    """Those of the names that are capabilities to this version."""
    return frozenset(name for name in get_args(Capability) if name in set(names))


def _rays(cameras: Cameras | None, t: Tensor) -> Tensor | None:
    return None if cameras is None else ray_map(cameras).unflatten(0, t.shape).to(t.device)


def has_bfloat16(device: torch.device) -> bool:
    """Whether products in bfloat16 are faster there than in float32, rather than emulated."""
    if device.type == "cpu":
        found = torch.cpu.get_capabilities()
        return bool(found.get("amx_bf16") or found.get("avx512_bf16"))
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def weights_hash(network: torch.nn.Module) -> str:
    """A hash of all parameters and buffers, by name."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:32]
