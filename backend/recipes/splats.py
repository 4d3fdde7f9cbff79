"""What recipes of Gaussians share: their options, where they begin, and their splats and mesh."""

from collections.abc import Generator
from dataclasses import dataclass

import torch

from backend.recipes.options import option
from backend.recipes.registry import Inputs
from backend.recipes.volumes import SHEET_PIXELS, turntable
from backend.rendering.sheet import sheet
from backend.representations.gaussians import Gaussians
from backend.representations.points import Points, sample_surface
from backend.studio import Progress, Studio
from protocol.assets import Asset
from protocol.errors import InputError


@dataclass(frozen=True)
class SplatOptions:
    """Options of every recipe that ends with Gaussians."""

    mesh_resolution: int = option(
        128, "Cells along each side of the grid that the mesh is made on", low=32, high=512,
        advanced=True,
    )
    faces: int = option(20000, "Most triangles of the mesh", low=100, high=500000)
    texture_size: int = option(1024, "Texture side", unit="px", low=64, high=8192)


def seed_points(inputs: Inputs, count: int, studio: Studio) -> Points:
    """``count`` colored points to begin from: on the input mesh where there is one, else drawn by
    the prior for ``points``. Raises InputError ``points_missing`` where there is neither."""
    asset = inputs.assets.get("mesh")
    if asset is not None and asset.mesh is not None:
        return sample_surface(asset.mesh, count, studio.generator("seeds"))
    try:
        prior = studio.prior("points")
        with torch.no_grad():
            noise = studio.noise((1, count, 6), "seeds")
            (drawn,) = prior.sample_points([inputs.prompt], noise)
    except InputError as error:
        if error.problem.code != "capability_missing":
            raise
        raise InputError(
            "points_missing", "There are no points to begin from: the prior draws none.",
            "Choose a mesh to begin from, or name a model for \"points\" in the model settings.",
        ) from error
    return Points(drawn[:, :3].cpu(), drawn[:, 3:].cpu())


def finish_splats(
    gaussians: Gaussians, options: SplatOptions, name: str, studio: Studio
) -> Generator[Progress, None, Asset]:
    """The stage "mesh": the Gaussians, a textured mesh of them, and eight views."""
    mesh = yield from studio.once(
        "mesh",
        lambda: gaussians.to_mesh(options.mesh_resolution, options.texture_size, options.faces),
    )
    views = sheet(turntable(gaussians, 8, SHEET_PIXELS), columns=4)
    return Asset(name, mesh=mesh, splats=gaussians.to_splats(), contact_sheet=views)
