"""Closed surfaces to deform."""

import numpy as np
import trimesh

from protocol.assets import Handles, Mesh


def ellipsoid(subdivisions: int = 2) -> Mesh:
    """Radii .5, .35 and .8; 162 vertices at two subdivisions."""
    ball = trimesh.creation.icosphere(subdivisions)
    positions = (np.asarray(ball.vertices) * [0.5, 0.35, 0.8]).astype(np.float32)
    return Mesh(positions, np.asarray(ball.faces, np.int32))


def pull(mesh: Mesh, by: tuple[float, float, float] = (0.25, 0.0, 0.05)) -> Handles:
    """The highest vertex is pulled away, those at the foot stay."""
    top = np.array([mesh.positions[:, 2].argmax()], np.int32)
    anchors = np.flatnonzero(mesh.positions[:, 2] < -0.55).astype(np.int32)
    return Handles(top, mesh.positions[top] + np.float32(by), anchors)
