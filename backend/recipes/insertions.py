"""How a thing that words name comes into a scene, as recipes that add objects share it: painted
into one picture, lifted from it, and put where its depth says (Chen et al., GaussianEditor, CVPR
2024, section 4.3; lifting after Wonder3D, Long et al., arXiv 2310.15008)."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from backend.editing.deletion import area
from backend.editing.inpainting import Inpainter
from backend.editing.insertion import align_depth, appeared, cut_out, inner, stand
from backend.editing.pictures import picture
from backend.editing.tracing import label
from backend.meshing.join import join_textured
from backend.multiview.depths import draw_depth
from backend.multiview.domains import CrossDomainSampler
from backend.multiview.images import given_view, prepare_picture
from backend.multiview.reference import beside_picture
from backend.multiview.rigs import FOV_DEGREES, SIX_WEIGHTS, picture_camera, six_views
from backend.multiview.surfaces import SurfaceSize, reconstruct
from backend.priors.base import Capability
from backend.priors.guidance import GivenViews
from backend.recipes.edits import Place, check_said
from backend.recipes.held_edits import HeldOptions, to_gaussians
from backend.recipes.options import option
from backend.recipes.volumes import preview
from backend.regions.space import space_of
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras
from backend.rendering.rasterize import rasterize
from backend.representations.gaussians import Gaussians
from backend.studio import Progress, Studio
from protocol.assets import Mesh
from protocol.errors import InputError

LIFTING = ("paint", "draw views", "fit coarse surface", "fit surface", "fit thing")
"""The stages of adding something."""
ADDING: tuple[Capability, ...] = ("inpaint", "depth", "image+pose", "normals")
"""And what they ask priors for."""
FILL = 0.9
DROPPED = 0.2
"""Of the rays, in lifting: those that fit worst."""
RAYS = 2048
SOLID = 0.9
SURFACE_FACES = 5000


@dataclass(frozen=True)
class InsertionOptions(HeldOptions):
    """Options of every recipe that adds an object by way of Gaussians."""

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


def check_addition(prompt: str, studio: Studio) -> None:
    """Raises InputError without words for what to add, or without a prior that it takes."""
    if not prompt:
        raise InputError(
            "prompt_empty", "Nothing says what to add.",
            "Describe what shall be seen then: \"a snowman with a blue hat\".",
        )
    for capability in ADDING:
        studio.prior(capability)
    check_said(prompt, studio)


def insert(
    mesh: Mesh, place: Place, prompt: str, options: InsertionOptions, studio: Studio
) -> Generator[Progress, None, tuple[Gaussians, Mesh]]:
    """The mesh and its Gaussians with a thing more; all that was there keeps its bits. Stages "fit"
    and ``LIFTING``."""
    space = space_of(place.region, mesh)
    hole_of(space, options.camera(studio.prior("inpaint").spec.resolution))
    gaussians = yield from to_gaussians(mesh, options, studio)
    painted = yield from studio.once(
        "paint", lambda: paint_thing(gaussians, space, prompt, options, studio)
    )
    depth = measure_depth(gaussians, space, painted, options, studio)
    thing = yield from lift_thing(painted, options, studio)
    stands = stand(thing, painted.camera, options.azimuth_degrees, painted.thing, depth)
    added = stands.mesh(thing)
    share = area(added) / area(mesh)
    fresh = yield from to_gaussians(thing, options, studio, "fit thing", share)
    joined = Gaussians.join([gaussians, stands.gaussians(fresh)])
    label(joined, (torch.arange(len(joined)) >= len(gaussians)).float())
    return joined, join_textured(mesh, added)


class Painted(NamedTuple):
    """A thing in a picture (height, width, 3 or 4): ``thing`` and ``hole`` (height, width)."""

    camera: Cameras
    picture: Tensor
    thing: Tensor
    hole: Tensor


def paint_thing(
    gaussians: Gaussians, space: Mesh, prompt: str, options: InsertionOptions, studio: Studio
) -> Painted:
    """One picture of the Gaussians, filled as the ``prompt`` says where it shows the ``space``."""
    prior = studio.prior("inpaint")
    camera = options.camera(prior.spec.resolution)
    hole = hole_of(space, camera)
    with torch.no_grad():
        before = picture(prior, gaussians, camera)
    paint = Inpainter.embed(
        prior, prompt, hole, studio, options.scale(prior), options.sampler_steps
    )
    after = paint(before, before, camera, 0)
    return Painted(camera, after[0], appeared(before[0], after[0], hole[0]), hole[0])


def hole_of(space: Mesh, camera: Cameras) -> Tensor:
    """Where the one ``camera`` sees a space, (1, height, width). Raises :class:`InputError`
    ``region_unseen`` where it does not."""
    faces = torch.from_numpy(space.faces).long()
    hole = rasterize(torch.from_numpy(space.positions), faces, camera).covered
    if not hole.any():
        raise InputError(
            "region_unseen", "The picture that something is added to does not show the region.",
            "Move the region near the object, or set azimuth_degrees and elevation_degrees.",
        )
    return hole.float()


@torch.no_grad()
def measure_depth(
    gaussians: Gaussians, space: Mesh, painted: Painted, options: InsertionOptions, studio: Studio
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
    painted: Painted, options: InsertionOptions, studio: Studio
) -> Generator[Progress, None, Mesh]:
    """The thing alone as a mesh, in the frame of its picture: six views of colors and normals, and
    a signed distance field fitted to them. Stages as :func:`reconstruct`, after "draw views"."""
    prior, elevation = studio.prior("normals"), options.elevation_degrees
    side = prior.spec.resolution
    cut = prepare_picture(cut_out(painted.picture, painted.thing), side)
    sampler = CrossDomainSampler(
        prior, given_view(prior, cut, picture_camera(elevation, 0.0, side)),
        six_views(elevation, side), options.view_steps,
    )
    views = yield from studio.stage(
        "draw views", sampler.empty(), lambda views: sampler.draw(views, studio)
    )
    drawn = sampler.targets(views, torch.tensor(SIX_WEIGHTS))
    targets = beside_picture(drawn, cut, len(sampler.cameras))
    size = SurfaceSize(options.surface_steps, options.surface_grid, RAYS)
    sdf = yield from reconstruct(targets, size, DROPPED, studio, preview)
    return sdf.to_mesh(options.surface_grid, options.surface_texture, SURFACE_FACES)
