"""Regions from pictures: back-projected masks."""

import numpy as np
import torch

from backend.regions.patches import border_vertices, drop_small_parts, fill_holes
from backend.regions.votes import vote
from backend.rendering.cameras import orbit_cameras
from backend.rendering.rasterize import interpolate, rasterize

from .test_placed import ball

MESH = ball()
POSITIONS, FACES = torch.from_numpy(MESH.positions), torch.from_numpy(MESH.faces).long()
CAMERAS = orbit_cameras([0.0, 60, 120, 180, 240, 300], 20.0, 3.0, 40.0, 64)
CAP = (POSITIONS[:, 2] > 0.3).float()


def depth() -> torch.Tensor:
    return rasterize(POSITIONS, FACES, CAMERAS).depth


def test_votes_of_rendered_masks_find_the_region_again() -> None:
    """A cap of a ball, seen by six cameras: intersection over union above 0.9."""
    masks = interpolate(CAP[:, None], FACES, rasterize(POSITIONS, FACES, CAMERAS))[..., 0]
    weights, seen = vote(POSITIONS, CAMERAS, masks, depth())
    found = weights > 0.5
    reached = seen > 0
    assert reached.float().mean() > 0.75
    both = (found & (CAP > 0) & reached).sum()
    either = ((found | (CAP > 0)) & reached).sum()
    assert float(both / either) > 0.9


def test_what_no_view_sees_gets_no_vote() -> None:
    front = CAMERAS[[0]]
    votes = vote(POSITIONS, front, torch.ones(1, 64, 64), depth()[:1])
    behind = POSITIONS[:, 1] > 0.2
    assert (votes.seen[behind] == 0).all() and (votes.weights[behind] == 0).all()
    assert torch.allclose(votes.weights[votes.seen > 0], torch.ones(1))


def test_small_parts_go_and_holes_close() -> None:
    faces, centers = MESH.faces, MESH.positions[MESH.faces].mean(1)
    cap = centers[:, 2] > 0.3
    hole = np.flatnonzero(centers[:, 2] > 0.75)[:1]
    speck = np.flatnonzero(centers[:, 2] < -0.75)[:2]
    chosen = cap.copy()
    chosen[hole], chosen[speck] = False, True
    assert np.array_equal(fill_holes(faces, drop_small_parts(faces, chosen), rings=2), cap)
    assert not drop_small_parts(faces, np.zeros_like(cap)).any()


def test_the_border_is_the_rim() -> None:
    inside = CAP.numpy() > 0
    border = border_vertices(MESH.faces, inside)
    heights = MESH.positions[border, 2]
    assert 0 < border.sum() < inside.sum() and (heights > 0.3).all() and heights.max() < 0.5
