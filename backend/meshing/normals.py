"""Vertex normals."""

import numpy as np
from numpy.typing import NDArray


def vertex_normals(positions: NDArray[np.float32], faces: NDArray[np.int32]) -> NDArray[np.float32]:
    """Unit normals (n, 3): the sum of the adjacent faces' normals, weighted by their areas."""
    a, b, c = (positions[faces[:, corner]] for corner in range(3))
    face_normals = np.cross(b - a, c - a)
    flat = faces.ravel()
    sums = [
        np.bincount(flat, np.repeat(face_normals[:, axis], 3), minlength=len(positions))
        for axis in range(3)
    ]
    summed = np.stack(sums, 1)
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    return (summed / np.maximum(length, 1e-20)).astype(np.float32)
