"""Finding the place that a word names on a mesh (DreamEditor, section 4.2)."""

import re
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from backend.priors.base import Prior
from backend.regions.patches import drop_small_parts, fill_holes
from backend.regions.votes import vote
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras
from backend.representations.mesh import MeshRepresentation
from protocol.assets import Mesh, Region
from protocol.errors import InputError

FOV_DEGREES = 40.0
HOLE_RINGS = 2
SMALLEST_PART = 0.1
FOUND = 0.5
"""A word that no pixel of any view has this much to do with is not there."""


class Found(NamedTuple):
    """Where a word was found: ``masks`` (views, height, width) by ``cameras``, and the ``depth`` of
    the object there, of the same shape."""

    cameras: Cameras
    masks: Tensor
    depth: Tensor


@torch.no_grad()
def find_word(
    prior: Prior, mesh: Mesh, word: str, prompt: str = "", threshold: float = 0.75
) -> Found:
    """Where the prior's attention to ``word`` (in ``prompt``, where it stands there) is above
    ``threshold`` of its range over views every 45 degrees and from above. Raises
    :class:`InputError` ``word_not_found`` where there is no such place."""
    if not re.search(r"\w", word):
        raise _not_found(word)
    cameras = surrounding_cameras(prior.spec.resolution)
    seen = MeshRepresentation(mesh).render(
        cameras, want=frozenset({"color", "alpha", "depth"}),
        background=torch.full((3,), prior.spec.background or 0.5),
    )
    known = prior.spec.background is not None
    heat = prior.attention(
        seen.color, [word], prompt=prompt if word in prompt.split() else None,
        alpha=seen.alpha if known else None,
    )[:, 0]
    masks = _heat_masks(heat, seen.alpha[..., 0], threshold, word)
    return Found(cameras, masks, seen.depth[..., 0])


def faces_of(mesh: Mesh, found: Found, word: str) -> Region:
    """The faces that most of the views that see them vote for; parts of less than a tenth of them
    are dropped, holes filled. Raises :class:`InputError` ``word_not_found`` where none is left."""
    centers = torch.from_numpy(mesh.positions[mesh.faces].mean(1))
    votes = vote(centers, found.cameras, found.masks, found.depth, tolerance=0.05)
    chosen = (votes.weights > 0.5).numpy()
    chosen = fill_holes(mesh.faces, drop_small_parts(mesh.faces, chosen, SMALLEST_PART), HOLE_RINGS)
    if not chosen.any():
        raise _not_found(word)
    return Region(faces=np.asarray(chosen))


def surrounding_cameras(resolution: int) -> Cameras:
    """Eight views from all around and one from above, the unit ball filling the frame."""
    azimuth = torch.tensor([*range(0, 360, 45), 0.0])
    elevation = torch.tensor([15.0] * 8 + [75.0])
    radius = framing_radius(torch.tensor(FOV_DEGREES))
    return orbit_cameras(azimuth, elevation, radius, FOV_DEGREES, resolution)


def _heat_masks(heat: Tensor, alpha: Tensor, threshold: float, word: str) -> Tensor:
    """Where the object is hot, after the range of its heat over all views is made [0, 1]."""
    inside = alpha > 0.5
    if not inside.any() or heat[inside].max() < FOUND:
        raise _not_found(word)
    low, high = heat[inside].min(), heat[inside].max()
    scaled = (heat - low) / (high - low).clamp_min(1e-6)
    return ((scaled > threshold) & inside).float()


def _not_found(word: str) -> InputError:
    return InputError(
        "word_not_found", f"The prior finds no {word!r} on the object.",
        "Use a word for something that is visible on it, or give the region as a box, vertex "
        "group or face selection.",
    )
