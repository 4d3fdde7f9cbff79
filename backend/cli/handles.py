"""Handles and anchors from a file, as the input of a job.

The file is JSON, in the unit ball that the mesh is scaled into (z up, the front faces -y):

    {"handles": [{"at": [0, -0.6, 0.4], "radius": 0.2, "by": [0, 0, 0.3]}],
     "anchors": [{"box": [-1, -1, -1, 1, 1, -0.4]}]}

A place is the vertices within ``radius`` of ``at`` (without a radius the nearest one), those in a
``box`` between two corners, or ``vertices`` by number. A handle goes ``by`` a way, or with its
middle ``to`` a point.
"""

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from protocol.assets import Asset, FloatArray, Handles, Mesh
from protocol.errors import InputError

Point = tuple[float, float, float]
EXAMPLE = '{"handles": [{"at": [0, 0, 0.9], "to": [0.2, 0, 1]}], "anchors": [{"box": [...]}]}'


class Place(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Vertices of a mesh, said in one of three ways."""

    at: Point | None = None
    radius: float = 0.0
    box: tuple[float, float, float, float, float, float] | None = None
    vertices: list[int] | None = None

    def find(self, positions: FloatArray) -> NDArray[np.int32]:
        """Their numbers. Raises :class:`InputError` where there are none."""
        if [self.at, self.box, self.vertices].count(None) != 2:
            raise _invalid("a place is one of at, box and vertices")
        found = self._find(positions)
        if len(found) == 0:
            raise _invalid(f"no vertex lies in {msgspec.json.encode(self).decode()}")
        return found.astype(np.int32)

    def _find(self, positions: FloatArray) -> NDArray[np.int64]:
        if self.vertices is not None:
            return np.array(self.vertices, np.int64)
        if self.box is not None:
            low, high = np.sort(np.array(self.box).reshape(2, 3), 0)
            return np.flatnonzero(((positions >= low) & (positions <= high)).all(1))
        away = np.linalg.norm(positions - np.array(self.at), axis=1)
        return np.flatnonzero(away <= max(self.radius, away.min()))


class Handle(Place, kw_only=True):
    """A place, and where it goes."""

    to: Point | None = None
    by: Point | None = None

    def targets(self, places: FloatArray) -> FloatArray:
        """Where vertices at ``places`` (k, 3) go. Raises :class:`InputError` where it is not said,
        or twice."""
        if (self.to is None) == (self.by is None):
            raise InputError(
                "handle_without_target", "A handle has no target, or two.",
                'Say where it goes: "to": [x, y, z], or "by": [dx, dy, dz].',
            )
        way = np.array(self.by) if self.to is None else np.array(self.to) - places.mean(0)
        return (places + way).astype(np.float32)


class HandlesFile(msgspec.Struct, forbid_unknown_fields=True):
    """What the file holds."""

    handles: list[Handle]
    anchors: list[Place]


def read_handles(path: Path, mesh: Mesh) -> Asset:
    """The input ``handles`` from a file, on ``mesh``. Raises :class:`InputError` where there is no
    such file, or it does not say what goes where."""
    try:
        told = msgspec.json.decode(path.read_bytes(), type=HandlesFile)
    except (OSError, msgspec.DecodeError) as error:
        raise _invalid(str(error)) from error
    size, positions = len(mesh.positions), mesh.positions
    pulled = [handle.find(positions) for handle in told.handles]
    held = [place.find(positions) for place in told.anchors]
    _check_numbers([*pulled, *held], size)
    targets = [
        handle.targets(positions[found])
        for handle, found in zip(told.handles, pulled, strict=True)
    ]
    handles = Handles(
        np.concatenate([np.zeros(0, np.int32), *pulled]),
        np.concatenate([np.zeros((0, 3), np.float32), *targets]),
        np.unique(np.concatenate([np.zeros(0, np.int32), *held])),
    )
    handles.check()
    return Asset(path.stem, handles=handles)


def _check_numbers(found: list[NDArray[np.int32]], size: int) -> None:
    for numbers in found:
        if numbers.min() < 0 or numbers.max() >= size:
            raise _invalid(f"the mesh has vertices 0 to {size - 1}")


def _invalid(reason: str) -> InputError:
    return InputError(
        "handles_invalid", f"These handles cannot be used: {reason}.", f"Write them as {EXAMPLE}."
    )
