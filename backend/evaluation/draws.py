"""What evaluations ask of a prior: latents sampled under a condition, from fixed noise."""

import torch
from torch import Tensor

from backend.diffusion.samplers import ddim
from backend.priors.base import Condition, Prior
from backend.priors.guidance import predict_guided, predict_instruction
from backend.rendering.cameras import Cameras


def noise_like(latents: Tensor, seed: int = 0) -> Tensor:
    """The same noise for every set of a batch, so that cases differ in nothing else."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, *latents.shape[1:], generator=generator).expand_as(latents).clone()


@torch.no_grad()
def sample(
    prior: Prior, condition: Condition, start: Tensor, *, steps: int, scale: float = 1.0,
    image_scale: float | None = None,
) -> Tensor:
    """Latents (batch, views, ...) by DDIM from `start`, in which given views stand clean.

    `scale`: of the guidance by text, with `image_scale` that of a source as well.
    """
    rows = len(start)
    silent = prior.embed_text([""]).repeat(rows)
    condition = condition if condition.text is not None else condition.with_text(silent)

    def predict(noisy: Tensor, t: Tensor) -> Tensor:
        if image_scale is not None:
            guided = predict_instruction(prior, noisy, t, condition, silent, image_scale, scale)
        else:
            guided = predict_guided(prior, noisy, t, condition, silent, scale)
        return guided.x0.clamp(-1, 1)

    drawn = ddim(predict, prior.schedule, start, steps=steps, given=condition.given)
    return list(drawn)[-1].x0


def join_cameras(sets: list[Cameras]) -> Cameras:
    """The cameras of several sets, one after another."""
    first = sets[0]
    ortho = [cameras.ortho_height for cameras in sets]
    return Cameras(
        torch.cat([cameras.c2w for cameras in sets]),
        torch.cat([cameras.fov_degrees for cameras in sets]),
        first.height, first.width,
        torch.cat([each for each in ortho if each is not None]) if ortho[0] is not None else None,
    )


def show(latents: Tensor) -> Tensor:
    """Pixels (..., 3, 64, 64) over gray of latents, as images (..., 64, 64, 3) in [0, 1]."""
    return (latents[..., :3, :, :] / 2 + 0.5).clamp(0, 1).movedim(-3, -1)


def covered(latents: Tensor) -> Tensor:
    """Where latents (..., 4, 64, 64) show the object, (..., 64, 64) bool."""
    return latents[..., 3, :, :] > 0
