"""Which points lie inside a closed surface, or nearly closed one."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from protocol.assets import FloatArray, Mesh


def inside_box(box: FloatArray, points: FloatArray) -> NDArray[np.bool_]:
    """Which ``points`` (n, 3) lie in the image of the cube [-1, 1]^3 under ``box`` (4, 4)."""
    back = np.linalg.pinv(box[:3, :3].astype(np.float64))
    local = (points.astype(np.float64) - box[:3, 3]) @ back.T
    return np.asarray((np.abs(local) <= 1).all(1))


def inside_mesh(mesh: Mesh, points: FloatArray) -> NDArray[np.bool_]:
    """Which ``points`` (n, 3) a mesh surrounds: generalized winding number above one half in size
    (Jacobson et al., Robust Inside-Outside Segmentation, 2013), so that small holes do no harm."""
    corners = mesh.positions[mesh.faces].astype(np.float64)
    low, high = corners.min((0, 1)), corners.max((0, 1))
    near = ((points >= low) & (points <= high)).all(1)
    inside = np.zeros(len(points), bool)
    inside[near] = np.abs(winding_numbers(corners, points[near].astype(np.float64))) > 0.5
    return inside


@njit(cache=True, parallel=True, error_model="numpy")
def winding_numbers(corners, points):  # type: ignore[no-untyped-def]
    """How often triangles (m, 3, 3) wind around points (n, 3): solid angles by Van Oosterom and
    Strackee's formula over 4 pi."""
    total = np.zeros(len(points))
    for n in prange(len(points)):
        for m in range(len(corners)):
            a, b = corners[m, 0] - points[n], corners[m, 1] - points[n]
            c = corners[m, 2] - points[n]
            la, lb, lc = np.sqrt((a * a).sum()), np.sqrt((b * b).sum()), np.sqrt((c * c).sum())
            volume = (
                a[0] * (b[1] * c[2] - b[2] * c[1])
                + a[1] * (b[2] * c[0] - b[0] * c[2])
                + a[2] * (b[0] * c[1] - b[1] * c[0])
            )
            flat = la * lb * lc + (a * b).sum() * lc + (b * c).sum() * la + (c * a).sum() * lb
            total[n] += np.arctan2(volume, flat) / (2 * np.pi)
    return total
