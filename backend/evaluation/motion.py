"""Measures of a motion: positions (frames, n, 3) of the vertices of one mesh."""

from dataclasses import replace

import numpy as np

from backend.evaluation.abilities import same_thing
from backend.evaluation.judge import JudgeNetwork, load_judge
from backend.evaluation.looking import look_at
from protocol.assets import FloatArray, Mesh


def first_frame_error(positions: FloatArray, still: FloatArray) -> float:
    """The largest distance of a vertex in the first frame from the still object (n, 3); 0 where
    all bits are the same."""
    if positions[0].tobytes() == still.tobytes():
        return 0.0
    away = float(np.linalg.norm(positions[0] - still, axis=-1).max())
    return max(away, float(np.finfo(np.float32).tiny))


def closing_gap(positions: FloatArray) -> float:
    """The largest distance of a vertex in the last frame from where it was in the first."""
    return float(np.linalg.norm(positions[-1] - positions[0], axis=-1).max())


def amount(positions: FloatArray) -> float:
    """How much moves: the root mean square distance from the first frame, longest side = 1."""
    away = np.square(_displacements(positions)).sum(-1).mean() ** 0.5
    return float(away / np.ptp(positions[0], axis=0).max())


def followed(positions: FloatArray, wanted: FloatArray) -> float:
    """How alike two motions of the same vertices are, at the same times: the cosine of all their
    displacements from the first frame, in [-1, 1]; 0 where either stays. Blind to how large they
    are: see :func:`amount`."""
    if positions.shape != wanted.shape:
        raise ValueError(f"motions of {positions.shape} and {wanted.shape} are not comparable")
    first, second = _displacements(positions), _displacements(wanted)
    length = np.linalg.norm(first) * np.linalg.norm(second)
    return float((first * second).sum() / length) if length > 0 else 0.0


def nearer_than_still(positions: FloatArray, wanted: FloatArray) -> bool:
    """Whether a motion is nearer to the wanted one than the still object is, over all vertices and
    frames: the right way, and neither too far nor at the wrong time."""
    if positions.shape != wanted.shape:
        raise ValueError(f"motions of {positions.shape} and {wanted.shape} are not comparable")
    away, still = positions - wanted, wanted - wanted[:1]
    return bool(np.square(away).sum() < np.square(still).sum())


def identity(mesh: Mesh, positions: FloatArray, judge: JudgeNetwork | None = None) -> float:
    """The share of views, eight from all around in each frame, in which the judge sees the kind
    and color that it sees from there in the still object."""
    judge = judge or load_judge()
    still = look_at(mesh)
    same = [
        float(same_thing(shown[None], wanted[None], judge))
        for frame in positions
        for shown, wanted in zip(look_at(_posed(mesh, frame)), still, strict=True)
    ]
    return float(np.mean(same))


def _posed(mesh: Mesh, positions: FloatArray) -> Mesh:
    return replace(mesh, positions=positions, normals=None)


def _displacements(positions: FloatArray) -> np.ndarray:
    return positions.astype(np.float64) - positions[0]
