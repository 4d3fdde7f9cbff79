"""The one view of a thing that is known: what a prior is shown of it, and what holds the thing's
own view to it (Zero-1-to-3, section 3.3)."""

from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from backend.distillation.views import near_views
from backend.multiview.images import (
    Picture,
    find_image,
    given_view,
    prepare_picture,
    words_for,
)
from backend.multiview.reconstruction import Targets
from backend.multiview.rigs import picture_camera
from backend.multiview.surfaces import SurfaceTargets
from backend.priors.base import Prior
from backend.priors.guidance import GivenViews
from backend.rendering.cameras import Cameras
from backend.representations.base import Representation
from protocol.assets import Asset

NEAR = 0.025
"""How far a near view's eye stands aside, of its distance: 0.05 at 2 in the paper's code."""

Drawn = TypeVar("Drawn", Targets, SurfaceTargets)


@dataclass(frozen=True)
class ReferenceView:
    """A ``picture``, and as what a prior is ``given`` it: its latents, its camera, and the
    ``words`` for what it shows, where the prior takes any."""

    picture: Picture
    given: GivenViews
    words: str = ""

    @property
    def name(self) -> str:
        """Of the thing."""
        return self.words or "object"

    @classmethod
    def of(
        cls, assets: dict[str, Asset], prior: Prior, elevation_degrees: float, fov_degrees: float,
        words: str = "",
    ) -> "ReferenceView":
        """The input ``image`` cut out and centered at the prior's size, seen from in front;
        ``fov_degrees`` 0 is orthographic. Without ``words`` those of the prior itself.
        :class:`InputError` where the picture is of no use."""
        side = prior.spec.resolution
        picture = prepare_picture(find_image(assets), side)
        camera = picture_camera(elevation_degrees, fov_degrees, side)
        said = words if words and "text" in prior.spec.capabilities else words_for(prior, picture)
        return cls(picture, given_view(prior, picture, camera, said), said)

    def losses(
        self, thing: Representation, other: Cameras, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """``color`` and ``mask``: mean squared differences of the thing from the picture in its own
        view. ``near``: mean absolute difference of one ``other`` view from one a step aside."""
        near = thing.render(near_views(other, NEAR, generator)).color
        seen = thing.render(Cameras.join([self.given.cameras, other]))
        assert seen.color is not None
        return {
            "color": (seen.color[:1] - self.picture.premultiplied).square().mean(),
            "mask": (seen.alpha[:1] - self.picture.alpha).square().mean(),
            "near": (near - seen.color[1:]).abs().mean(),
        }


def beside_picture(drawn: Drawn, picture: Picture, camera: Cameras) -> Drawn:
    """Drawn views, but for those that stand where the picture was taken from, which is at the one
    ``camera``: there the picture shows the truth."""
    there = drawn.cameras.coincide(camera)
    premultiplied, alpha = drawn.premultiplied.clone(), drawn.alpha.clone()
    premultiplied[there], alpha[there] = picture.premultiplied, picture.alpha
    return replace(drawn, premultiplied=premultiplied, alpha=alpha)
