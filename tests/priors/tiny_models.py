"""Parts of tiny random checkpoints in the layouts that diffusers writes: 8 x 8 latents of 16 x 16
pixels, words of single letters."""

import json
from pathlib import Path
from typing import Any

BLOCKS = {"block_out_channels": (8, 16), "norm_num_groups": 4, "layers_per_block": 1}
TEXT = {
    "vocab_size": 300, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    "max_position_embeddings": 12,
}


def make_unet(width: int = 16, **more: Any) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(**{
        "sample_size": 8, "in_channels": 4, "out_channels": 4, "cross_attention_dim": width,
        "attention_head_dim": 4, "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"), **BLOCKS, **more,
    })


def make_vae() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        sample_size=16, latent_channels=4, down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, scaling_factor=0.18215, **BLOCKS,
    )


def make_text_encoder(width: int = 16) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(CLIPTextConfig(hidden_size=width, **TEXT))


def make_picture_encoder(width: int) -> Any:
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    return CLIPVisionModelWithProjection(CLIPVisionConfig(
        hidden_size=width, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        projection_dim=width, image_size=28, patch_size=14,
    ))


def make_scheduler(**more: Any) -> Any:
    """Stable Diffusion's noise."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(**{
        "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
        "clip_sample": False, "steps_offset": 1, **more,
    })


def write_tokenizer(folder: Path) -> Any:
    """CLIP's tokenizer with single letters as its only words."""
    from transformers import CLIPTokenizer

    folder.mkdir(parents=True)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), ",</w>"]
    words += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=12
    )


def write_stable_diffusion(
    folder: Path, prediction: str = "epsilon", seed: int = 0,
    pipeline: str = "StableDiffusionPipeline", channels: int = 4,
) -> Path:
    """A pipeline of a few thousand weights."""
    import diffusers
    import torch

    torch.manual_seed(seed)
    getattr(diffusers, pipeline)(
        unet=make_unet(in_channels=channels), vae=make_vae(), text_encoder=make_text_encoder(),
        tokenizer=write_tokenizer(folder / "words"),
        scheduler=make_scheduler(prediction_type=prediction),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder / "model")
    return folder / "model"
