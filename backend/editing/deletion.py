"""A region's Gaussians taken away, and new ones where that leaves a hole (Chen et al.,
GaussianEditor, CVPR 2024, section 4.3).

The paper repairs the survivors near the hole. Here those keep their bits: on a patch that closes
the hole of the mesh stand new Gaussians, in the colors of the nearest survivors, and those are
repaired.
"""

from dataclasses import replace

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from backend.editing.inpainting import holes_of
from backend.editing.tracing import label, labels, shown_labels
from backend.meshing.cut import Cut, cut
from backend.regions.placed import PlacedRegion
from backend.rendering.cameras import Cameras
from backend.representations.gaussians import Gaussians
from backend.representations.points import Points, sample_surface
from protocol.assets import Mesh
from protocol.errors import InputError

LEAST = 16
OPACITY = 0.9
HOLE_PIXELS = 1 / 64
"""Of the picture's side: how much wider than a patch the hole around it is."""


def cut_region(placed: PlacedRegion) -> Cut:
    """The mesh without all faces that the region touches. Raises :class:`InputError`
    ``region_everything`` where none would be left."""
    removed = placed.most_on_faces() > 0
    if removed.all():
        raise _nothing_left()
    return cut(placed.mesh, removed)


def without_region(gaussians: Gaussians, whole: Cut, generator: torch.Generator) -> Gaussians:
    """The Gaussians outside of the region, bit by bit, then those of the patches of ``whole``,
    which are the region from now on. Raises :class:`InputError` where nothing would be left."""
    outside = labels(gaussians) == 0
    if not outside.any():
        raise _nothing_left()
    gaussians.keep(outside)
    patches = _patch_gaussians(gaussians, whole, generator)
    joined = Gaussians.join([gaussians, *patches])
    if patches:
        label(joined, (torch.arange(len(joined)) >= len(gaussians)).float())
    return joined


@torch.no_grad()
def holes_around(gaussians: Gaussians, cameras: Cameras) -> Tensor:
    """Where the region's Gaussians are seen, and a little around them, (views, height, width)."""
    return holes_of(shown_labels(gaussians, cameras), round(cameras.height * HOLE_PIXELS))


def _patch_gaussians(
    survivors: Gaussians, whole: Cut, generator: torch.Generator
) -> list[Gaussians]:
    """As many to an area as there are on the rest of the mesh; none where there is no patch."""
    if not whole.patches.any():
        return []
    patch = replace(whole.mesh, faces=whole.mesh.faces[whole.patches], uvs=None, material=None)
    share = area(patch) / (area(whole.mesh) - area(patch))
    count = max(round(len(survivors) * share), LEAST)
    places = sample_surface(patch, count, generator).positions
    nearest = cKDTree(survivors.means.detach().numpy()).query(places.numpy())[1]
    colors = survivors.albedo().detach()[torch.from_numpy(nearest)].clamp(0, 1)
    return [Gaussians.from_points(Points(places, colors), OPACITY)]


def area(mesh: Mesh) -> float:
    """Of all faces."""
    a, b, c = mesh.positions[mesh.faces].transpose(1, 0, 2)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def _nothing_left() -> InputError:
    return InputError(
        "region_everything", "Without the region nothing of the object would be left.",
        "Make the region smaller, or delete the object.",
    )
