"""Baking: what a surface looks like, written into a texture."""

from collections.abc import Callable

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from protocol.assets import Image, Mesh

SurfaceQuery = Callable[[Tensor, Tensor], Tensor]
VolumeQuery = Callable[[Tensor], tuple[Tensor, Tensor]]
Floats = NDArray[np.float32]

POINTS_AT_ONCE = 1 << 17


def bake(mesh: Mesh, texture_size: int, query: SurfaceQuery, device: str = "cpu") -> Image:
    """A texture of what ``query`` says at the surface; texels between charts take the nearest.

    ``query`` maps points and outward unit normals, both (n, 3), to values (n, channels) in [0, 1].
    The mesh needs UVs and normals.
    """
    if mesh.uvs is None or mesh.normals is None:
        raise ValueError("baking wants a mesh with uvs and normals")
    owner, weights = rasterize_uvs(mesh.uvs, texture_size)
    covered = owner >= 0
    corners = mesh.faces[owner[covered]]
    share = weights[covered][..., None]
    points = (mesh.positions[corners] * share).sum(1)
    normals = (mesh.normals[corners] * share).sum(1)
    values = _ask(query, points, normals, device)
    pixels = np.zeros((texture_size, texture_size, values.shape[1]), np.uint8)
    pixels[covered] = (values * 255 + 0.5).clip(0, 255)
    return Image(dilate(pixels, covered))


def paint(mesh: Mesh, texture_size: int, colors: Floats) -> Image:
    """A texture of ``colors`` (n, channels) in [0, 1] at the vertices, blended over the faces."""
    if mesh.uvs is None:
        raise ValueError("painting wants a mesh with uvs")
    owner, weights = rasterize_uvs(mesh.uvs, texture_size)
    covered = owner >= 0
    blended = (colors[mesh.faces[owner[covered]]] * weights[covered][..., None]).sum(1)
    pixels = np.zeros((texture_size, texture_size, colors.shape[1]), np.uint8)
    pixels[covered] = (blended * 255 + 0.5).clip(0, 255)
    return Image(dilate(pixels, covered))


def rasterize_uvs(uvs: Floats, size: int) -> tuple[NDArray[np.int32], Floats]:
    """The face (size, size), or -1, and barycentric weights (size, size, 3) of each texel.

    Row 0 is the top of the picture, that is v = 1. Texels whose center a face misses by less than
    half a texel count too.
    """
    owner = np.full((size, size), -1, np.int32)
    weights = np.zeros((size, size, 3), np.float32)
    places = np.stack([uvs[..., 0] * size, (1 - uvs[..., 1]) * size], -1).astype(np.float32)
    _fill(places, owner, weights)
    return owner, weights


def texels_near(uvs: Floats, size: int, reach: float = 1.0) -> NDArray[np.bool_]:
    """Which texels (size, size) have their center within ``reach`` texels of a face of ``uvs``
    (k, 3, 2), along each axis: with 1, all that bilinear look-up on these faces blends."""
    places = np.stack([uvs[..., 0] * size, (1 - uvs[..., 1]) * size], -1).astype(np.float64)
    near = np.zeros((size, size), bool)
    _mark(places, reach, near)
    return near


def colors_at_vertices(mesh: Mesh, query: SurfaceQuery, device: str = "cpu") -> Floats:
    """RGBA (n, 4) at the vertices of a mesh with normals, as for :func:`bake`."""
    if mesh.normals is None:
        raise ValueError("vertex colors want a mesh with normals")
    values = _ask(query, mesh.positions, mesh.normals, device)
    return np.concatenate([values, np.ones((len(values), 1), np.float32)], 1)


def seen_from_outside(look_up: VolumeQuery, reach: float, samples: int = 8) -> SurfaceQuery:
    """A surface query for a volume: its color composited from ``reach`` outside to ``2 reach``
    inside along the normal, as a renderer would see it.

    Color at the surface alone is gray where the visible color sits a little deeper. ``look_up``
    maps points (n, 3) to density (n,) and color (n, 3).
    """
    offsets = torch.linspace(reach, -2 * reach, samples)
    step = 3 * reach / (samples - 1)

    def query(points: Tensor, normals: Tensor) -> Tensor:
        along = points[:, None] + offsets.to(points)[:, None] * normals[:, None]
        density, color = look_up(along.reshape(-1, 3))
        optical = density.reshape(-1, samples) * step
        passed = (-(optical.cumsum(1) - optical)).exp()
        # The last sample gets the rest, so that thin places keep a color of their own.
        weights = passed * torch.cat(
            [1 - (-optical[:, :-1]).exp(), torch.ones_like(optical[:, :1])], 1
        )
        return (weights[..., None] * color.reshape(-1, samples, 3)).sum(1)

    return query


@torch.no_grad()
def _ask(query: SurfaceQuery, points: Floats, normals: Floats, device: str) -> Floats:
    normals = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    pairs = zip(
        torch.from_numpy(points).split(POINTS_AT_ONCE),
        torch.from_numpy(normals).split(POINTS_AT_ONCE),
        strict=True,
    )
    values = [query(place.to(device), normal.to(device)).cpu() for place, normal in pairs]
    found: Floats = torch.cat(values).clamp(0, 1).numpy()
    return found


def dilate(pixels: NDArray[np.uint8], covered: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The picture (size, size, channels), its texels that are not covered as their nearest."""
    if not covered.any():
        return pixels
    rows, columns = distance_transform_edt(~covered, return_distances=False, return_indices=True)
    return pixels[rows, columns]


@njit(cache=True)
def _fill(places, owner, weights):  # type: ignore[no-untyped-def]
    size = owner.shape[0]
    for face in range(len(places)):
        (ax, ay), (bx, by), (cx, cy) = places[face, 0], places[face, 1], places[face, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        longest = max(abs(bx - ax) + abs(by - ay), abs(cx - bx) + abs(cy - by))
        slack = 0.5 * max(longest, abs(ax - cx) + abs(ay - cy)) / abs(area)
        left, right = int(min(ax, bx, cx) - 0.5), int(max(ax, bx, cx) + 1.5)
        top, bottom = int(min(ay, by, cy) - 0.5), int(max(ay, by, cy) + 1.5)
        for row in range(max(top, 0), min(bottom, size)):
            for column in range(max(left, 0), min(right, size)):
                x, y = column + 0.5, row + 0.5
                a = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
                b = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
                c = 1 - a - b
                least = min(a, b, c)
                # Inside wins over nearly inside; of those, the first face.
                held = owner[row, column] >= 0
                if least >= 0 or (least > -min(slack, 1.0) and not held):
                    owner[row, column] = face
                    a, b, c = max(a, 0.0), max(b, 0.0), max(c, 0.0)
                    weights[row, column, 0] = a / (a + b + c)
                    weights[row, column, 1] = b / (a + b + c)
                    weights[row, column, 2] = c / (a + b + c)


@njit(cache=True)
def _mark(places, reach, near):  # type: ignore[no-untyped-def]
    """A square of half-size ``reach`` meets a triangle where no axis parts them: the square's own
    (the bounds of the loops) or across an edge."""
    size = near.shape[0]
    for face in range(len(places)):
        (ax, ay), (bx, by), (cx, cy) = places[face, 0], places[face, 1], places[face, 2]
        turn = 1.0 if (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) >= 0 else -1.0
        first = max(int(np.ceil(min(ay, by, cy) - reach - 0.5)), 0)
        last = min(int(np.floor(max(ay, by, cy) + reach - 0.5)), size - 1)
        left = max(int(np.ceil(min(ax, bx, cx) - reach - 0.5)), 0)
        right = min(int(np.floor(max(ax, bx, cx) + reach - 0.5)), size - 1)
        for row in range(first, last + 1):
            for column in range(left, right + 1):
                x, y, apart = column + 0.5, row + 0.5, False
                for k in range(3):
                    px, py = places[face, k]
                    qx, qy = places[face, (k + 1) % 3]
                    across = turn * ((qx - px) * (y - py) - (qy - py) * (x - px))
                    apart |= across < -reach * (abs(qx - px) + abs(qy - py))
                near[row, column] |= not apart
