"""Shap-E (Jun & Nichol, arXiv 2305.02463) from a folder that diffusers wrote, or an id of the hub:
colored points on the surface of the object that a prompt names.

Its diffusion draws the weights of a small network of space; where that network's distance is zero
lies the surface (section 4.1, signed texture fields). Points are spread evenly over it, in the
network's colors, and the whole is made to fill the unit ball.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from backend.diffusion.schedules import DiscreteSchedule
from backend.meshing.isosurface import close_level, march, sample_density
from backend.priors.base import Condition, Prediction, PriorSpec, TextEmbedding, WithoutReadings
from backend.priors.checkpoints import Layout
from backend.representations.points import sample_surface
from protocol.assets import Mesh
from protocol.errors import InputError

LAYOUT = Layout(
    "Shap-E", ("prior", "shap_e_renderer", "text_encoder", "tokenizer", "scheduler")
)
GUIDANCE_SCALE, STEPS = 15.0, 64
"""Of the released sampler for text, which GaussianDreamer uses as well."""

CORNER = 3**0.5
"""Objects lie in the cube [-1, 1]^3; surfaces are looked for in the ball around it."""

FILL = 0.9


@dataclass
class ShapEPrior(WithoutReadings):
    """``pipeline``: a ShapEPipeline. ``cells``: nodes along each side of the grid on which surfaces
    are found. It draws no pictures: it answers ``points`` alone."""

    spec: PriorSpec
    schedule: DiscreteSchedule
    pipeline: Any
    device: torch.device
    cells: int = 128

    @classmethod
    def load(cls, model: str, device: torch.device) -> "ShapEPrior":
        """From a folder or an id of the hub. :class:`InputError` where it is not there or no
        Shap-E."""
        folder = LAYOUT.find(model)
        from diffusers import ShapEPipeline

        try:
            pipeline = ShapEPipeline.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, TypeError) as error:
            raise LAYOUT.unusable(model, str(error).splitlines()[0]) from error
        pipeline.to(device).set_progress_bar_config(disable=True)
        schedule = DiscreteSchedule(pipeline.scheduler.alphas_cumprod)
        return cls(_spec(model, LAYOUT.fingerprint(folder)), schedule, pipeline, device)

    @torch.no_grad()
    def sample_points(self, prompts: list[str], noise: Tensor) -> Tensor:
        """As many points of each prompt as ``noise`` (n, points, 6) has. Its own latents are larger
        than that; they are drawn by a generator that begins with a hash of it. Raises InputError
        ``points_empty`` where what was drawn has no surface."""
        rows = [self._draw(prompt, row) for prompt, row in zip(prompts, noise, strict=True)]
        return torch.stack(rows)

    def _draw(self, prompt: str, noise: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(_seed(noise))
        (latents,) = self.pipeline(
            prompt, num_inference_steps=STEPS, guidance_scale=GUIDANCE_SCALE,
            generator=generator, output_type="latent",
        ).images
        self._take_up(latents)
        places = self._spread(prompt, len(noise), generator)
        colors = self._field(places).channels.float().cpu()
        middle = (places.amax(0) + places.amin(0)) / 2
        reach = (places - middle).norm(dim=-1).max()
        return torch.cat([(places - middle) * (FILL / reach), colors.clamp(0, 1)], -1)

    def _take_up(self, latents: Tensor) -> None:
        """Latents (vectors, width) as the weights of the network of space."""
        renderer = self.pipeline.shap_e_renderer
        weights = renderer.params_proj(latents[None])
        parameters = dict(renderer.mlp.named_parameters())
        for name, value in weights.items():
            parameters[name.removeprefix("nerstf.")].copy_(value[0])

    def _field(self, places: Tensor) -> Any:
        """What the network of space says at places (n, 3)."""
        mlp = self.pipeline.shap_e_renderer.mlp
        said = mlp(
            position=places.to(self.device, mlp.dtype)[None], direction=None, ts=None,
            nerf_level="fine", rendering_mode="stf",
        )
        return type(said)(**{name: None if v is None else v[0] for name, v in vars(said).items()})

    def _spread(self, prompt: str, count: int, generator: torch.Generator) -> Tensor:
        """``count`` points (count, 3) on the surface, whose inside is positive."""
        level = sample_density(
            lambda points: self._field(points * CORNER).signed_distance[:, 0].cpu(), self.cells,
            outside=-1.0,
        )
        positions, faces = march(close_level(level))
        if not len(faces):
            raise InputError(
                "points_empty", f"Shap-E drew nothing solid for {prompt!r}.",
                "Try another seed or other words, or choose a mesh to begin from.",
            )
        mesh = Mesh((positions * CORNER).astype(np.float32), faces)
        return sample_surface(mesh, count, generator).positions

    def embed_text(self, prompts: list[str]) -> TextEmbedding:
        """It draws no pictures: always :class:`InputError`, as in all that follows."""
        _draws_no_pictures()

    def encode(self, images: Tensor, alpha: Tensor | None = None) -> Tensor:
        """See :meth:`embed_text`."""
        _draws_no_pictures()

    def decode(self, latents: Tensor) -> tuple[Tensor, Tensor | None]:
        """See :meth:`embed_text`."""
        _draws_no_pictures()

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """See :meth:`embed_text`."""
        _draws_no_pictures()


def _seed(noise: Tensor) -> int:
    digest = hashlib.sha256(noise.cpu().contiguous().numpy().tobytes()).digest()
    return int.from_bytes(digest[:7], "big")


def _draws_no_pictures() -> NoReturn:
    raise InputError(
        "capability_missing", "Shap-E draws points, no pictures.",
        "Name it for \"points\" alone in the model settings, and another model for pictures.",
    )


def _spec(model: str, fingerprint: str) -> PriorSpec:
    return PriorSpec(
        name=f"shap-e {Path(model).name}",
        resolution=0,
        latent=(0, 0, 0),
        views=0,
        capabilities=frozenset({"points"}),
        guidance_scale=GUIDANCE_SCALE,
        distillation_scale=GUIDANCE_SCALE,
        license="MIT",
        fingerprint=fingerprint,
        prediction="x0",
    )
