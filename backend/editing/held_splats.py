"""Gaussians that change in a region only, toward pictures that may change meanwhile (Chen et al.,
GaussianEditor, CVPR 2024, sections 4.1 and 4.2)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.diffusion.annealing import Number, Schedule, scaled
from backend.distillation.loop import State, distill
from backend.editing.anchors import Anchors, GenerationWeights
from backend.editing.dataset_update import DatasetUpdate, Editing, ViewStore
from backend.editing.pictures import picture
from backend.editing.tracing import LABEL, labels
from backend.priors.base import Prior
from backend.regions.gate import Gate
from backend.representations.densify import Densifier, DensityRule
from backend.representations.gaussians import NAMES, Gaussians
from backend.studio import Progress, Studio
from protocol.assets import Asset

RATES: dict[str, Number] = {
    "means": Schedule(1.6e-4, 1.6e-5, shape="exponential"),
    "colors": 0.0125, "opacities": 0.05, "scales": 0.005, "quats": 0.001,
}
SPLIT_SCALE = 0.02


@dataclass(frozen=True)
class HeldFit:
    """``steps`` of ``views`` pictures each. ``weights``: of generations. ``lambda_color`` and
    ``lambda_shape``: how strongly anchors hold colors, and all else. Every ``densify_every`` steps
    ``densify_share`` of the region's Gaussians multiply. ``pace``: a factor of learning rates."""

    steps: int
    weights: GenerationWeights
    views: int = 4
    lambda_pictures: float = 10.0
    lambda_color: float = 0.0
    lambda_shape: float = 50.0
    densify_every: int = 100
    densify_share: float = 0.01
    pace: float = 1.0

    def lambdas(self) -> dict[str, Number]:
        """By loss."""
        held = dict.fromkeys((f"anchor {name}" for name in NAMES), self.lambda_shape)
        return {"pictures": self.lambda_pictures, **held, "anchor colors": self.lambda_color}

    def rates(self) -> dict[str, Number]:
        """By parameter group."""
        return {name: scaled(rate, self.pace) for name, rate in RATES.items()}


class HeldSplats:
    """``gaussians`` of which those whose label is above zero are fitted to ``store``; everything
    else about them, Adam's moments included, keeps its bits."""

    def __init__(
        self, gaussians: Gaussians, store: ViewStore, prior: Prior, fit: HeldFit, studio: Studio
    ) -> None:
        self.gaussians, self.store, self.prior = gaussians, store, prior
        self.fit, self.studio = fit, studio
        gaussians.add_channel(LABEL, labels(gaussians))
        self.anchors = Anchors(gaussians, fit.weights)
        self.densifier = Densifier(gaussians, (store.cameras.height, store.cameras.width))
        self.editing = Editing(State.create(gaussians, fit.rates(), eps=1e-15), store)
        Gate(
            self.editing.state_of_thing.optimizer,
            lambda: dict.fromkeys(NAMES, labels(gaussians)),
        )

    def steps(
        self, preview: Callable[[], Asset], update: DatasetUpdate | None = None
    ) -> Iterator[Progress]:
        """Fit; with an ``update`` every picture is edited before the first step, then as it
        says."""
        total = self.fit.steps
        if update is not None:
            while self.store.edits * update.count < len(self.store.cameras):
                update.update()
                yield Progress(0, total, message="editing pictures", preview=preview)

        def after_step(step: int) -> None:
            self.densify(step)
            if update is not None:
                update.after_step(step)

        yield from distill(
            self.editing.state_of_thing, total, self.losses, self.fit.lambdas(),
            rates=self.fit.rates(), after_step=after_step, preview=preview,
        )

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """Mean absolute difference to the pictures as they are now, and the anchors'."""
        store, generator = self.store, self.studio.generator("held fit", step)
        count = min(self.fit.views, len(store.cameras))
        views = torch.randperm(len(store.cameras), generator=generator)[:count]
        shown = picture(self.prior, self.gaussians, store.cameras[views])
        held = self.anchors.losses(labels(self.gaussians) > 0)
        return {
            "pictures": (shown - store.pictures[views]).abs().mean(),
            **{f"anchor {name}": loss for name, loss in held.items()},
        }

    def densify(self, step: int) -> None:
        """Where it is due, let the region's Gaussians of the largest gradients multiply, drop its
        faint ones, and hold to what there is then."""
        if (step + 1) % self.fit.densify_every or step + 1 == self.fit.steps:
            return
        inside = labels(self.gaussians) > 0
        born = max(int(self.fit.densify_share * int(inside.sum())), 1)
        rule = DensityRule(
            gradient=0.0, split_scale=SPLIT_SCALE, most=len(self.gaussians) + born
        )
        generator = self.studio.generator("held densify", step)
        optimizer = self.editing.state_of_thing.optimizer
        self.densifier.densify(rule, generator, optimizer, among=inside)
        self.anchors.renew()
