"""Where an edit may act: a box, a vertex group, selected faces, a word, any closed mesh."""

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ...protocol.assets import FloatArray, Mesh, Region
from ...protocol.errors import InputError
from .sources import Matrix, Source, opened, transformed, world_matrix

OPEN_EDGES = 0.05
"""The share of a mesh's edges that may lie on holes, for its inside to be clear."""


@dataclass(frozen=True)
class RegionChoice:
    """What says the place: ``source`` is one of ``SOURCES``; the others as it needs them."""

    source: str = "WHOLE"
    owner: bpy.types.Object | None = None
    group: str = ""
    word: str = ""


SOURCES = {
    "WHOLE": ("Everywhere", "The whole object may change"),
    "WORD": ("Word", "The part that a word names, such as: hat"),
    "BOX": ("Box", "What lies in a box: an empty shown as a cube, or the bounds of an object"),
    "GROUP": ("Vertex Group", "The vertices of a group, as much as they weigh"),
    "FACES": ("Selected Faces", "The faces that are selected in Edit Mode"),
    "MESH": ("Mesh", "What lies inside another, closed object"),
}


def check_region(choice: RegionChoice, target: bpy.types.Object) -> None:
    """Raises :class:`InputError` where something is not chosen yet."""
    if choice.source == "WORD" and not choice.word.strip():
        raise _not_chosen("Say which part shall change, such as: hat")
    if choice.source in ("BOX", "MESH"):
        if choice.owner is None:
            raise _not_chosen(f"Choose the {SOURCES[choice.source][0].lower()} of the region")
        if choice.owner == target:
            raise _not_chosen("Choose another object than the target as its region")
    if choice.source == "MESH" and choice.owner is not None and choice.owner.type != "MESH":
        raise _not_chosen(f"{choice.owner.name} is not a mesh: choose Box, or another object")
    if choice.source == "GROUP":
        if not choice.group:
            raise _not_chosen("Choose the vertex group of the region")
        if choice.group not in target.vertex_groups:
            raise _not_chosen(f"{target.name} has no vertex group {choice.group}")


def make_region(choice: RegionChoice, source: Source) -> Region:
    """The region on an object's mesh. Raises :class:`InputError` where it is empty or nowhere
    near the object."""
    check_region(choice, source.owner)
    if choice.source == "WORD":
        return Region(word=choice.word.strip())
    if choice.source == "GROUP":
        return Region(vertices=_filled(source.weights(choice.group), choice.group))
    if choice.source == "FACES":
        return Region(faces=_selected(source))
    if choice.source == "WHOLE" or choice.owner is None:
        return Region(vertices=np.ones(len(source.positions), np.float32))
    if choice.source == "BOX":
        return Region(box=_box(choice.owner, source))
    return Region(mesh=_closed_mesh(choice.owner, source))


def box_matrix(owner: bpy.types.Object) -> Matrix:
    """(4, 4), from the cube [-1, 1]^3 to the scene: an empty's cube, or an object's own bounds."""
    middle, half = np.zeros(3), np.full(3, owner.empty_display_size)
    if owner.type != "EMPTY":
        corners = np.array([tuple(corner) for corner in owner.bound_box])
        middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
        half = np.ptp(corners, axis=0) / 2
    local = np.diag([*half, 1.0])
    local[:3, 3] = middle
    return world_matrix(owner) @ local


def _box(owner: bpy.types.Object, source: Source) -> FloatArray:
    bpy.context.view_layer.update()
    box = source.scene_to_unit() @ box_matrix(owner)
    if abs(np.linalg.det(box)) < 1e-9:
        raise InputError(
            "region_flat", f"The box {owner.name} is flat.", "Give it some depth on all sides."
        )
    _check_near(transformed(np.linalg.inv(box), source.unit_positions()), owner)
    return box.astype(np.float32)


def _closed_mesh(owner: bpy.types.Object, source: Source) -> Mesh:
    with opened(owner, applied=True) as shape:
        to_unit = source.scene_to_unit() @ world_matrix(owner)
        positions = transformed(to_unit, shape.positions)
        edges = np.sort(shape.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        _, uses = np.unique(edges, axis=0, return_counts=True)
        if (uses == 1).mean() > OPEN_EDGES:
            raise InputError(
                "region_open", f"{owner.name} is open, so that nothing is inside it.",
                "Close its holes (Mesh > Clean Up > Fill Holes), or choose Box.",
            )
        low, high = positions.min(axis=0), positions.max(axis=0)
        away = 2 * (source.unit_positions() - low) / np.maximum(high - low, 1e-9) - 1
        _check_near(away, owner)
        return Mesh(positions.astype(np.float32), shape.faces)


def _check_near(points: Any, owner: bpy.types.Object) -> None:
    """Raises where ``points`` (n, 3) all lie on one outer side of the cube [-1, 1]^3."""
    if (points.min(axis=0) > 1).any() or (points.max(axis=0) < -1).any():
        raise InputError(
            "region_outside", f"Nothing of the object lies in {owner.name}.",
            "Move it to the part that shall change.",
        )


def _filled(weights: FloatArray, group: str) -> FloatArray:
    if not weights.any():
        raise InputError(
            "region_empty", f"The vertex group {group} holds no vertices.",
            "Assign vertices to it, or paint weights.",
        )
    return weights


def _selected(source: Source) -> Any:
    chosen = source.selected_faces()
    if not chosen.any():
        raise InputError(
            "region_empty", f"No face of {source.owner.name} is selected.",
            "Select faces in Edit Mode, in face select mode.",
        )
    return chosen


def _not_chosen(message: str) -> InputError:
    return InputError("region_not_chosen", message + ".", "See Region in the panel.")
