"""What recipes that begin from one picture share: the picture as they are given it, and the options
of those that hold a volume to it."""

from dataclasses import dataclass
from typing import Protocol

from backend.multiview.reference import ReferenceView
from backend.priors.base import Prior
from backend.recipes.options import option
from backend.recipes.recipe import Inputs
from backend.recipes.volumes import VolumeOptions
from backend.studio import Studio


class TakenFrom(Protocol):
    """Options that say where a picture was taken from, in degrees."""

    @property
    def elevation_degrees(self) -> float: ...

    @property
    def fov_degrees(self) -> float: ...


def find_reference(
    inputs: Inputs, prior: Prior, options: TakenFrom, studio: Studio
) -> ReferenceView:
    """The picture cut out and centered, its camera, and what it shows: the prompt, or what the
    prior takes it for, which the report then says."""
    reference = ReferenceView.of(
        inputs.assets, prior, options.elevation_degrees, options.fov_degrees, inputs.prompt
    )
    if reference.words:
        studio.report["seen_as"] = reference.words
    return reference


@dataclass(frozen=True)
class PictureOptions(VolumeOptions):
    """Where the picture was taken from, and how firmly it is held to; the weights are those of the
    later released configuration of Zero-1-to-3."""

    elevation_degrees: float = option(
        5.0, "How far above the object the picture was taken from", unit="degrees",
        low=-20.0, high=80.0,
    )
    fov_degrees: float = option(
        20.0, "Vertical field of view of the picture", unit="degrees", low=10.0, high=70.0,
        advanced=True,
    )
    lambda_color: float = option(
        500.0, "Weight of the picture's colors in its own view", low=0.0, high=1e5, advanced=True
    )
    lambda_mask: float = option(
        50.0, "Weight of the picture's outline in its own view", low=0.0, high=1e5, advanced=True
    )
