"""How a region of a mesh is taken away, as recipes share it: its Gaussians and faces go, and the
hole is filled by an inpainting prior (Chen et al., GaussianEditor, CVPR 2024, section 4.3)."""

from collections.abc import Generator

from backend.editing.deletion import cut_region, holes_around, without_region
from backend.editing.inpainting import Inpainter
from backend.editing.splat_meshes import patched_mesh
from backend.recipes.edits import Place, label_place
from backend.recipes.held_edits import HeldOptions, fit_pictures, to_gaussians, views_of
from backend.regions.placed import place_region
from backend.representations.gaussians import Gaussians
from backend.studio import Progress, Studio
from protocol.assets import Mesh


def remove(
    mesh: Mesh, place: Place, prompt: str, options: HeldOptions, studio: Studio
) -> Generator[Progress, None, tuple[Gaussians, Mesh]]:
    """The mesh and its Gaussians without the region, each hole closed by a patch and new Gaussians
    on it. Every picture's hole is filled once; the ``prompt`` may say what shall be there. Stages
    "fit", "edit" and "mesh"."""
    prior, placed = studio.prior("inpaint"), place_region(place.region, mesh)
    whole = cut_region(placed)
    gaussians = yield from to_gaussians(mesh, options, studio)
    label_place(gaussians, place, placed, options.trace_threshold)
    left = without_region(gaussians, whole, studio.generator("patch"))
    if whole.patches.any():
        store = views_of(left, holes_around, prior, options, studio)
        editor = Inpainter.embed(prior, prompt, studio, options.scale(prior), options.sampler_steps)
        yield from fit_pictures(left, store, prior, editor, options, studio, options.steps + 1)
    changed = yield from studio.once("mesh", lambda: patched_mesh(left, whole, options.grid))
    return left, changed
