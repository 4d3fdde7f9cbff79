"""Shape keys: what they mix to, and results that become some of them."""

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...protocol.assets import FloatArray
from ...protocol.errors import InputError
from .. import compat


def mixed_positions(owner: bpy.types.Object, data: Any) -> FloatArray:
    """(n, 3): the vertices of ``data`` as its relative shape keys mix them. Raises
    :class:`InputError` where the keys are absolute, beside which no new one can be put."""
    keys = data.shape_keys
    if not keys.use_relative:
        raise InputError(
            "shape_keys_absolute", f"{owner.name} has absolute shape keys.",
            "Turn on Relative in its shape keys, or apply them.",
        )
    mixed = read_key(keys.reference_key).astype(np.float64)
    for key in keys.key_blocks[1:]:
        if key.mute or key.value == 0:
            continue
        move = read_key(key).astype(np.float64) - read_key(key.relative_key)
        mixed += key.value * _share(owner, data, key.vertex_group) * move
    return mixed.astype(np.float32)


def read_key(key: Any) -> FloatArray:
    """The positions (n, 3) of a shape key."""
    values = np.empty(3 * len(key.points), np.float32)
    key.points.foreach_get("co", values)
    return values.reshape(-1, 3)


def add_shape_key(owner: bpy.types.Object, name: str, moves: NDArray[Any]) -> Any:
    """A new shape key, at value 1, that moves vertices by ``moves`` (n, 3); the others stay.

    A mesh that other objects share becomes the object's own, so that only this one changes.
    """
    data: Any = owner.data
    if data.users > 1:
        data = owner.data = data.copy()
    if data.shape_keys is None:
        owner.shape_key_add(name="Basis", from_mix=False)
    key = owner.shape_key_add(name=name, from_mix=False)
    basis = read_key(data.shape_keys.reference_key)
    place = np.where(moves == 0, basis, basis + moves).astype(np.float32)
    key.points.foreach_set("co", np.ascontiguousarray(place).reshape(-1))
    key.value = 1.0
    owner.active_shape_key_index = len(data.shape_keys.key_blocks) - 1
    owner.show_only_shape_key = False
    return key


def add_motion(
    owner: bpy.types.Object, name: str, moves: NDArray[Any], times: Sequence[float]
) -> None:
    """Shape keys for ``moves`` (frames, n, 3), each keyed to be whole at its one of ``times`` and
    nothing at its neighbors', so that between two frames the object is between their shapes."""
    last = len(times) - 1
    for number, (move, time) in enumerate(zip(moves, times, strict=True)):
        key = add_shape_key(owner, f"{name} {number + 1:03d}", move)
        ramp = [(times[number - 1], 0.0)] if number else []
        ramp += [(time, 1.0)] + ([(times[number + 1], 0.0)] if number < last else [])
        for at, value in ramp:
            key.value = value
            key.keyframe_insert("value", frame=at)
    keys: Any = owner.data
    for curve in compat.curves_of(keys.shape_keys):
        if curve.data_path.startswith(f'key_blocks["{bpy.utils.escape_identifier(name)} '):
            for point in curve.keyframe_points:
                point.interpolation = "LINEAR"


def frame_times(
    frames: int, frames_per_second: float, span: tuple[int, int], scene: bpy.types.Scene
) -> list[float]:
    """When each frame of a motion is: spread over ``span``, or from its start at the motion's own
    speed where it ends at 0."""
    start, end = span
    if end > start:
        return [float(time) for time in np.linspace(start, end, frames)]
    render = scene.render
    rate = render.fps / render.fps_base / max(frames_per_second, 1e-6)
    return [start + number * rate for number in range(frames)]


def _share(owner: bpy.types.Object, data: Any, group: str) -> Any:
    """How much of a key each vertex takes, (n, 1) or 1."""
    if not group or group not in owner.vertex_groups:
        return 1.0
    index = owner.vertex_groups[group].index
    weights = [next((e.weight for e in vertex.groups if e.group == index), 0.0)
               for vertex in data.vertices]
    return np.array(weights)[:, None]
