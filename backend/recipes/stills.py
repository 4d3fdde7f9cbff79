"""The still object that a recipe sets in motion, and the Gaussians that stand for it."""

from collections.abc import Generator

from backend.deformation.poisson import double_areas
from backend.recipes import mvdream
from backend.recipes.motions import MotionOptions
from backend.recipes.recipe import Inputs
from backend.recipes.registry import check_words
from backend.recipes.splats import fit_mesh
from backend.representations.gaussians import Gaussians
from backend.studio import Progress, Studio
from protocol.assets import Mesh
from protocol.errors import InputError

MOST_PLACES = 100_000_000
"""Of vertices in all frames: 1.2 GB."""


def still_object(
    inputs: Inputs, prompt: str, options: MotionOptions, studio: Studio
) -> Generator[Progress, None, Mesh]:
    """The given mesh, or one that MVDream makes. Raises :class:`InputError` where a given one has
    no surface to see, or too much of it to keep in every frame."""
    if "mesh" in inputs.assets:
        check_still(inputs.mesh, options)
        return inputs.mesh
    words = options.subject or prompt
    check_words(mvdream.RECIPE, words, studio.find_prior)
    preset = mvdream.Options(**mvdream.RECIPE.presets[options.still])
    made = yield from mvdream.run(Inputs(words, inputs.negative_prompt), preset, studio)
    return made.mesh


def check_still(mesh: Mesh, options: MotionOptions) -> None:
    """Raises :class:`InputError` where a mesh cannot be set in motion."""
    if not double_areas(mesh.positions, mesh.faces).any():
        raise InputError(
            "mesh_zero_area", "No face of the mesh has an area.",
            "Choose an object with a surface, or undo its scale of 0.",
        )
    places = len(mesh.positions) * options.frames * options.clips
    if places > MOST_PLACES:
        raise InputError(
            "motion_too_large",
            f"{len(mesh.positions):,} vertices in {options.frames * options.clips} frames are too "
            "many to keep.",
            f"Decimate the object, or ask for fewer frames: {MOST_PLACES:,} places are the most.",
        )


def still_gaussians(
    mesh: Mesh, resolution: int, options: MotionOptions, studio: Studio
) -> Generator[Progress, None, Gaussians]:
    """The stage "fit": Gaussians that look as the mesh does, from here on as they are."""
    gaussians = yield from fit_mesh(
        mesh, options.gaussians, options.fit_steps, resolution, studio
    )
    return gaussians.requires_grad_(False)
