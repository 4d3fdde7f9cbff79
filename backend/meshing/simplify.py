"""Fewer triangles for the same shape, by quadric edge collapse."""

import fast_simplification
import numpy as np
from numpy.typing import NDArray

from backend.meshing.clean import make_manifold

Positions = NDArray[np.float32]
Faces = NDArray[np.int32]


def simplify(positions: Positions, faces: Faces, budget: int) -> tuple[Positions, Faces]:
    """At most ``budget`` triangles; stays closed.

    Thin parts and rings keep some hundreds of triangles even under a smaller budget, and a mesh
    that is within its budget comes back as it is.
    """
    if len(faces) <= budget:
        return positions, faces
    fewer, left = fast_simplification.simplify(positions, faces, target_count=budget)
    # Collapses can fold thin parts flat onto themselves.
    return make_manifold(fewer.astype(np.float32), left.astype(np.int32))
