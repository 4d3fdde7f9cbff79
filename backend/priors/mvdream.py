"""MVDream (Shi et al., arXiv 2308.16512) from a folder in the layout of
``ashawkey/mvdream-sd2.1-diffusers``, or an id of the hub: text and cameras, four views at once.

The network is Stable Diffusion 2.1's whose self-attention runs over all views of a set (section
3.1), with each view's camera as a second embedding beside that of time. Its folder is a diffusers
pipeline but for the network, which keeps the names and the config of the first Stable Diffusion.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor

from backend.priors.base import Capability, Condition
from backend.priors.checkpoints import Layout, load_weights
from backend.priors.joint_attention import attend_jointly
from backend.priors.stable_diffusion import PARTS, StableDiffusionPrior
from backend.rendering.cameras import Cameras

CAMERA_NUMBERS = 16
QUARTER_TURN = ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
"""From our world, whose objects face -y, to that of its training, where they face +x."""


class MVDreamPrior(StableDiffusionPrior):
    """Answers ``text+cameras``; trained on four views 90 degrees apart at one elevation, 0 to 30
    degrees, and used to prompts that end in ", 3d asset"."""

    layout: ClassVar[Layout] = Layout("MVDream", PARTS)
    called: ClassVar[str] = "mvdream"
    capability: ClassVar[Capability] = "text+cameras"
    license: ClassVar[str] = "OpenRAIL for MVDream"
    views: ClassVar[int] = 4
    distillation_scale: ClassVar[float] = 50.0

    @classmethod
    def _load_parts(cls, folder: Path, dtype: torch.dtype) -> Any:
        from diffusers import AutoencoderKL, DDIMScheduler
        from transformers import CLIPTextModel, CLIPTokenizer

        return SimpleNamespace(
            unet=load_network(folder / "unet").to(dtype),
            vae=AutoencoderKL.from_pretrained(folder / "vae"),
            text_encoder=CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=dtype),
            tokenizer=CLIPTokenizer.from_pretrained(folder / "tokenizer"),
            scheduler=DDIMScheduler.from_pretrained(folder / "scheduler"),
        )

    def told(self, t: Tensor, condition: Condition) -> dict[str, Any]:
        """The cameras, and how many views see each other."""
        if condition.cameras is None:
            raise ValueError("MVDream wants to know where its views stand")
        poses = camera_numbers(condition.cameras).to(self.device, self.unet.dtype)
        return {"class_labels": poses, "cross_attention_kwargs": {"views": t.shape[1]}}


def camera_numbers(cameras: Cameras) -> Tensor:
    """(views, 16): each camera-to-world matrix, row after row, from a distance of 1."""
    turn = torch.eye(4, device=cameras.c2w.device)
    turn[:3, :3] = torch.tensor(QUARTER_TURN)
    poses = turn @ cameras.c2w
    poses[:, :3, 3] /= poses[:, :3, 3].norm(dim=1, keepdim=True).clamp_min(1e-8)
    return poses.flatten(1)


def load_network(folder: Path) -> Any:
    """The U-Net in diffusers' terms. Raises KeyError or RuntimeError where the folder's config and
    weights are not those of such a network."""
    from diffusers import UNet2DConditionModel
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    config = network_config(json.loads((folder / "config.json").read_text()))
    named = {
        "model.diffusion_model." + name.replace("camera_embed.", "label_emb.0."): value
        for name, value in load_weights(folder).items()
    }
    unet = UNet2DConditionModel(**config)
    unet.load_state_dict(convert_ldm_unet_checkpoint(named, config))
    attend_jointly(unet)
    return unet


def network_config(first: dict[str, Any]) -> dict[str, Any]:
    """What diffusers calls the entries of the first Stable Diffusion's config; the embedding of a
    camera stands where it has that of a class. KeyError for what is no MVDream."""
    if first["camera_dim"] != CAMERA_NUMBERS or first.get("ip_dim"):
        raise KeyError("a network that is told other things than text and cameras")
    widths = [first["model_channels"] * factor for factor in first["channel_mult"]]
    attends = [2**level in first["attention_resolutions"] for level in range(len(widths))]
    down = ["CrossAttnDownBlock2D" if here else "DownBlock2D" for here in attends]
    up = ["CrossAttnUpBlock2D" if here else "UpBlock2D" for here in reversed(attends)]
    return {
        "sample_size": first["image_size"], "in_channels": first["in_channels"],
        "out_channels": first["out_channels"], "block_out_channels": widths,
        "layers_per_block": first["num_res_blocks"], "down_block_types": down,
        "up_block_types": up, "cross_attention_dim": first["context_dim"],
        "transformer_layers_per_block": first["transformer_depth"],
        # diffusers' name for how many heads there are
        "attention_head_dim": [width // first["num_head_channels"] for width in widths],
        "use_linear_projection": True, "class_embed_type": "projection",
        "projection_class_embeddings_input_dim": CAMERA_NUMBERS,
    }
