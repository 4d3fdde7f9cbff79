"""How a thing that words name comes into a scene, as recipes that add objects share it: painted
into one picture, lifted from it, and put where its depth says (Chen et al., GaussianEditor, CVPR
2024, section 4.3)."""

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.editing.deletion import area
from backend.editing.inpainting import Inpainter
from backend.editing.insertion import appeared, stand
from backend.editing.pictures import picture
from backend.editing.tracing import label
from backend.meshing.join import join_textured
from backend.priors.base import Capability
from backend.recipes.edits import Place, check_said
from backend.recipes.held_edits import HeldOptions, to_gaussians
from backend.recipes.lifting import LiftingOptions, Painted, lift_thing, measure_depth
from backend.regions.space import space_of
from backend.rendering.cameras import Cameras
from backend.rendering.rasterize import rasterize
from backend.representations.gaussians import Gaussians
from backend.studio import Progress, Studio
from protocol.assets import Mesh
from protocol.errors import InputError

LIFTING = ("paint", "draw views", "fit coarse surface", "fit surface", "fit thing")
"""The stages of adding something."""
ADDING: tuple[Capability, ...] = ("inpaint", "depth", "image+pose", "normals")
"""And what they ask priors for."""


@dataclass(frozen=True)
class InsertionOptions(LiftingOptions, HeldOptions):
    """Options of every recipe that adds an object by way of Gaussians."""


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


def paint_thing(
    gaussians: Gaussians, space: Mesh, prompt: str, options: InsertionOptions, studio: Studio
) -> Painted:
    """One picture of the Gaussians, filled as the ``prompt`` says where it shows the ``space``."""
    prior = studio.prior("inpaint")
    camera = options.camera(prior.spec.resolution)
    hole = hole_of(space, camera)
    with torch.no_grad():
        before = picture(prior, gaussians, camera)
    paint = Inpainter.embed(prior, prompt, studio, options.scale(prior), options.sampler_steps)
    after = paint(before, before, hole, camera, 0)
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
