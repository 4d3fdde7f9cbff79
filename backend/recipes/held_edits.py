"""What edits by way of Gaussians share: what is spent on them, the pictures around the object, and
the fit to pictures that an editor changes, held by anchors."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.distillation.views import Orbit, sample_rigs
from backend.editing.anchors import GenerationWeights
from backend.editing.dataset_update import DatasetUpdate, Editor, ViewStore
from backend.editing.held_splats import HeldFit, HeldSplats
from backend.editing.pictures import picture
from backend.priors.base import Prior
from backend.recipes.options import option
from backend.recipes.splats import fit_mesh
from backend.recipes.volumes import preview
from backend.rendering.cameras import Cameras
from backend.representations.gaussians import Gaussians
from backend.studio import Progress, Studio
from protocol.assets import Mesh

ORBIT = Orbit(elevation_degrees=(-10, 60), fov_degrees=(30, 50), fill=(0.8, 1.0))
JOINT = 4
LEAST = 100


@dataclass(frozen=True)
class HeldOptions:
    """GaussianEditor's released numbers as defaults; fewer and smaller pictures."""

    gaussians: int = option(10000, "Gaussians that the mesh becomes", low=100, high=500000)
    fit_steps: int = option(300, "Steps of that fit", low=1, high=100000)
    fit_pixels: int = option(128, "Side of its pictures", unit="px", low=8, high=1024)
    steps: int = option(1500, "Steps of the edit", low=1, high=20000)
    rigs: int = option(6, "Sets of four views around the object that are edited", low=1, high=100)
    text_scale: float = option(
        0.0, "How strongly the words are followed; 0 takes the prior's own", low=0.0, high=100.0
    )
    sampler_steps: int = option(20, "Steps of the sampler in an edit", low=1, high=1000)
    pace: float = option(1.0, "Factor of all learning rates", low=0.01, high=100.0, advanced=True)
    densify_every: int = option(
        100, "Steps from one densification to the next", low=1, high=10000, advanced=True
    )
    densify_share: float = option(
        0.01, "Share of the region's Gaussians that multiply then", low=0.0, high=1.0,
        advanced=True,
    )
    first_anchor: float = option(
        1.0, "How strongly anchors hold the first generation", low=0.0, high=10.0, advanced=True
    )
    fresh_anchor: float = option(
        0.1, "How strongly they hold a later one at first", low=0.0, high=10.0, advanced=True
    )
    anchor_growth: float = option(
        2.0, "What a densification multiplies that by", low=1.0, high=10.0, advanced=True
    )
    lambda_shape: float = option(
        50.0, "Weight of the anchors of places, sizes and opacities", low=0.0, high=1e4,
        advanced=True,
    )
    lambda_color: float = option(
        0.0, "Weight of the anchors of colors", low=0.0, high=1e4, advanced=True
    )
    trace_threshold: float = option(
        0.5, "What share of a Gaussian a word's outlines must hold", low=0.05, high=0.99
    )
    grid: int = option(
        128, "Cells along each side of the grid that colors are baked from", low=32, high=512,
        advanced=True,
    )

    def scale(self, prior: Prior) -> float:
        """How strongly the words are followed."""
        return self.text_scale or prior.spec.guidance_scale

    def held_fit(self) -> HeldFit:
        """The fit to edited pictures."""
        weights = GenerationWeights(self.first_anchor, self.fresh_anchor, self.anchor_growth)
        return HeldFit(
            self.steps, weights, lambda_color=self.lambda_color, lambda_shape=self.lambda_shape,
            densify_every=self.densify_every, densify_share=self.densify_share, pace=self.pace,
        )


def to_gaussians(
    mesh: Mesh, options: HeldOptions, studio: Studio, stage: str = "fit", share: float = 1.0
) -> Generator[Progress, None, Gaussians]:
    """The ``stage``: Gaussians that look as the mesh does, a ``share`` of the usual number; see
    :func:`fit_mesh`."""
    count = max(round(share * options.gaussians), LEAST)
    return fit_mesh(mesh, count, options.fit_steps, options.fit_pixels, studio, stage)


def views_of(
    gaussians: Gaussians, places: Callable[[Gaussians, Cameras], Tensor], prior: Prior,
    options: HeldOptions, studio: Studio,
) -> ViewStore:
    """Renders from all around, which take the place of photographs; ``places`` says where they may
    change."""
    cameras = sample_rigs(
        ORBIT, options.rigs, prior.spec.resolution, studio.generator("views"), JOINT
    )
    with torch.no_grad():
        shown = picture(prior, gaussians, cameras)
        return ViewStore.of(cameras, shown, places(gaussians, cameras))


def fit_pictures(
    gaussians: Gaussians, store: ViewStore, prior: Prior, editor: Editor, options: HeldOptions,
    studio: Studio, every: int,
) -> Generator[Progress, None, None]:
    """The stage "edit": labelled Gaussians fitted to pictures that ``editor`` changes, all before
    the first step, and the next ones ``every`` so many."""
    held = HeldSplats(gaussians, store, prior, options.held_fit(), studio)
    update = DatasetUpdate(
        store, lambda cameras: picture(prior, gaussians, cameras), editor, every,
        count=1 if prior.spec.views == 1 else JOINT,
    )
    yield from studio.stage(
        "edit", held.editing, lambda _: held.steps(lambda: preview(gaussians), update)
    )
    studio.report |= {"edits": store.edits, "gaussians": len(gaussians)}
