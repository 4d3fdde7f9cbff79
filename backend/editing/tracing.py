"""Semantic tracing (Chen et al., GaussianEditor, CVPR 2024, section 4.1): outlines in pictures
become labels of Gaussians, by the weights with which they are drawn."""

import math
from typing import NamedTuple

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from backend.editing.locating import Found
from backend.regions.placed import PlacedRegion
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras
from backend.rendering.rasterize import rasterize
from backend.rendering.splatting import splat
from backend.rendering.splatting.projection import project
from backend.representations.gaussians import Gaussians
from protocol.errors import InputError

LABEL = "region"
"""The channel that holds each Gaussian's weight in the region; children have their parent's."""

SEEN = 0.05
"""The share of what it would draw alone that a Gaussian must draw to be seen."""

REACH = 3.0
"""Standard deviations within which Gaussians touch."""

AZIMUTHS = [*range(0, 360, 45)] * 3
ELEVATIONS = torch.tensor([-50.0, 0.0, 50.0]).repeat_interleave(8)
FOV, PIXELS = 40.0, 128
"""From where outlines of a region on a mesh are taken: all around, so that little is unseen."""


class Traced(NamedTuple):
    """For each Gaussian: ``weights`` (n,), the share of what it draws that lies in the masks, 0
    where no view shows it; ``seen`` (n,), how many pixels it draws in all, by weight."""

    weights: Tensor
    seen: Tensor


def trace(gaussians: Gaussians, cameras: Cameras, masks: Tensor) -> Traced:
    """What ``masks`` (views, height, width) in [0, 1] say of ``gaussians``.

    w_i = sum_j sum_p o_i(p) T_i(p) M_j(p), the opacity of Gaussian i at pixel p times the light
    that gets to it times the mask, over all views j: the gradient of the masked picture by the
    color of i. The paper divides by the number of pixels; here by the same sum without the mask,
    so that the threshold does not depend on how opaque a Gaussian is or in how many views others
    hide it. Those that others hide nearly everywhere are not seen.
    """
    features = torch.zeros(len(gaussians), 2, requires_grad=True)
    with torch.enable_grad():
        drawn = splat(
            gaussians.means.detach(), gaussians.quats.detach(), gaussians.scales.detach().exp(),
            gaussians.opacities.detach().sigmoid(), features, cameras,
        ).images
        said = (drawn * torch.stack([masks, torch.ones_like(masks)], -1)).sum()
        (weights,) = torch.autograd.grad(said, features)
    inside, seen = weights.unbind(-1)
    seen = torch.where(seen > SEEN * _alone(gaussians, cameras), seen, 0.0)
    return Traced(torch.where(seen > 0, inside / seen.clamp_min(1e-9), 0.0), seen)


@torch.no_grad()
def _alone(gaussians: Gaussians, cameras: Cameras) -> Tensor:
    """How many pixels each would draw if no other were there, by weight, (n,)."""
    centers, covariances, depth = project(
        gaussians.means, gaussians.quats, gaussians.scales.exp(), cameras
    )
    xx, xy, yy = covariances.unbind(-1)
    size = centers.new_tensor([cameras.width, cameras.height])
    framed = ((centers > 0) & (centers < size)).all(-1) & (depth > 0)
    pixels = 2 * math.pi * (xx * yy - xy * xy).sqrt() * framed
    return gaussians.opacities.sigmoid() * pixels.sum(0)


def trace_outlines(
    gaussians: Gaussians, cameras: Cameras, masks: Tensor, threshold: float
) -> tuple[Tensor, Tensor]:
    """Weights (n,) of 1 where more than ``threshold`` of a Gaussian lies in ``masks`` (views,
    height, width); and of which Gaussians these say anything, (n,) bool. One that no view shows,
    because it lies under others, goes with the nearest that is seen, where that is near."""
    traced = trace(gaussians, cameras, masks)
    chosen = (traced.weights > threshold).float()
    seen = (traced.seen > 0).nonzero()[:, 0]
    if not len(seen):
        return chosen, traced.seen > 0
    means = gaussians.means.detach().numpy()
    distances, nearest = cKDTree(means[seen]).query(means)
    near = torch.from_numpy(distances) < REACH * gaussians.scales.detach().amax(1).exp()
    return torch.where(near, chosen[seen[nearest]], 0.0), near


def trace_word(gaussians: Gaussians, found: Found, threshold: float) -> Tensor:
    """Weights (n,) of 1 where more than ``threshold`` of a Gaussian lies in a word's outlines."""
    return trace_outlines(gaussians, found.cameras, found.masks, threshold)[0]


def trace_region(gaussians: Gaussians, placed: PlacedRegion, threshold: float) -> Tensor:
    """Weights (n,) of Gaussians that look as the mesh of a region does: of faces 1 for those of
    which more than ``threshold`` draws them, of all else what holds where they stand. That would
    not tell faces: under one may be another part's, nearer. It tells them only for Gaussians that
    no view shows, or where all are too coarse for the region."""
    near = torch.from_numpy(placed.at_points(gaussians.means.detach().numpy()))
    if placed.region.faces is None:
        return near
    cameras = orbit_cameras(AZIMUTHS, ELEVATIONS, framing_radius(torch.tensor(FOV)), FOV, PIXELS)
    chosen, said = trace_outlines(gaussians, cameras, outlines(placed, cameras), threshold)
    weights = torch.where(said, chosen, near)
    return weights if weights.any() else near


def outlines(placed: PlacedRegion, cameras: Cameras) -> Tensor:
    """Where pixels of the mesh show the faces of a region, (views, height, width)."""
    mesh, weights = placed.mesh, torch.from_numpy(placed.at_faces())
    faces = torch.from_numpy(mesh.faces).long()
    seen = rasterize(torch.from_numpy(mesh.positions), faces, cameras)
    return weights[seen.triangles.clamp_min(0)] * seen.covered


def label(gaussians: Gaussians, weights: Tensor) -> None:
    """Keep ``weights`` (n,) in [0, 1] as the region, anew. Raises :class:`InputError` where all
    are 0."""
    if len(gaussians) and not weights.any():
        raise InputError(
            "region_outside", "Nothing of the object lies in the region.",
            "Move or scale the region so that it holds the part that shall change.",
        )
    gaussians.channels.pop(LABEL, None)
    gaussians.add_channel(LABEL, weights.float())


@torch.no_grad()
def shown_labels(gaussians: Gaussians, cameras: Cameras) -> Tensor:
    """How much of each pixel the region's Gaussians are, (views, height, width) in [0, 1]."""
    return gaussians.render(cameras, channels=[LABEL]).channels[LABEL][..., 0]


def where_labelled(gaussians: Gaussians, cameras: Cameras) -> Tensor:
    """Masks (views, height, width): where the region is half as plain as it is anywhere."""
    shown = shown_labels(gaussians, cameras)
    return (shown > 0.5 * shown.max()).float()


def labels(gaussians: Gaussians) -> Tensor:
    """The region's weights, (n,)."""
    return gaussians.channels[LABEL]
