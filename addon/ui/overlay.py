"""The growing shape: drawn over the viewport where the result will stand.

It is drawn rather than kept as an object because objects that appear and change outside of
operators are not in Blender's undo steps: undoing past them can crash, and a file saved meanwhile
would hold them.
"""

from collections.abc import Callable
from typing import Any

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ...protocol.assets import FloatArray, Mesh
from ..core.jobs import Job, Placement, Target
from ..runtime import runtime
from ..scene.meshes import COLOR_NAME, placed_positions
from ..scene.objects import BESIDE
from ..scene.sources import find_marked, transformed, world_matrix

LIGHT = np.array([-0.4, -0.6, 0.7], np.float32)
AMBIENT = 0.45
PLAIN = np.array([0.7, 0.7, 0.7], np.float32)

_handle: Any = None
_batches: dict[str, tuple[int, Any]] = {}


def shaded_triangles(
    mesh: Mesh, placement: Placement, target: Target | None = None
) -> tuple[FloatArray, FloatArray]:
    """Corners (3m, 3) in the scene and their colors (3m, 4), lit from one side: at the placement,
    or beside the object that the job works on.

    Display-encoded RGBA, which is what Blender's own shaders take.
    """
    corners = _places(mesh, placement, target)[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    light = AMBIENT + (1 - AMBIENT) * np.maximum(normals @ (LIGHT / np.linalg.norm(LIGHT)), 0)
    rgba = np.ones((len(mesh.faces), 3, 4), np.float32)
    rgba[..., :3] = _corner_colors(mesh) * light[:, None, None]
    return corners.reshape(-1, 3).astype(np.float32), rgba.reshape(-1, 4)


def _places(mesh: Mesh, placement: Placement, target: Target | None) -> FloatArray:
    if target is None:
        placed = placed_positions(mesh.positions, placement.size_meters)
        return placed + np.array(placement.location, np.float32)
    original = find_marked(target.id, placement.uid)
    world = (np.array(placement.matrix).reshape(4, 4) if original is None
             else world_matrix(original))
    stands = world @ np.array(target.to_object).reshape(4, 4)
    radius = np.cbrt(abs(np.linalg.det(stands[:3, :3])))
    beside = transformed(stands, mesh.positions) + (2 * BESIDE * radius, 0, 0)
    return beside.astype(np.float32)


def _corner_colors(mesh: Mesh) -> FloatArray:
    """Display-encoded colors (m, 3, 3): the mesh's own, or plain gray."""
    colors = mesh.attributes.get(COLOR_NAME)
    if colors is None or colors.domain != "point":
        return np.broadcast_to(PLAIN, (len(mesh.faces), 3, 3))
    return colors.values[:, :3][mesh.faces].astype(np.float32)


def _draw() -> None:
    running = runtime.session.running_jobs() if runtime.session else []
    jobs, placements = [job for job in running if job.shape is not None], runtime.placements
    for gone in set(_batches) - {job.id for job in jobs}:
        del _batches[gone]
    if not jobs:
        return
    shader = gpu.shader.from_builtin("SMOOTH_COLOR")
    shader.bind()
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    for job in jobs:
        _batch(job, placements.get(job.id, Placement()), shader).draw(shader)
    gpu.state.depth_mask_set(False)
    gpu.state.depth_test_set("NONE")


def _batch(job: Job, placement: Placement, shader: Any) -> Any:
    """The job's newest shape on the graphics card."""
    known = _batches.get(job.id)
    if known is None or known[0] != job.previews:
        assert job.shape is not None
        positions, colors = shaded_triangles(job.shape, placement, Target.of(job.spec))
        content: Any = {"pos": positions, "color": colors}
        batch = batch_for_shader(shader, "TRIS", content)
        known = _batches[job.id] = (job.previews, batch)
    return known[1]


def register() -> None:
    """Draw in every 3D viewport; there is none in the background."""
    global _handle
    draw: Callable[[], None] = _draw
    if not bpy.app.background:
        _handle = bpy.types.SpaceView3D.draw_handler_add(draw, (), "WINDOW", "POST_VIEW")


def unregister() -> None:
    """Stop drawing."""
    global _handle
    if _handle is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handle, "WINDOW")
    _handle = None
    _batches.clear()
