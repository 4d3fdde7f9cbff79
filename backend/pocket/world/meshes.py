"""Exact meshes of scenes with part labels, from the same description that the renders come from."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from backend.meshing.bake import dilate, rasterize_uvs
from backend.pocket.world.materials import Array
from backend.pocket.world.parts import (
    BOX,
    CAPSULE,
    ELLIPSOID,
    FRUSTUM,
    LATHE,
    PEBBLE,
    ROUNDED_BOX,
    SWEEP,
    TORUS,
    Part,
)
from backend.pocket.world.patterns import painted
from backend.pocket.world.scenes import Scene
from protocol.assets import Attribute, Image, Material, Mesh

Faces = NDArray[np.int32]
_MARGIN = 0.03  # of a chart's cell


@dataclass(frozen=True)
class Piece:
    """A part as triangles in its own coordinates: `local` (n, 3), `faces` (m, 3), `uvs` (m, 3, 2)
    in the unit square, and the way `along` a swept tube (n,)."""

    local: Array
    faces: Faces
    uvs: Array
    along: Array


def to_mesh(scene: Scene, segments: int = 32, texture_size: int | None = None) -> Mesh:
    """All parts as triangles, wound outward, with the attributes `part` (int, a face) and `color`
    (float, 4, a point), and UVs in which no two faces overlap.

    Parts overlap as they do in the scene; cut and uncapped ones are open. With a `texture_size`
    the paint is also in a base color map.
    """
    pieces = [piece_of(part, segments) for part in scene.parts]
    counts = [len(piece.local) for piece in pieces]
    starts = np.cumsum([0, *counts[:-1]])
    colors = [
        painted(part, piece.local, piece.along)
        for part, piece in zip(scene.parts, pieces, strict=True)
    ]
    labels = np.repeat(np.arange(len(pieces), dtype=np.int32), [len(p.faces) for p in pieces])
    mesh = Mesh(
        positions=np.concatenate(
            [_placed(part, piece) for part, piece in zip(scene.parts, pieces, strict=True)]
        ).astype(np.float32),
        faces=np.concatenate(
            [piece.faces + start for piece, start in zip(pieces, starts, strict=True)]
        ).astype(np.int32),
        uvs=_atlas([piece.uvs for piece in pieces]).astype(np.float32),
        attributes={"part": Attribute("face", labels), "color": Attribute("point", _rgba(colors))},
    )
    if texture_size is not None:
        mesh.material = Material(base_color_map=_texture(scene, pieces, mesh, texture_size))
    return mesh


def part_mesh(part: Part, segments: int = 32) -> tuple[Array, Faces]:
    """One part as positions (n, 3) in world space and faces (m, 3)."""
    piece = piece_of(part, segments)
    return _placed(part, piece), piece.faces


def piece_of(part: Part, segments: int) -> Piece:
    """One part, with enough points for its pattern."""
    finest = 2 / segments if part.material.pattern != "plain" else np.inf
    if part.shape in (BOX, ROUNDED_BOX):
        coarse = part.shape == BOX and np.isinf(finest)
        return _boxy(part, 1 if coarse else max(1, segments // 4))
    if part.shape == SWEEP:
        return _swept(_refined(part.params, finest), segments)
    profile, closed = _profile(part, segments)
    profile = profile if closed else _refined(profile, finest)
    exponent = part.params[0] if part.shape == PEBBLE else 2.0
    return _gridded(_revolved(profile, segments, exponent), closed)


def _placed(part: Part, piece: Piece) -> Array:
    return piece.local @ part.local_to_world[:, :3].T + part.local_to_world[:, 3]


def _rgba(colors: list[Array]) -> NDArray[np.float32]:
    rgb = np.concatenate(colors).astype(np.float32)
    return np.concatenate([rgb, np.ones((len(rgb), 1), np.float32)], 1)


def _texture(scene: Scene, pieces: list[Piece], mesh: Mesh, size: int) -> Image:
    """The paint of every texel that a face owns; the others take the nearest."""
    owner, weights = rasterize_uvs(mesh.uvs, size)
    pixels, covered = np.zeros((size, size, 3), np.uint8), owner >= 0
    starts = np.cumsum([0, *(len(piece.faces) for piece in pieces)])
    for part, piece, first, last in zip(
        scene.parts, pieces, starts[:-1], starts[1:], strict=True
    ):
        own = (owner >= first) & (owner < last)
        corners, share = piece.faces[owner[own] - first], weights[own].astype(float)
        local = np.einsum("nk,nkc->nc", share, piece.local[corners])
        colors = painted(part, local, (share * piece.along[corners]).sum(1))
        pixels[own] = colors * 255 + 0.5
    return Image(dilate(pixels, covered))


def _atlas(charts: list[Array]) -> Array:
    """The unit squares of all parts, side by side in one."""
    side = int(np.ceil(np.sqrt(len(charts))))
    cells = [np.array([i % side, i // side]) for i in range(len(charts))]
    return np.concatenate(
        [_in_cell(uvs, cell) / side for uvs, cell in zip(charts, cells, strict=True)]
    )


def _in_cell(uvs: Array, cell: Array) -> Array:
    return cell + _MARGIN + (1 - 2 * _MARGIN) * uvs


def _refined(rows: Array, longest: float) -> Array:
    """Rows (n, d) with others between, evenly, so that no step is longer than `longest`."""
    if np.isinf(longest):
        return rows
    pieces = []
    for start, end in pairwise(rows):
        count = int(np.ceil(np.abs(end - start).max() / longest))
        pieces.append(start + np.arange(count)[:, None] / count * (end - start))
    return np.concatenate([*pieces, rows[-1:]])


def _profile(part: Part, segments: int) -> tuple[Array, bool]:
    """(radius, z) from bottom to top of a surface of revolution; whether it closes on itself."""
    p = part.params
    if part.shape == ELLIPSOID:
        angles = np.linspace(np.arcsin(max(p[0], -1)), np.arcsin(min(p[1], 1)), segments // 2 + 1)
        return np.stack([np.cos(angles), np.sin(angles)], 1), False
    if part.shape == PEBBLE:
        angles = np.linspace(-np.pi / 2, np.pi / 2, 2 * (segments // 4) + 1)
        return _power(np.stack([np.cos(angles), np.sin(angles)], 1), 2 / p[1]), False
    if part.shape == TORUS:
        angles = np.linspace(0, 2 * np.pi, segments, endpoint=False)
        return np.stack([1 + p[0] * np.cos(angles), p[0] * np.sin(angles)], 1), True
    if part.shape == CAPSULE:
        angles = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 2)
        z = p[1] * np.sin(angles) + np.where(angles > 0, p[0], -p[0])
        return np.stack([p[1] * np.cos(angles), z], 1), False
    if part.shape == LATHE:
        return p[np.append(True, (np.diff(p[:, :2], axis=0) != 0).any(1)), :2], False
    if part.shape != FRUSTUM:
        raise ValueError(f"shape {part.shape} is no surface of revolution")
    wall = [(p[0], -1.0), (p[1], 1.0)]
    return np.array([(0.0, -1.0), *wall, (0.0, 1.0)] if p[2] else wall), False


def _power(values: Array, exponent: float) -> Array:
    return np.sign(values) * np.abs(np.where(np.abs(values) < 1e-12, 0, values)) ** exponent


def _circle(segments: int, exponent: float = 2.0) -> Array:
    """Points of the curve |x|^e + |y|^e = 1, (segments, 2)."""
    angles = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    return _power(np.stack([np.cos(angles), np.sin(angles)], 1), 2 / exponent)


def _revolved(profile: Array, segments: int, exponent: float) -> Array:
    """The profile turned about z, (rows, segments, 3)."""
    grid = np.empty((len(profile), segments, 3))
    grid[..., :2] = profile[:, None, :1] * _circle(segments, exponent)
    grid[..., 2] = profile[:, 1:]
    return grid


def _swept(balls: Array, segments: int) -> Piece:
    """Rings across the curve through the balls, and half balls at its ends."""
    chords = np.diff(balls[:, :3], axis=0)
    lengths = np.linalg.norm(chords, axis=1)
    chords = chords / lengths[:, None]
    tangents = np.concatenate([chords[:1], chords[:-1] + chords[1:], chords[-1:]])
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    across = _frames(tangents) @ _circle(segments).T * balls[:, 3, None, None]
    rings = balls[:, None, :3] + across.transpose(0, 2, 1)
    start = _half_ball(balls[0, :3], rings[0], -tangents[0], segments)
    end = _half_ball(balls[-1, :3], rings[-1], tangents[-1], segments)
    way = np.concatenate([[0.0], np.cumsum(lengths)])
    grid = np.concatenate([start[::-1], rings, end])
    return _gridded(grid, False, np.pad(way, len(start), mode="edge"))


def _frames(tangents: Array) -> Array:
    """Two unit vectors across each tangent, (n, 3, 2), turned no more than the curve turns."""
    side = np.eye(3)[np.argmin(np.abs(tangents[0]))]
    frames = []
    for tangent in tangents:
        side = side - (side @ tangent) * tangent
        side = side / np.linalg.norm(side)
        frames.append(np.stack([side, np.cross(tangent, side)], 1))
    return np.stack(frames)


def _half_ball(center: Array, ring: Array, tangent: Array, segments: int) -> Array:
    """Rings (k, segments, 3) from a ring to its pole along the tangent, without the ring itself."""
    radius = np.linalg.norm(ring[0] - center)
    angles = np.linspace(0, np.pi / 2, segments // 4 + 1)[1:, None, None]
    cosine = np.where(angles > np.pi / 2 - 1e-9, 0, np.cos(angles))
    return center + cosine * (ring - center) + np.sin(angles) * radius * tangent


def _gridded(grid: Array, closed: bool, way: Array | None = None) -> Piece:
    """Triangles over rows of rings (rows, segments, 3); rows of one point become one vertex."""
    rows, segments = grid.shape[:2]
    counts = np.where(np.ptp(grid, axis=1).max(1) < 1e-12, 1, segments)
    index = (np.cumsum(counts) - counts)[:, None] + np.arange(segments) % counts[:, None]
    i, j = np.meshgrid(np.arange(rows - (not closed)), np.arange(segments), indexing="ij")
    quads = np.stack([[i, i, i + 1, i + 1], [j, j + 1, j + 1, j]], -1).reshape(4, -1, 2)
    corners = quads[[[0, 1, 2], [0, 2, 3]]].transpose(0, 2, 1, 3).reshape(-1, 3, 2)
    faces = index[corners[..., 0] % rows, corners[..., 1] % segments]
    kept = np.all(faces != np.roll(faces, 1, 1), axis=1)
    uvs = _grid_uvs(grid, closed)[corners[..., 0], corners[..., 1]]
    return Piece(
        np.concatenate([row[:count] for row, count in zip(grid, counts, strict=True)]),
        faces[kept].astype(np.int32),
        uvs[kept],
        np.repeat(np.zeros(rows) if way is None else way, counts),
    )


def _grid_uvs(grid: Array, closed: bool) -> Array:
    """u once around, v by the length of the way up: (rows, segments + 1, 2), closed rows + 1."""
    grid = np.concatenate([grid, grid[:1]]) if closed else grid
    steps = np.linalg.norm(np.diff(grid, axis=0), axis=2).max(1)
    v = np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()
    u = np.linspace(0, 1, grid.shape[1] + 1)
    return np.stack(np.broadcast_arrays(u, v[:, None]), -1)


def _boxy(part: Part, steps: int) -> Piece:
    """A box, tapered or rounded: the cube's surface, moved."""
    cube, faces, uvs = _cube(steps)
    if part.shape == BOX:
        top = 0.5 * (1 - cube[:, 2:]) + 0.5 * (1 + cube[:, 2:]) * part.params[:2]
        local = cube * np.concatenate([top, np.ones((len(cube), 1))], 1)
        return Piece(local, faces, uvs, np.zeros(len(cube)))
    edge = part.params[3]
    core = part.params[:3] - edge
    # Grid lines crowd into the rounded border: the outer third of each face covers it.
    flat = np.clip(cube * 1.5, -1, 1) * core
    normal = np.sign(cube) * np.clip((np.abs(cube) - 2 / 3) * 3, 0, 1)
    normal = np.tan(normal * np.pi / 4)
    local = flat + edge * normal / np.linalg.norm(normal, axis=1, keepdims=True)
    return Piece(local, faces, uvs, np.zeros(len(cube)))


def _cube(steps: int) -> tuple[Array, Faces, Array]:
    """The surface of [-1, 1]^3 as a grid of squares cut in two, without doubled vertices, and the
    UVs of its sides, three in a row."""
    lines = np.linspace(-1, 1, 3 * steps + 1 if steps > 1 else 2)
    count = len(lines)
    u, v = (grid.ravel() for grid in np.meshgrid(lines, lines, indexing="ij"))
    flat = np.stack([u, v], 1) / 2 + 0.5
    corner = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
    quad = np.stack([corner, corner + count, corner + count + 1, corner + 1], 1)
    squares = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
    positions, faces, uvs = [], [], []
    for side in range(6):
        axis, sign = side // 2, -1.0 if side % 2 else 1.0
        points = np.empty((count * count, 3))
        points[:, axis] = sign
        points[:, (axis + 1) % 3], points[:, (axis + 2) % 3] = u, v
        wound = squares if sign > 0 else squares[:, ::-1]
        uvs.append(_in_cell(flat, np.array([axis, side % 2]))[wound] / (3, 2))
        faces.append(wound + side * count * count)
        positions.append(points)
    merged, index = np.unique(np.round(np.concatenate(positions), 9), axis=0, return_inverse=True)
    return merged, index.reshape(-1)[np.concatenate(faces)].astype(np.int32), np.concatenate(uvs)
