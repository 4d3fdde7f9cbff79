"""Stable Diffusion 1.x and 2.x (Rombach et al., arXiv 2112.10752) from a folder that diffusers
wrote, or an id of the hub: text, latents, eps or v as the scheduler's config says."""

import hashlib
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from backend.diffusion.conversions import from_eps, from_v
from backend.diffusion.schedules import DiscreteSchedule, expand_like
from backend.priors.base import (
    Condition,
    Prediction,
    PriorSpec,
    TextEmbedding,
    WithoutReadings,
)
from backend.priors.embedding_cache import EmbeddingCache
from protocol.errors import InputError

PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
# Sampling wants 7.5, DreamFusion on Stable Diffusion about 100 (threestudio).
GUIDANCE_SCALE = 7.5
DISTILLATION_SCALE = 100.0


@dataclass
class StableDiffusionPrior(WithoutReadings):
    """``unet``, ``vae``, ``text_encoder``, ``tokenizer``: those of the pipeline. Each view is seen
    alone; texts may be one a set or one a view. The VAE runs in float32 (it overflows in half)."""

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
    def load(cls, model: str, device: torch.device) -> "StableDiffusionPrior":
        """From a folder or an id of the hub; half precision on CUDA. :class:`InputError` where it
        is not there or no Stable Diffusion."""
        folder = find_folder(model)
        if missing := [part for part in PARTS if not (folder / part).is_dir()]:
            raise _unusable(model, f"it has no {', '.join(missing)}")
        from diffusers import StableDiffusionPipeline

        dtype = torch.float16 if device.type == "cuda" else torch.float32
        try:
            pipeline = StableDiffusionPipeline.from_pretrained(
                folder, dtype=dtype, safety_checker=None, requires_safety_checker=False,
                local_files_only=True,
            )
        except (OSError, ValueError, TypeError) as error:
            raise _unusable(model, str(error).splitlines()[0]) from error
        networks = {"unet": pipeline.unet, "vae": pipeline.vae.float(),
                    "text_encoder": pipeline.text_encoder}
        for network in networks.values():
            network.to(device).eval().requires_grad_(False)
        return cls(
            spec=_spec(model, pipeline, fingerprint(folder)),
            schedule=DiscreteSchedule(pipeline.scheduler.alphas_cumprod),
            tokenizer=pipeline.tokenizer, device=device, **networks,
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

    def encode(self, images: Tensor, alpha: Tensor | None = None) -> Tensor:
        """The mean of the VAE's posterior, scaled; ``alpha`` is not looked at."""
        planes = images.permute(0, 3, 1, 2).to(self.device) * 2 - 1
        side = self.spec.resolution
        if planes.shape[-2:] != (side, side):
            planes = interpolate(planes, (side, side), mode="bilinear", antialias=True)
        return self.vae.encode(planes).latent_dist.mean * self.vae.config.scaling_factor

    def decode(self, latents: Tensor) -> tuple[Tensor, None]:
        """Images; there is no alpha."""
        planes = self.vae.decode(latents / self.vae.config.scaling_factor).sample
        return ((planes + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1), None

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """One evaluation of each view alone."""
        text = condition.text or self.embed_text([""]).repeat(len(noisy))
        tokens = text.tokens.repeat_interleave(t.numel() // len(text), 0)
        dtype = self.unet.dtype
        output = self.unet(
            noisy.flatten(0, 1).to(dtype), self.schedule.index(t.flatten()),
            encoder_hidden_states=tokens.to(dtype),
        ).sample.float().view_as(noisy)
        alpha, sigma = (expand_like(value, noisy) for value in self.schedule.alpha_sigma(t))
        convert = from_v if self.spec.prediction == "v" else from_eps
        return Prediction(*convert(noisy, output, alpha, sigma))


def find_folder(model: str) -> Path:
    """The local folder of a model: itself, or its snapshot in the hub's cache, which is fetched
    where it is missing."""
    folder = Path(model).expanduser()
    if model and folder.is_dir():
        return folder
    if not model or folder.is_absolute() or model.startswith((".", "~")):
        raise _unusable(model, "there is no such folder")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    patterns = ["*.json", "*.txt", *(f"{part}/*.safetensors" for part in PARTS)]
    try:
        return Path(snapshot_download(model, allow_patterns=patterns))
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise _unusable(model, str(error).splitlines()[0]) from error


def fingerprint(folder: Path) -> str:
    """A hash of the files of all parts that decide a result."""
    digest = hashlib.sha256()
    for path in _files(folder):
        digest.update(str(path.relative_to(folder)).encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:32]


def _files(folder: Path) -> Iterator[Path]:
    for part in PARTS:
        yield from sorted(path for path in (folder / part).rglob("*") if path.is_file())


def _spec(model: str, pipeline: Any, fingerprint: str) -> PriorSpec:
    kind = pipeline.scheduler.config.prediction_type
    if kind not in ("epsilon", "v_prediction"):
        raise _unusable(model, f"its scheduler predicts {kind!r}, not noise or v")
    channels, side = pipeline.unet.config.in_channels, pipeline.unet.config.sample_size
    if channels != pipeline.vae.config.latent_channels:
        raise _unusable(model, "its network wants more than noisy latents (an inpainting model?)")
    return PriorSpec(
        name=f"stable-diffusion {Path(model).name}",
        resolution=side * 2 ** (len(pipeline.vae.config.block_out_channels) - 1),
        latent=(channels, side, side),
        views=1,
        capabilities=frozenset({"text"}),
        guidance_scale=GUIDANCE_SCALE,
        distillation_scale=DISTILLATION_SCALE,
        license="see the model's card (CreativeML OpenRAIL-M for Stable Diffusion 1.x)",
        fingerprint=fingerprint,
        prediction="v" if kind == "v_prediction" else "eps",
    )


def _unusable(model: str, reason: str) -> InputError:
    return InputError(
        "model_unusable",
        f"The model {model!r} cannot be used as Stable Diffusion: {reason}.",
        "Name a folder with unet, vae, text_encoder, tokenizer and scheduler, or an id of the hub.",
    )
