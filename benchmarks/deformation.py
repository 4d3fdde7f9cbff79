"""What does one iteration of a deformation by Jacobians cost at 10 k vertices, beside ARAP's?

Poisson solve, loss of one handle, adjoint and Adam, in double precision; libigl's as-rigid-as-
possible solver (local and global step) has the same anchors and handle.
"""

import numpy as np
import torch
import trimesh

from backend.deformation.fields import JacobianField
from backend.deformation.handles import Drag
from protocol.assets import Handles, Mesh

from .timing import Timing, best_seconds

ARAP_ITERATIONS = 10


def measure() -> list[Timing]:
    mesh, handles = _ellipsoid()
    drag = Drag.of(mesh, handles)
    field = JacobianField(drag, mesh.faces)
    optimizer = torch.optim.Adam(field.parameters(), 1e-3, fused=True)

    def iterate() -> None:
        optimizer.zero_grad()
        drag.loss(field()).backward()
        optimizer.step()

    seconds = best_seconds(iterate, repeats=300, warm_up=5)
    arap = _arap_seconds(drag, mesh.faces)
    begin = best_seconds(lambda: JacobianField(drag, mesh.faces), repeats=3)
    return [
        Timing("Jacobians: solve, adjoint, Adam", seconds, f"{1 / seconds:.0f} a second"),
        Timing("libigl's ARAP, one iteration", arap, f"{1 / arap:.0f} a second"),
        Timing("Jacobians: operators and factor, once", begin, f"{len(mesh.positions)} vertices"),
    ]


def _arap_seconds(drag: Drag, faces: np.ndarray) -> float:
    """Of one iteration, from runs of several."""
    import igl

    pinned = np.concatenate([drag.fixed, drag.pulled.numpy()])
    places = np.concatenate([drag.rest.numpy()[drag.fixed], drag.targets.numpy()])
    solver = igl.ARAPData()
    solver.max_iter = ARAP_ITERATIONS
    igl.arap_precomputation(drag.rest.numpy(), faces.astype(np.int64), 3, pinned, solver)
    start = drag.rest.numpy()
    return best_seconds(lambda: igl.arap_solve(places, solver, start), 30) / ARAP_ITERATIONS


def _ellipsoid() -> tuple[Mesh, Handles]:
    """10 242 vertices; the top is pulled aside, the foot stays."""
    ball = trimesh.creation.icosphere(5)
    positions = (np.asarray(ball.vertices) * [0.5, 0.35, 0.8]).astype(np.float32)
    top = np.array([positions[:, 2].argmax()], np.int32)
    foot = np.flatnonzero(positions[:, 2] < -0.6).astype(np.int32)
    handles = Handles(top, positions[top] + np.array([0.25, 0, 0], np.float32), foot)
    return Mesh(positions, np.asarray(ball.faces, np.int32)), handles
