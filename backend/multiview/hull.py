"""The visual hull: the largest shape with the outlines that some views show (Laurentini 1994)."""

from torch import Tensor

from backend.meshing.isosurface import close_level, sample_density
from backend.meshing.surface import surface_of_level
from backend.rendering.cameras import Cameras
from backend.rendering.lookup import look_up, places_of
from protocol.assets import Mesh


def visual_hull(
    cameras: Cameras, alpha: Tensor, resolution: int = 96, faces: int = 100_000
) -> Mesh:
    """A closed mesh of the points that are inside the outline in every view; ``alpha``:
    (views, height, width, 1). What lies outside of a view's frame is outside of the shape."""

    def least_alpha(points: Tensor) -> Tensor:
        return alpha_at(cameras, alpha, points).amin(0)

    level = sample_density(least_alpha, resolution) - 0.5
    return surface_of_level(close_level(4 * level), faces)


def inside_outlines(cameras: Cameras, alpha: Tensor, points: Tensor, least: float) -> Tensor:
    """Those of ``points`` (n, 3) at which every view has an alpha above ``least``."""
    for view in range(len(cameras)):  # one after another: most points are gone after a few
        points = points[alpha_at(cameras[[view]], alpha[[view]], points)[0] > least]
    return points


def alpha_at(cameras: Cameras, alpha: Tensor, points: Tensor) -> Tensor:
    """What each view's ``alpha`` (views, height, width, 1) is where ``points`` (n, 3) appear in it,
    (views, n); zero outside of its frame."""
    places, _ = places_of(points, cameras)
    return look_up(alpha[..., 0], places)
