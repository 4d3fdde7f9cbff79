"""What recipes of Gaussians share: their options, where they begin, how they take up a mesh, and
their splats and mesh."""

import hashlib
from collections.abc import Generator
from dataclasses import dataclass

import torch

from backend.diffusion.annealing import Number, Schedule
from backend.distillation.loop import State, distill
from backend.distillation.views import Orbit, sample_views
from backend.recipes.options import option
from backend.recipes.recipe import Inputs
from backend.recipes.volumes import contact_sheet, preview
from backend.rendering.cameras import Cameras, orbit_cameras
from backend.representations.gaussians import Gaussians
from backend.representations.mesh import MeshRepresentation
from backend.representations.points import Points, sample_surface
from backend.studio import Progress, Studio
from protocol.assets import Asset, Mesh
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
    return Asset(
        name, mesh=mesh, splats=gaussians.to_splats(), contact_sheet=contact_sheet(gaussians)
    )


FIT_ORBIT = Orbit(elevation_degrees=(-30, 90), fov_degrees=(30, 50), fill=(0.8, 1.3))
FIT_RATES: dict[str, Number] = {
    "means": Schedule(5e-4, 5e-5, shape="exponential"),
    "colors": 0.02, "opacities": 0.05, "scales": 0.01, "quats": 0.005,
}


def fit_mesh(
    mesh: Mesh, count: int, steps: int, resolution: int, studio: Studio, stage: str = "fit"
) -> Generator[Progress, None, Gaussians]:
    """The ``stage``: ``count`` Gaussians that look as ``mesh`` does, in ``steps`` of four views.

    Shared by all jobs on the same mesh with the same seed. The report gets ``fit_psnr``, over gray
    in views that were not fitted.
    """
    points = sample_surface(mesh, count, studio.generator(f"{stage} points"))
    gaussians, truth = Gaussians.from_points(points, opacity=0.9), MeshRepresentation(mesh)
    gray = torch.full((3,), 0.5)

    def losses(step: int) -> dict[str, torch.Tensor]:
        cameras = sample_views(FIT_ORBIT, 4, resolution, studio.generator(stage, step))
        with torch.no_grad():
            wanted = truth.render(cameras, background=gray)
        shown = gaussians.render(cameras, background=gray)
        return {
            "color": (shown.color - wanted.color).abs().mean(),
            "alpha": (shown.alpha - wanted.alpha).abs().mean(),
        }

    yield from studio.stage(
        stage, State.create(gaussians, FIT_RATES, eps=1e-15),
        lambda state: distill(
            state, steps, losses, {"color": 1.0, "alpha": 0.5}, rates=FIT_RATES,
            preview=lambda: preview(gaussians),
        ),
        identity={"fit": 1, "mesh": looks_of(mesh), "sizes": [count, steps, resolution]},
    )
    views = orbit_cameras(torch.arange(8) * 45.0 + 10, 25.0, 3.5, 40.0, resolution)
    studio.report[f"{stage}_psnr".replace(" ", "_")] = psnr(gaussians, truth, views)
    return gaussians


@torch.no_grad()
def psnr(thing: Gaussians, truth: MeshRepresentation, cameras: Cameras) -> float:
    """Decibels of the views of ``thing`` against those of ``truth``, over gray."""
    gray = torch.full((3,), 0.5)
    shown, wanted = (entry.render(cameras, background=gray).color for entry in (thing, truth))
    return float(-10 * ((shown - wanted) ** 2).mean().log10())


def looks_of(mesh: Mesh) -> str:
    """A hash of what is seen of a mesh."""
    hasher = hashlib.sha256(mesh.positions.tobytes() + mesh.faces.tobytes())
    representation = MeshRepresentation(mesh)
    for name, values in representation.state().items():
        hasher.update(name.encode() + values.numpy().tobytes())
    if mesh.uvs is not None:
        hasher.update(mesh.uvs.tobytes())
    return hasher.hexdigest()
