"""A scene where whoever cuts it out of its picture will suppose it."""

import numpy as np

from backend.pocket.render import View, render_views
from backend.pocket.world.scenes import Scene


def centered(scene: Scene, view: View, fill: float, size: int = 256, rounds: int = 3) -> Scene:
    """The object moved and scaled until its outline is in the middle of the picture that ``view``
    shows, and its longer side ``fill`` of the frame: where pictures are cut out, centered and
    scaled like that, nothing is left to be aligned. Pictures of ``size`` pixels are looked at, in
    a few ``rounds``, since in perspective an object that comes nearer grows."""
    distance = 1.0 if view.orthographic else float(np.linalg.norm(view.c2w[:, 3]))
    pixel = 2 * view.half_height * distance / size
    right, up = view.c2w[:, :2].T
    for _ in range(rounds):
        solid = render_views(scene, [view], samples=1, size=size)["rgba"][0, ..., 3] > 0.5
        rows, columns = (np.flatnonzero(solid.any(axis)) for axis in (1, 0))
        x, y = (np.array([columns[0] + columns[-1], rows[0] + rows[-1]]) + 1 - size) / 2 * pixel
        scale = fill * size / (max(np.ptp(rows), np.ptp(columns)) + 1)
        offset = -scale * (x * right - y * up)
        scene = scene.moved(np.concatenate([scale * np.eye(3), offset[:, None]], 1))
    return scene


def reach(scene: Scene) -> float:
    """How far the scene's surface comes from the origin."""
    return float(max(np.linalg.norm(part.surface_points(), axis=1).max() for part in scene.parts))
