"""Folders of published models, as diffusers writes them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from backend.diffusion.schedules import DiscreteSchedule
from backend.priors.base import PriorSpec, TextEmbedding
from protocol.errors import InputError


@dataclass(frozen=True)
class Layout:
    """What the folder of a model holds. ``title``: what such models are called. ``parts``: folders
    that it must have; of ``either`` it has one."""

    title: str
    parts: tuple[str, ...]
    either: tuple[str, ...] = ()

    def find(self, model: str) -> Path:
        """The local folder of a model: itself, or its snapshot in the hub's cache; nothing is ever
        fetched. :class:`InputError` where it is not there, or lacks a part."""
        folder = self._find(model)
        missing = [part for part in self.parts if not (folder / part).is_dir()]
        if self.either and not any((folder / part).is_dir() for part in self.either):
            missing.append(" or ".join(self.either))
        if missing:
            raise self.unusable(model, f"it has no {', '.join(missing)}")
        return folder

    def _find(self, model: str) -> Path:
        folder = local_folder(model)
        if folder is None and _is_path(model):
            raise self.unusable(model, "there is no such folder")
        if folder is None:
            reason = "the hub's cache does not have it (huggingface-cli download fetches it)"
            raise self.unusable(model, reason)
        return folder

    def fingerprint(self, folder: Path) -> str:
        """A hash of the files of all parts, which decide a result."""
        digest = hashlib.sha256()
        for path in self._files(folder):
            digest.update(str(path.relative_to(folder)).encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:32]

    def _files(self, folder: Path) -> Iterator[Path]:
        for part in (*self.parts, *self.either):
            yield from sorted(path for path in (folder / part).rglob("*") if path.is_file())

    def unusable(self, model: str, reason: str) -> InputError:
        """What is wrong with a model."""
        wanted = [*self.parts, " or ".join(self.either)] if self.either else self.parts
        return InputError(
            "model_unusable", f"The model {model!r} cannot be used as {self.title}: {reason}.",
            f"Name a folder with {', '.join(wanted[:-1])} and {wanted[-1]}, or an id of the hub.",
        )


def local_folder(model: str) -> Path | None:
    """The folder that a model names: itself, or the snapshot of an id in the hub's cache; None
    where it is not there. Nothing is ever fetched."""
    folder = Path(model).expanduser()
    if model and folder.is_dir():
        return folder
    if _is_path(model):
        return None
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (OSError, ValueError):
        return None


def _is_path(model: str) -> bool:
    return not model or Path(model).expanduser().is_absolute() or model.startswith((".", "~"))


class AutoencoderImages:
    """Encoding and decoding of a prior whose latents are those of a ``vae``."""

    spec: PriorSpec
    vae: Any

    def encode(self, images: Tensor, alpha: Tensor | None = None) -> Tensor:
        """The mean of the VAE's posterior, scaled; ``alpha`` is not looked at."""
        planes = images.permute(0, 3, 1, 2).to(self.vae.device) * 2 - 1
        side = self.spec.resolution
        if planes.shape[-2:] != (side, side):
            planes = interpolate(planes, (side, side), mode="bilinear", antialias=True)
        latents: Tensor = self.vae.encode(planes).latent_dist.mean
        return latents * self.vae.config.scaling_factor

    def decode(self, latents: Tensor) -> tuple[Tensor, None]:
        """Images; there is no alpha."""
        planes = self.vae.decode(latents / self.vae.config.scaling_factor).sample
        return ((planes + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1), None


CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


class PictureReader(AutoencoderImages):
    """A prior that is shown a picture, which CLIP's ``image_encoder`` looks at as the ``vae``
    decodes it. ``seen``: the last latents looked at and what they gave, None at first."""

    image_encoder: Any
    seen: tuple[Tensor, Tensor] | None

    @staticmethod
    def load_readers(folder: Path) -> tuple[Any, Any, DiscreteSchedule]:
        """The VAE, the image encoder and the noise schedule of a folder; whatever diffusers raises
        where they are not there."""
        from diffusers import AutoencoderKL, DDIMScheduler
        from transformers import CLIPVisionModelWithProjection

        scheduler = DDIMScheduler.from_pretrained(folder / "scheduler")
        return (
            AutoencoderKL.from_pretrained(folder / "vae"),
            CLIPVisionModelWithProjection.from_pretrained(folder / "image_encoder"),
            DiscreteSchedule(scheduler.alphas_cumprod),
        )

    @torch.no_grad()
    def look_at(self, latents: Tensor) -> Tensor:
        """CLIP's embeddings (n, width) of pictures' latents (n, channels, height, width); looks
        once where they are all one picture, or those of last time."""
        one = latents[:1] if (latents == latents[:1]).all() else latents
        if self.seen is None or not torch.equal(self.seen[0], one):
            images = self.decode(one)[0].permute(0, 3, 1, 2)
            side = self.image_encoder.config.image_size
            planes = interpolate(images, (side, side), mode="bicubic", antialias=True)
            mean, deviation = (
                planes.new_tensor(values)[:, None, None] for values in (CLIP_MEAN, CLIP_DEVIATION)
            )
            self.seen = one, self.image_encoder((planes - mean) / deviation).image_embeds
        return self.seen[1].expand(len(latents), -1)

    def embed_text(self, prompts: list[str]) -> TextEmbedding:
        """There is no text: always :class:`InputError`."""
        raise InputError(
            "capability_missing", f"{self.spec.name!r} knows pictures, no words.",
            "Name a model for text in the model settings.",
        )


def load_weights(part: Path) -> dict[str, Tensor]:
    """The state of a folder's network in single precision, whichever way diffusers wrote it.
    Raises OSError where there is none."""
    file = part / "diffusion_pytorch_model.safetensors"
    if file.exists():
        from safetensors.torch import load_file

        state = load_file(file)
    else:
        state = torch.load(file.with_suffix(".bin"), map_location="cpu", weights_only=True)
    return {name: value.float() for name, value in state.items()}


def spec_of_reader(
    layout: Layout, model: str, folder: Path, unet: Any, vae: Any, **more: Any
) -> PriorSpec:
    """Of a prior that is shown a picture's latents beside the noisy ones; ``more``: what else its
    spec says. :class:`InputError` where the network has no room for them."""
    channels, side = vae.config.latent_channels, unet.config.sample_size
    if unet.config.in_channels != 2 * channels:
        raise layout.unusable(model, "its network does not take a picture beside noisy latents")
    return PriorSpec(
        resolution=image_side(unet, vae), latent=(channels, side, side),
        fingerprint=layout.fingerprint(folder), **more,
    )


def image_side(unet: Any, vae: Any) -> int:
    """The side of the images that a network of latents draws."""
    return int(unet.config.sample_size * 2 ** (len(vae.config.block_out_channels) - 1))
