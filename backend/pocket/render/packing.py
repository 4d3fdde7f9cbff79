"""Scenes as the arrays that the ray caster reads."""

import numpy as np
from numpy.typing import NDArray

from backend.pocket.world.materials import Array
from backend.pocket.world.parts import LATHE, SWEEP, Part
from backend.pocket.world.patterns import paint_row
from backend.pocket.world.scenes import Scene

_COLUMNS = 10  # of a piece of a tube or profile
Packed = tuple[NDArray[np.int64], Array, Array, Array, Array, Array, NDArray[np.int64]]


def packed(scene: Scene) -> Packed:
    """Shapes (P,), matrices and inverses (P, 3, 4), params (P, 4), bounds (P, 2, 3: center, half
    sizes), pieces (K, 10) of tubes and profiles, and each part's first and last piece (P, 2)."""
    matrices = np.stack([part.local_to_world for part in scene.parts])
    linear = np.linalg.inv(matrices[:, :, :3])
    inverses = np.concatenate([linear, -linear @ matrices[:, :, 3:]], 2)
    pieces = [_pieces(part) for part in scene.parts]
    ends = np.cumsum([len(rows) for rows in pieces])
    params = np.zeros((len(pieces), 4))
    for row, part in zip(params, scene.parts, strict=True):
        if part.params.ndim == 1:
            row[: len(part.params)] = part.params
    return (
        np.array([part.shape for part in scene.parts]), matrices, inverses, params,
        np.array([part.local_bounds() for part in scene.parts]), np.concatenate(pieces),
        np.stack([ends - [len(rows) for rows in pieces], ends], 1),
    )  # fmt: skip


def paints(scene: Scene) -> tuple[Array, Array]:
    """Paint rows (P, 12) and the maps to object coordinates (P, 3, 4)."""
    return np.stack([paint_row(p) for p in scene.parts]), np.stack([p.rest for p in scene.parts])


def _pieces(part: Part) -> Array:
    """See `hit_sweep` and `hit_lathe`."""
    if part.shape == SWEEP:
        return _round_cones(part.params)
    if part.shape != LATHE:
        return np.empty((0, _COLUMNS))
    rows = np.flatnonzero(part.params[:, 4])
    ends = part.params[:, [0, 1, 3, 2]] * (1, 1, 1, -1)
    padding = np.zeros((len(rows), _COLUMNS - 8))
    return np.concatenate([ends[rows], ends[rows + 1], padding], 1)


def _round_cones(balls: Array) -> Array:
    chords = np.diff(balls[:, :3], axis=0)
    lengths = np.linalg.norm(chords, axis=1)
    way = np.cumsum(lengths) - lengths
    columns = [balls[:-1, :3], chords / lengths[:, None], lengths[:, None]]
    return np.concatenate([*columns, balls[:-1, 3:], balls[1:, 3:], way[:, None]], 1)
