"""Handles and anchors: vertex groups that go to empties, and one that stays."""

from collections.abc import Sequence

import bpy
import numpy as np
from numpy.typing import NDArray

from ...protocol.assets import FloatArray, Handles
from ...protocol.errors import InputError
from .sources import Source, transformed, world_matrix

HELD = 0.5
"""The weight from which a vertex belongs to a handle or to the anchors."""

Handle = tuple[str, bpy.types.Object | None]


def check_handles(handles: Sequence[Handle], anchors: str, target: bpy.types.Object) -> None:
    """Raises :class:`InputError` where something is not chosen yet."""
    if not handles:
        raise _not_chosen("Add a handle: a vertex group, and the empty that it goes to")
    for group, empty in handles:
        if not group:
            raise _not_chosen("Choose the vertex group of each handle")
        if empty is None:
            raise _not_chosen(f"Choose the empty that the handle {group} goes to")
    if not anchors:
        raise _not_chosen("Choose the vertex group that stays in place")
    for group in [*(group for group, _ in handles), anchors]:
        if group not in target.vertex_groups:
            raise _not_chosen(f"{target.name} has no vertex group {group}")


def make_handles(handles: Sequence[Handle], anchors: str, source: Source) -> Handles:
    """Handles and anchors on an object's mesh. Raises :class:`InputError` where a group is empty
    or a vertex is in two of them."""
    check_handles(handles, anchors, source.owner)
    bpy.context.view_layer.update()
    taken = {anchors: held_vertices(source, anchors)}
    targets = []
    for group, empty in handles:
        vertices = held_vertices(source, group)
        for other, others in taken.items():
            _check_apart(group, vertices, other, others)
        taken[group] = vertices
        assert empty is not None
        targets.append(handle_targets(source, vertices, empty))
    placed = transformed(source.scene_to_unit(), np.concatenate(targets))
    chosen = [taken[group] for group, _ in handles]
    return Handles(np.concatenate(chosen), placed.astype(np.float32), taken[anchors])


def held_vertices(source: Source, group: str) -> NDArray[np.int32]:
    """The vertices that weigh at least ``HELD`` in a group. Raises :class:`InputError`."""
    vertices = np.flatnonzero(source.weights(group) >= HELD).astype(np.int32)
    if len(vertices) == 0:
        raise InputError(
            "group_empty", f"The vertex group {group} holds no vertices of at least half weight.",
            "Assign vertices to it with a weight of 1.",
        )
    return vertices


def handle_targets(
    source: Source, vertices: NDArray[np.int32], empty: bpy.types.Object
) -> FloatArray:
    """Where the vertices go, (k, 3) in the scene: their middle to the empty, turned as it is."""
    stand = transformed(world_matrix(source.owner), source.positions[vertices])
    turn = np.array(empty.matrix_world.to_quaternion().to_matrix())
    moved: FloatArray = (stand - stand.mean(axis=0)) @ turn.T + world_matrix(empty)[:3, 3]
    return moved


def _check_apart(
    group: str, vertices: NDArray[np.int32], other: str, others: NDArray[np.int32]
) -> None:
    if group == other or len(np.intersect1d(vertices, others)):
        raise InputError(
            "handles_overlap", f"The vertex groups {group} and {other} share vertices.",
            "Let each vertex be in one handle, or in the anchors.",
        )


def _not_chosen(message: str) -> InputError:
    return InputError("handles_not_chosen", message + ".", "See Handles in the panel.")
