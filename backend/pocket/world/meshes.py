"""Exact meshes of scenes with part labels, from the same description that the renders come from."""

import numpy as np
from numpy.typing import NDArray

from backend.pocket.world.materials import Array
from backend.pocket.world.parts import BOX, CAPSULE, ELLIPSOID, FRUSTUM, ROUNDED_BOX, TORUS, Part
from backend.pocket.world.scenes import Scene
from protocol.assets import Attribute, Mesh

Faces = NDArray[np.int32]


def to_mesh(scene: Scene, segments: int = 32) -> Mesh:
    """All parts as triangles, wound outward, with the attributes `part` (int, a face) and `color`
    (float, 4, a point). Parts overlap as they do in the scene; cut and uncapped ones are open.
    """
    pieces = [part_mesh(part, segments) for part in scene.parts]
    counts = [len(positions) for positions, _ in pieces]
    starts = np.cumsum([0, *counts[:-1]])
    faces = [faces + start for (_, faces), start in zip(pieces, starts, strict=True)]
    labels = np.repeat(np.arange(len(pieces), dtype=np.int32), [len(f) for f in faces])
    colors = np.stack([np.append(np.clip(part.color, 0, 1), 1.0) for part in scene.parts])
    return Mesh(
        positions=np.concatenate([positions for positions, _ in pieces]).astype(np.float32),
        faces=np.concatenate(faces).astype(np.int32),
        attributes={
            "part": Attribute("face", labels),
            "color": Attribute("point", np.repeat(colors, counts, 0).astype(np.float32)),
        },
    )


def part_mesh(part: Part, segments: int = 32) -> tuple[Array, Faces]:
    """One part as positions (n, 3) in world space and faces (m, 3)."""
    if part.shape in (BOX, ROUNDED_BOX):
        positions, faces = _boxy(part, max(1, segments // 4))
    else:
        profile, closed = _profile(part, segments)
        positions, faces = _revolved(profile, closed, segments)
    world = positions @ part.local_to_world[:, :3].T + part.local_to_world[:, 3]
    return world, faces


def _profile(part: Part, segments: int) -> tuple[Array, bool]:
    """(radius, z) from bottom to top of a surface of revolution; whether it closes on itself."""
    p = part.params
    if part.shape == ELLIPSOID:
        angles = np.linspace(np.arcsin(max(p[0], -1)), np.arcsin(min(p[1], 1)), segments // 2 + 1)
        return np.stack([np.cos(angles), np.sin(angles)], 1), False
    if part.shape == TORUS:
        angles = np.linspace(0, 2 * np.pi, segments, endpoint=False)
        return np.stack([1 + p[0] * np.cos(angles), p[0] * np.sin(angles)], 1), True
    if part.shape == CAPSULE:
        angles = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 2)
        z = p[1] * np.sin(angles) + np.where(angles > 0, p[0], -p[0])
        return np.stack([p[1] * np.cos(angles), z], 1), False
    if part.shape != FRUSTUM:
        raise ValueError(f"shape {part.shape} is no surface of revolution")
    wall = [(p[0], -1.0), (p[1], 1.0)]
    return np.array([(0.0, -1.0), *wall, (0.0, 1.0)] if p[2] else wall), False


def _revolved(profile: Array, closed: bool, segments: int) -> tuple[Array, Faces]:
    """The profile turned about z; points of no radius become one vertex."""
    angles = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    rings, positions = [], []
    for radius, z in profile:
        start = sum(len(ring) for ring in positions)
        count = 1 if radius < 1e-9 else segments
        turns = angles[:count]
        ring = np.stack([radius * np.cos(turns), radius * np.sin(turns), np.full(count, z)], 1)
        positions.append(ring)
        rings.append(start + np.arange(segments) % count)
    following = rings[1:] + rings[:1] if closed else rings[1:]
    faces = [_strip(below, above) for below, above in zip(rings, following, strict=False)]
    return np.concatenate(positions), np.concatenate(faces).astype(np.int32)


def _strip(below: NDArray[np.int64], above: NDArray[np.int64]) -> NDArray[np.int64]:
    """Two triangles between each pair of neighbors of two rings, without those of no area."""
    b, a = np.roll(below, -1), np.roll(above, -1)
    faces = np.concatenate([np.stack([below, b, a], 1), np.stack([below, a, above], 1)])
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2])
    return faces[distinct & (faces[:, 2] != faces[:, 0])]


def _boxy(part: Part, steps: int) -> tuple[Array, Faces]:
    """A box, tapered or rounded: the cube's surface, moved."""
    if part.shape == BOX:
        cube, faces = _cube(1)
        top = np.where(cube[:, 2:] > 0, part.params[:2], 1.0)
        return cube * np.concatenate([top, np.ones((len(cube), 1))], 1), faces
    cube, faces = _cube(steps)
    edge = part.params[3]
    core = part.params[:3] - edge
    # Grid lines crowd into the rounded border: the outer third of each face covers it.
    flat = np.clip(cube * 1.5, -1, 1) * core
    normal = np.sign(cube) * np.clip((np.abs(cube) - 2 / 3) * 3, 0, 1)
    normal = np.tan(normal * np.pi / 4)
    return flat + edge * normal / np.linalg.norm(normal, axis=1, keepdims=True), faces


def _cube(steps: int) -> tuple[Array, Faces]:
    """The surface of [-1, 1]^3 as a grid of squares cut in two, without doubled vertices."""
    lines = np.linspace(-1, 1, 3 * steps + 1 if steps > 1 else 2)
    count = len(lines)
    u, v = (grid.ravel() for grid in np.meshgrid(lines, lines, indexing="ij"))
    corner = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
    quad = np.stack([corner, corner + count, corner + count + 1, corner + 1], 1)
    pieces = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
    positions, faces = [], []
    for axis in range(3):
        for side in (-1.0, 1.0):
            points = np.empty((count * count, 3))
            points[:, axis] = side
            points[:, (axis + 1) % 3], points[:, (axis + 2) % 3] = u, v
            faces.append((pieces if side > 0 else pieces[:, ::-1]) + len(positions) * count * count)
            positions.append(points)
    merged, index = np.unique(np.round(np.concatenate(positions), 9), axis=0, return_inverse=True)
    return merged, index.reshape(-1)[np.concatenate(faces)].astype(np.int32)
