"""DreamFusion: Text-to-3D using 2D Diffusion (Poole et al., arXiv 2209.14988).

A prior of single images is distilled into a volume with a learned background: random views and
lights, view-dependent words, score distillation with w(t) = sigma**2 (section 3.1), and shading
that turns between albedo, shaded and textureless so that shape cannot hide behind paint (3.2).
"""

from collections.abc import Generator
from dataclasses import dataclass

from torch import Tensor

from backend.diffusion.annealing import Schedule
from backend.distillation.lights import ShadingCurriculum
from backend.distillation.loop import State, distill
from backend.distillation.prompts import ConditionalText
from backend.distillation.regularizers import opacity, orientation
from backend.distillation.renders import render_latents
from backend.distillation.score import ScoreDistillation
from backend.distillation.views import Orbit, jittered, sample_views
from backend.priors.base import Condition
from backend.recipes.options import option
from backend.recipes.registry import Inputs, Recipe
from backend.recipes.result import finish, preview
from backend.representations.background import Background
from backend.representations.volume import grid_volume
from backend.studio import Progress, Studio
from protocol.assets import Asset


@dataclass(frozen=True)
class Options:
    """The paper's numbers as defaults; the volume is a grid instead of its MLP."""

    steps: int = option(10000, "Steps of score distillation", low=1, high=50000)
    guidance_scale: float = option(
        0.0, "How strongly the prompt is followed; 0 takes the prior's own", low=0.0, high=200.0
    )
    views: int = option(4, "Views in each step", low=1, high=32)
    grid_resolution: int = option(96, "Cells along each side of the volume", low=16, high=256)
    samples: int = option(96, "Samples along each ray", low=16, high=512, advanced=True)
    albedo_until: float = option(
        0.1, "Share of the run without shading", low=0.0, high=1.0, advanced=True
    )
    textureless: float = option(
        0.5, "Share of shaded steps without texture", low=0.0, high=1.0, advanced=True
    )
    lambda_orientation: float = option(
        0.01, "Weight of the loss against normals that face away", low=0.0, high=100.0,
        advanced=True,
    )
    lambda_opacity: float = option(
        0.001, "Weight of the loss that empties space", low=0.0, high=10.0, advanced=True
    )
    faces: int = option(20000, "Most triangles of the mesh", low=100, high=500000)
    texture_size: int = option(1024, "Texture side", unit="px", low=64, high=8192)


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    """Text in, textured mesh out."""
    prior = studio.prior("text")
    text = ConditionalText.embed(
        prior, inputs.prompt, inputs.negative_prompt, view_dependent=True
    )
    score = ScoreDistillation(
        prior, text, options.guidance_scale or prior.spec.guidance_scale, form="sds",
        weighting="sigma_squared", t_range=(0.02, 0.98), reduction="mean",
        condition=Condition(alpha_known=False),
    )
    volume = grid_volume(
        options.grid_resolution, Background(), options.samples, density_activation="exp",
    )
    orbit = Orbit(elevation_degrees=(-10, 90), fov_degrees=(40, 70), fill=(0.7, 1.0))
    curriculum = ShadingCurriculum(options.albedo_until, textureless=options.textureless)
    want = frozenset({"color", "alpha", "samples"})

    def losses(step: int) -> dict[str, Tensor]:
        generator, progress = studio.generator("distill", step), step / options.steps
        cameras = sample_views(orbit, options.views, prior.spec.resolution, generator)
        cameras = jittered(cameras, 0.05, generator)
        shading = curriculum.sample(cameras, progress, generator)
        latents, buffers = render_latents(
            prior, volume, cameras, generator, shading=shading, own_background=True, want=want
        )
        t = score.sample_t(options.views, 1, progress, generator)
        noise = studio.noise((options.views, 1, *prior.spec.latent), "distill", step)
        inside = buffers.samples
        return {
            "score": score.loss(latents[:, None], cameras, t, noise),
            "orientation": orientation(
                inside["weights"], inside["normals"], inside["directions"][:, None],
                rays=buffers.alpha.numel(),
            ),
            "opacity": opacity(buffers.alpha),
        }

    weights = {
        "score": 1.0,
        # Appendix A.2: annealed over the first third of the run.
        "orientation": Schedule(0.01 * options.lambda_orientation, options.lambda_orientation,
                                end=1 / 3),
        "opacity": options.lambda_opacity,
    }
    yield from studio.stage(
        "distill",
        State.create(volume, {"grid": 0.01, "background": 0.001}),
        lambda state: distill(
            state, options.steps, losses, weights,
            after_step=volume.upkeep, preview=lambda: preview(volume),
        ),
    )
    mesh = yield from studio.once("mesh", lambda: volume.to_mesh(
        2 * options.grid_resolution, options.texture_size, options.faces))
    return finish(volume, mesh, inputs.prompt)


RECIPE = Recipe(
    id="dreamfusion",
    title="DreamFusion",
    task="text_to_3d",
    summary="Text to a textured mesh through any text-to-image prior.",
    citation="Poole et al., DreamFusion: Text-to-3D using 2D Diffusion, arXiv 2209.14988",
    capabilities=("text",),
    inputs=("prompt", "negative_prompt"),
    options=Options,
    presets={
        "draft": {"steps": 300, "grid_resolution": 48, "samples": 64, "faces": 8000,
                  "texture_size": 512},
        "standard": {"steps": 1500, "grid_resolution": 64, "samples": 64},
        "high": {},
    },
    stages={"distill": 80, "mesh": 4},
    run=run,
)
