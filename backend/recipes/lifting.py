"""One painted picture to a thing in space, as recipes that add objects share it: how far away it
stands, and what it looks like from all around (Chen et al., GaussianEditor, CVPR 2024, section 4.3;
views and surface after Wonder3D, Long et al., arXiv 2310.15008)."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from backend.editing.insertion import align_depth, cut_out, inner
from backend.multiview.depths import draw_depth
from backend.multiview.domains import CrossDomainSampler
from backend.multiview.images import given_view, prepare_picture
from backend.multiview.reference import beside_picture
from backend.multiview.rigs import FOV_DEGREES, SIX_WEIGHTS, picture_camera, six_views
from backend.multiview.surfaces import SurfaceSize, reconstruct
from backend.priors.guidance import GivenViews
from backend.recipes.options import option
from backend.recipes.volumes import preview
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras
from backend.representations.gaussians import Gaussians
from backend.studio import Progress, Studio
from protocol.assets import Mesh

FILL = 0.9
DROPPED = 0.2
"""Of the rays: those that fit worst."""
RAYS = 2048
SOLID = 0.9
SURFACE_FACES = 5000


@dataclass(frozen=True)
class LiftingOptions:
    """Options of every recipe that lifts a thing from a picture."""

    azimuth_degrees: float = option(
        0.0, "From where the picture is taken that something is added to; 0 is the front",
        unit="degrees", low=-180.0, high=180.0,
    )
    elevation_degrees: float = option(
        15.0, "From how far above that picture is taken", unit="degrees", low=-20.0, high=80.0
    )
    view_steps: int = option(30, "Denoising steps for views of what is added", low=4, high=200)
    surface_steps: int = option(
        800, "Steps of fitting a surface to those views", low=10, high=20000
    )
    surface_grid: int = option(
        64, "Cells along each side of that surface's grid", low=16, high=256, advanced=True
    )
    surface_texture: int = option(
        256, "Texture side of what is added", unit="px", low=64, high=4096, advanced=True
    )

    def camera(self, pixels: int) -> Cameras:
        """That of the picture, around the unit ball."""
        radius = framing_radius(torch.tensor(FOV_DEGREES), FILL)
        return orbit_cameras(
            [self.azimuth_degrees], self.elevation_degrees, radius, FOV_DEGREES, pixels
        )


class Painted(NamedTuple):
    """A thing in a picture (height, width, 3 or 4): ``thing`` and ``hole`` (height, width)."""

    camera: Cameras
    picture: Tensor
    thing: Tensor
    hole: Tensor


@torch.no_grad()
def measure_depth(
    gaussians: Gaussians, space: Mesh, painted: Painted, options: LiftingOptions, studio: Studio
) -> Tensor:
    """Depth (height, width) of the painted picture as a prior sees it, aligned with that of the
    Gaussians where they still show, and within the ``space``."""
    prior, camera = studio.prior("depth"), painted.camera
    rendered = gaussians.render(camera, want=frozenset({"alpha", "depth"}))
    assert rendered.alpha is not None
    assert rendered.depth is not None
    alpha = torch.maximum(rendered.alpha[0], painted.thing[..., None].float())
    side = prior.spec.resolution
    # The prior is shown a picture from the front: how far round that is does not matter here.
    front = orbit_cameras(
        [0.0], _elevation(camera), camera.positions.norm(dim=-1), camera.fov_degrees, side
    )
    given = GivenViews(prior.encode(painted.picture[None, ..., :3], alpha[None]), front)
    drawn = draw_depth(prior, given, options.view_steps, studio).permute(0, 3, 1, 2)
    estimated = interpolate(drawn, alpha.shape[:2], mode="bilinear", antialias=True)[0, 0]
    known = inner(rendered.alpha[0, ..., 0] > SOLID) & (painted.hole == 0)
    aligned = align_depth(estimated, rendered.depth[0, ..., 0], known, painted.thing)
    studio.report["depth_alignment"] = list(aligned)
    near, far = camera.project(torch.from_numpy(space.positions))[1].aminmax()
    return aligned(estimated).clamp(near, far)


def _elevation(camera: Cameras) -> Tensor:
    return camera.backward[:, 2].clamp(-1, 1).asin().rad2deg()


def lift_thing(
    painted: Painted, options: LiftingOptions, studio: Studio
) -> Generator[Progress, None, Mesh]:
    """The thing alone as a mesh, in the frame of its picture: six views of colors and normals, and
    a signed distance field fitted to them. Stages as :func:`reconstruct`, after "draw views"."""
    prior, elevation = studio.prior("normals"), options.elevation_degrees
    side = prior.spec.resolution
    cut = prepare_picture(cut_out(painted.picture, painted.thing), side)
    camera = picture_camera(elevation, 0.0, side)
    sampler = CrossDomainSampler(
        prior, given_view(prior, cut, camera),
        [six_views(elevation, side)], options.view_steps,
    )
    views = yield from studio.stage(
        "draw views", sampler.empty(), lambda views: sampler.draw(views, studio)
    )
    drawn = sampler.targets(views, torch.tensor(SIX_WEIGHTS))
    targets = beside_picture(drawn, cut, camera)
    size = SurfaceSize(options.surface_steps, options.surface_grid, RAYS)
    sdf = yield from reconstruct(targets, size, DROPPED, studio, preview)
    return sdf.to_mesh(options.surface_grid, options.surface_texture, SURFACE_FACES)
