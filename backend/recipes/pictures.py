"""Options of recipes that hold a volume to the one picture that they begin from."""

from dataclasses import dataclass

from backend.recipes.options import option
from backend.recipes.volumes import VolumeOptions


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
