"""Measures of shapes against a known one: Chamfer distance, volume IoU, novel-view PSNR.

Shapes are compared where they lie, without alignment, in units of the longest side of the true
shape's bounding box.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from backend.rendering.cameras import Cameras
from backend.rendering.rasterize import rasterize
from protocol.assets import Mesh

Points = NDArray[np.float64]

POINTS = 30_000
IOU_RESOLUTION = 64
DEPTH_SLACK = 0.01
"""How far behind what a camera sees a point may lie and still count as seen, in world units."""


def chamfer(
    found: Mesh, truth: Mesh, cameras: Cameras | None = None, points: int = POINTS, seed: int = 0
) -> float:
    """The mean of the two one-way mean distances between points spread evenly over both surfaces.

    With ``cameras`` only points count that at least one of them sees. Infinite where a mesh has no
    such point.
    """
    clouds = [spread_points(mesh, points, cameras, seed) for mesh in (found, truth)]
    if min(len(cloud) for cloud in clouds) == 0:
        return float("inf")
    there = cKDTree(clouds[1]).query(clouds[0])[0].mean()
    back = cKDTree(clouds[0]).query(clouds[1])[0].mean()
    return float((there + back) / 2 / longest_side(truth))


def longest_side(mesh: Mesh) -> float:
    """Of its bounding box."""
    used = mesh.positions[mesh.faces]
    return float(np.ptp(used.reshape(-1, 3), axis=0).max())


def spread_points(
    mesh: Mesh, count: int, cameras: Cameras | None = None, seed: int = 0
) -> Points:
    """About ``count`` points (n, 3), evenly by area; with ``cameras``, those of them that one
    sees."""
    random = np.random.default_rng(seed)
    corners = mesh.positions[mesh.faces].astype(np.float64)
    sides = corners[:, 1:] - corners[:, :1]
    area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    face = random.choice(len(area), count, p=area / area.sum())
    u, v = random.random((2, count, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    points: Points = corners[face, 0] + u * sides[face, 0] + v * sides[face, 1]
    return points if cameras is None else points[seen(mesh, points, cameras)]


def seen(mesh: Mesh, points: Points, cameras: Cameras) -> NDArray[np.bool_]:
    """Which of ``points`` (n, 3) on a mesh no part of it hides from all of the cameras: drawn at
    four times their resolution, nothing lies before them by more than ``DEPTH_SLACK``."""
    found = np.zeros(len(points), bool)
    for view in _drawn(mesh, cameras):
        left = np.flatnonzero(~found)
        behind = _behind(points[left], *view)
        found[left] = np.isfinite(behind) & (behind < DEPTH_SLACK)
    return found


def unseen(mesh: Mesh, axes: list[NDArray[np.float64]], cameras: Cameras) -> NDArray[np.bool_]:
    """Which points of a rectangular lattice, (x, y, z), the mesh hides from all cameras: its inside
    however its surfaces cross, and hollows that no camera looks into. What lies outside of a frame
    is outside of the mesh."""
    lattice = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    left = np.arange(len(lattice))
    for view in _drawn(mesh, cameras):
        behind = _behind(lattice[left], *view)
        left = left[np.isfinite(behind) & (behind > 0)]
    hidden = np.zeros(len(lattice), bool)
    hidden[left] = True
    return hidden.reshape([len(axis) for axis in axes])


def _drawn(mesh: Mesh, cameras: Cameras) -> Iterator[tuple[Cameras, Tensor]]:
    """Each camera, and the depth of what it sees first, (height, width), infinite where it sees
    nothing; at four times its resolution."""
    fine = cameras.resized(4 * cameras.height, 4 * cameras.width)
    positions, faces = torch.from_numpy(mesh.positions), torch.from_numpy(mesh.faces).long()
    fragments = rasterize(positions, faces, fine)
    nearest = torch.where(fragments.covered, fragments.depth, torch.inf)
    return ((fine[view], nearest[view]) for view in range(len(fine)))


def _behind(points: Points, camera: Cameras, nearest: Tensor) -> NDArray[np.float32]:
    """How far behind what a camera sees first points (n, 3) lie along its axis, (n,): infinite
    where they are not in its frame, minus infinity where it sees nothing."""
    pixels, depth = camera.project(torch.from_numpy(points).float())
    column, row = pixels[0].floor().long().unbind(-1)
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    first = nearest[row.clamp(0, camera.height - 1), column.clamp(0, camera.width - 1)]
    behind = torch.where(inside & (depth[0] > 0), depth[0] - first, torch.inf)
    return behind.numpy()


def volume_iou(
    found: Mesh, truth: Mesh, resolution: int = IOU_RESOLUTION, cameras: Cameras | None = None
) -> float:
    """Intersection over union of the insides at ``resolution``^3 points of the bounding cube of
    both, so that what reaches out of the truth counts against it. With ``cameras`` the insides are
    what none of them sees into (:func:`unseen`): for meshes that are not closed."""
    corners = np.concatenate([mesh.positions[mesh.faces].reshape(-1, 3) for mesh in (found, truth)])
    middle, half = (corners.min(0) + corners.max(0)) / 2, np.ptp(corners, axis=0).max() / 2
    axis = (np.arange(resolution) + 0.5) / resolution * 2 - 1
    axes = [middle[a] + half * axis for a in range(3)]
    one, two = (
        solid(mesh, axes) if cameras is None else unseen(mesh, axes, cameras)
        for mesh in (found, truth)
    )
    return float((one & two).sum() / max((one | two).sum(), 1))


def solid(mesh: Mesh, axes: list[NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Which points of a rectangular lattice lie inside a mesh, (x, y, z), by the winding of the
    surfaces that a ray along z passes; works where surfaces are not closed perfectly."""
    x, y, z = axes
    winding = np.zeros((len(x), len(y), len(z)), np.int32)
    corners = mesh.positions[mesh.faces].astype(np.float64)
    # A hair's breadth aside, so that no ray runs along an edge of an axis-aligned mesh.
    nudge = 1e-6 * (np.ptp(x) + np.ptp(y)) * np.array([1.0, 0.61803])
    for a, b, c in corners:
        _wind(winding, a, b, c, x + nudge[0], y + nudge[1], z)
    return winding != 0


def _wind(
    winding: NDArray[np.int32], a: Points, b: Points, c: Points, x: Points, y: Points, z: Points
) -> None:
    """Add a triangle's turn to all lattice points below it."""
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    rows = slice(*np.searchsorted(x, [low[0], high[0]]))
    columns = slice(*np.searchsorted(y, [low[1], high[1]]))
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if area == 0 or rows.start == rows.stop or columns.start == columns.stop:
        return
    px, py = x[rows, None], y[None, columns]
    u = ((b[0] - px) * (c[1] - py) - (b[1] - py) * (c[0] - px)) / area
    v = ((c[0] - px) * (a[1] - py) - (c[1] - py) * (a[0] - px)) / area
    w = 1 - u - v
    inside = (u >= 0) & (v >= 0) & (w >= 0)
    height = u * a[2] + v * b[2] + w * c[2]
    below = inside[..., None] & (z < height[..., None])
    winding[rows, columns] += np.sign(area).astype(np.int32) * below


def psnr(found: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """Peak signal to noise in dB of each view, (views,), of images (views, height, width, 3) in
    [0, 1]; with ``mask`` (views, height, width, 1) over its pixels alone."""
    square = (found - truth) ** 2
    weight = torch.ones_like(square[..., :1]) if mask is None else mask.float()
    error = (square * weight).sum((1, 2, 3)) / (3 * weight.sum((1, 2, 3))).clamp_min(1)
    return -10 * error.clamp_min(1e-10).log10()


def novel_view_psnr(
    found: Tensor, found_alpha: Tensor, truth: Tensor, truth_alpha: Tensor
) -> Tensor:
    """:func:`psnr` (views,) of pictures over gray, inside the union of both masks."""
    union = (found_alpha > 0.5) | (truth_alpha > 0.5)
    return psnr(found, truth, union)
