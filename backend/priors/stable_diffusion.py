"""Stable Diffusion 1.x and 2.x (Rombach et al., arXiv 2112.10752) from a folder that diffusers
wrote, or an id of the hub: text, latents, eps or v as the scheduler's config says."""

from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from backend.diffusion.conversions import from_eps, from_v
from backend.diffusion.schedules import DiscreteSchedule, expand_like
from backend.priors.base import (
    Capability,
    Condition,
    Prediction,
    PriorSpec,
    TextEmbedding,
    WithoutReadings,
)
from backend.priors.checkpoints import AutoencoderImages, Layout, image_side
from backend.priors.embedding_cache import EmbeddingCache

PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
CHANNELS = "4: text to picture; 8: an instruction editor; 9: an inpainting model"


@dataclass
class StableDiffusionPrior(AutoencoderImages, WithoutReadings):
    """``unet``, ``vae``, ``text_encoder``, ``tokenizer``: those of the pipeline. Each view is seen
    alone; texts may be one a set or one a view. The VAE runs in float32 (it overflows in half).

    Models that are fine-tuned from it and see more than noisy latents are subclasses: their
    ``layout``, the ``pipeline`` of diffusers that loads them, what they are ``called`` and answer
    (``capability``), their ``license``, how many ``views`` they draw together, what stands
    :meth:`beside` the noisy latents, and what else they are :meth:`told`.
    """

    layout: ClassVar[Layout] = Layout("Stable Diffusion", PARTS)
    pipeline: ClassVar[str] = "StableDiffusionPipeline"
    called: ClassVar[str] = "stable-diffusion"
    capability: ClassVar[Capability] = "text"
    license: ClassVar[str] = "CreativeML OpenRAIL-M for Stable Diffusion 1.x"
    views: ClassVar[int] = 1
    # Sampling wants 7.5, DreamFusion on Stable Diffusion about 100 (threestudio).
    guidance_scale: ClassVar[float] = 7.5
    distillation_scale: ClassVar[float] = 100.0

    spec: PriorSpec
    schedule: DiscreteSchedule
    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    device: torch.device

    def __post_init__(self) -> None:
        self._embeddings = EmbeddingCache(self.spec.fingerprint)

    @classmethod
    def load(cls, model: str, device: torch.device) -> Self:
        """From a folder or an id of the hub; half precision on CUDA. :class:`InputError` where it
        is not there or is another kind of model."""
        folder = cls.layout.find(model)
        dtype = torch.float16 if device.type == "cuda" else torch.float32
        try:
            pipeline = cls._load_parts(folder, dtype)
        except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            raise cls.layout.unusable(model, str(error).splitlines()[0]) from error
        networks = {"unet": pipeline.unet, "vae": pipeline.vae.float(),
                    "text_encoder": pipeline.text_encoder}
        for network in networks.values():
            network.to(device).eval().requires_grad_(False)
        return cls(
            spec=cls._describe(model, pipeline, cls.layout.fingerprint(folder)),
            schedule=DiscreteSchedule(pipeline.scheduler.alphas_cumprod),
            tokenizer=pipeline.tokenizer, device=device, **networks,
        )

    @classmethod
    def _load_parts(cls, folder: Path, dtype: torch.dtype) -> Any:
        """What has ``unet``, ``vae``, ``text_encoder``, ``tokenizer`` and ``scheduler``."""
        import diffusers

        return getattr(diffusers, cls.pipeline).from_pretrained(
            folder, dtype=dtype, safety_checker=None, requires_safety_checker=False,
            local_files_only=True,
        )

    @property
    def network(self) -> nn.Module:
        """The U-Net."""
        return self.unet

    def with_network(self, network: nn.Module, spec: PriorSpec) -> "StableDiffusionPrior":
        """See :class:`backend.priors.base.NetworkPrior`."""
        twin = copy(self)
        twin.unet, twin.spec = network, spec
        return twin

    def embed_text(self, prompts: list[str]) -> TextEmbedding:
        """CLIP's token embeddings, all positions (padding counts, as in training)."""
        found = self._embeddings.embed(prompts, self._embed_one)
        return TextEmbedding(found.tokens.to(self.device), found.mask.to(self.device))

    @torch.no_grad()
    def _embed_one(self, prompt: str) -> TextEmbedding:
        ids = self.tokenizer(
            prompt, padding="max_length", truncation=True, return_tensors="pt",
            max_length=self.tokenizer.model_max_length,
        ).input_ids
        tokens = self.text_encoder(ids.to(self.device))[0].float()
        return TextEmbedding(tokens, torch.ones(tokens.shape[:2], dtype=torch.bool))

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One evaluation of all views."""
        text = condition.text or self.embed_text([""]).repeat(len(noisy))
        tokens = text.tokens.repeat_interleave(t.numel() // len(text), 0)
        dtype = self.unet.dtype
        seen = torch.cat([noisy, *self.beside(noisy, condition)], 2)
        output = self.unet(
            seen.flatten(0, 1).to(dtype), self.schedule.index(t.flatten()),
            encoder_hidden_states=tokens.to(dtype), **self.told(t, condition),
        ).sample.float().view_as(noisy)
        alpha, sigma = (expand_like(value, noisy) for value in self.schedule.alpha_sigma(t))
        convert = from_v if self.spec.prediction == "v" else from_eps
        return Prediction(*convert(noisy, output, alpha, sigma))

    def beside(self, noisy: Tensor, condition: Condition) -> list[Tensor]:
        """What the network sees beside ``noisy``, (batch, views, channels, height, width) each:
        nothing."""
        return []

    def told(self, t: Tensor, condition: Condition) -> dict[str, Any]:
        """What else the network is called with, of views with noise levels ``t`` (batch, views):
        nothing."""
        return {}

    @classmethod
    def more_channels(cls, latent: int) -> int:
        """How many channels :meth:`beside` has, by those of the latents."""
        return 0

    @classmethod
    def _describe(cls, model: str, pipeline: Any, fingerprint: str) -> PriorSpec:
        kind = pipeline.scheduler.config.prediction_type
        if kind not in ("epsilon", "v_prediction"):
            raise cls.layout.unusable(model, f"its scheduler predicts {kind!r}, not noise or v")
        side, channels = pipeline.unet.config.sample_size, pipeline.vae.config.latent_channels
        found, wanted = pipeline.unet.config.in_channels, channels + cls.more_channels(channels)
        if found != wanted:
            reason = f"its network sees {found} channels, not {wanted} ({CHANNELS})"
            raise cls.layout.unusable(model, reason)
        return PriorSpec(
            name=f"{cls.called} {Path(model).name}",
            resolution=image_side(pipeline.unet, pipeline.vae),
            latent=(channels, side, side),
            views=cls.views,
            capabilities=frozenset({cls.capability}),
            guidance_scale=cls.guidance_scale,
            distillation_scale=cls.distillation_scale,
            license=f"see the model's card ({cls.license})",
            fingerprint=fingerprint,
            prediction="v" if kind == "v_prediction" else "eps",
        )
