"""Sampling joint views from the pocket network, and the sheets that training shows them on."""

from pathlib import Path

import torch
from torch import Tensor, nn

from backend.diffusion.guidance import guide
from backend.diffusion.samplers import ddim
from backend.diffusion.schedules import CosineSchedule
from backend.pocket.network import ray_map
from backend.pocket.precision import half_precision
from backend.pocket.text import embed_text
from backend.pocket.vocabulary import WORLD, Vocabulary
from backend.pocket.world import caption
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras


def rig(views: int = 4, elevation_degrees: float = 15.0, azimuth_degrees: float = 0.0) -> Cameras:
    """Evenly spaced cameras at one elevation, fov 40 degrees, the unit ball filling the frame."""
    azimuths = torch.arange(views) * (360.0 / views) + azimuth_degrees
    fov = torch.tensor(40.0)
    return orbit_cameras(azimuths, elevation_degrees, float(framing_radius(fov)), 40.0, 64)


@torch.no_grad()
def sample_views(
    network: nn.Module, prompts: list[str], cameras: Cameras, *,
    steps: int = 20, guidance_scale: float = 3.0, seed: int = 0,
) -> Tensor:
    """Joint views of each prompt, (B, V, 4, 64, 64) in [-1, 1], from the same noise.

    DDIM with classifier-free guidance, in half precision.
    """
    count, views = len(prompts), len(cameras)
    rays = ray_map(cameras).expand(count, -1, -1, -1, -1)
    text, mask = embed_text(prompts)
    inputs = {
        "rays": torch.cat([rays, rays]),
        "text": torch.cat([text, torch.zeros_like(text)]),
        "text_mask": torch.cat([mask, torch.zeros_like(mask)]),
    }

    def predict(noisy: Tensor, t: Tensor) -> Tensor:
        with half_precision():
            x0 = network(torch.cat([noisy, noisy]), torch.cat([t, t]), **inputs)
        wanted, plain = x0.float().chunk(2)
        return guide(plain, wanted, guidance_scale).clamp(-1, 1)

    noise = torch.randn(1, views, 4, 64, 64, generator=torch.Generator().manual_seed(seed))
    noise = noise.expand(count, -1, -1, -1, -1)
    return list(ddim(predict, CosineSchedule(), noise, steps=steps))[-1].x0


def write_sheet(
    network: nn.Module, path: Path, count: int = 16, vocabulary: Vocabulary = WORLD
) -> None:
    """Four sampled views each of fixed held-out prompts, two prompts a row, as a picture."""
    from PIL import Image

    prompts = [caption(kind, color) for kind, color in vocabulary.held_out_prompts(count)]
    views = sample_views(network, prompts, rig())[:, :, :3] / 2 + 0.5
    rows = views.permute(0, 3, 1, 4, 2).reshape(count // 2, 2, 64, -1, 3)
    sheet = rows.permute(0, 2, 1, 3, 4).reshape(count // 2 * 64, -1, 3)
    Image.fromarray((sheet * 255).round().clamp(0, 255).byte().numpy()).save(path)


@torch.no_grad()
def sample_points(
    network: nn.Module, prompts: list[str], noise: Tensor, *,
    steps: int = 30, guidance_scale: float = 2.0,
) -> Tensor:
    """Colored points of each prompt from noise (n, N, 6): positions, and RGB in [0, 1]. DDIM."""
    text, mask = embed_text(prompts)
    inputs = {
        "text": torch.cat([text, torch.zeros_like(text)]),
        "text_mask": torch.cat([mask, torch.zeros_like(mask)]),
    }

    def predict(noisy: Tensor, t: Tensor) -> Tensor:
        with half_precision():
            x0 = network(noisy[:, 0].repeat(2, 1, 1), t[:, 0].repeat(2), **inputs)
        wanted, plain = x0.float().chunk(2)
        return guide(plain, wanted, guidance_scale).clamp(-1, 1)[:, None]

    clouds = list(ddim(predict, CosineSchedule(), noise[:, None], steps=steps))[-1].x0[:, 0]
    return torch.cat([clouds[..., :3], clouds[..., 3:] / 2 + 0.5], -1)
