"""What is chosen on the object, drawn over the viewport: region, handles with where they go,
anchors.

Nothing of it is in the scene. What needs all vertices is computed again only when the object or
the choice has changed.
"""

from collections.abc import Callable
from typing import Any

import bpy
import gpu
import numpy as np
from bpy.app.handlers import persistent
from gpu_extras.batch import batch_for_shader
from numpy.typing import NDArray

from ...protocol.errors import DistilleryError
from ...protocol.messages import RecipeInfo
from ..scene.handles import handle_targets, held_vertices
from ..scene.inputs import SAME_VERTICES, Choice
from ..scene.regions import box_matrix
from ..scene.sources import Source, opened, transformed, world_matrix
from .properties import settings_of

REGION_COLOR = np.array([1.0, 0.55, 0.1, 0.45], np.float32)
HANDLE_COLOR = np.array([0.2, 0.9, 0.4, 1.0], np.float32)
ANCHOR_COLOR = np.array([0.9, 0.25, 0.25, 1.0], np.float32)
MOST_POINTS = 200_000
"""An object of more vertices is not colored: reading its groups would stall every change."""
LIFT = 0.002
"""How far in front of the surface its color is drawn, of the object's size."""

Drawing = tuple[str, NDArray[Any], NDArray[Any]]
"""TRIS, LINES or POINTS; positions (k, 3) in the scene; colors (k, 4)."""

_handle: Any = None
_known: tuple[Any, list[Any]] = (None, [])
_changes = 0


def drawings(recipe: RecipeInfo, choice: Choice) -> list[Drawing]:
    """All that is to be drawn of a choice; nothing of what is not chosen yet."""
    found = []
    if "region" in recipe.inputs and choice.region.owner is not None:
        found += _outline(choice)
    target: Any = choice.target
    if target is None or target.type != "MESH" or len(target.data.vertices) > MOST_POINTS:
        return found
    try:
        with opened(target, applied=recipe.task not in SAME_VERTICES) as source:
            if "region" in recipe.inputs:
                found += _region_faces(choice, source)
            if "handles" in recipe.inputs:
                found += _handles(choice, source)
    except DistilleryError:  # Generate says what is wrong with it
        pass
    return found


def _outline(choice: Choice) -> list[Drawing]:
    """The edges of the box."""
    owner = choice.region.owner
    if choice.region.source != "BOX" or owner is None:
        return []
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    pairs = [(a, b) for a in range(8) for b in range(a) if np.abs(signs[a] - signs[b]).sum() == 2]
    corners = transformed(box_matrix(owner), signs[np.array(pairs).reshape(-1)])
    return [_drawing("LINES", corners, np.array([*REGION_COLOR[:3], 1.0]))]


def _region_faces(choice: Choice, source: Source) -> list[Drawing]:
    """The faces of the region, as strong as they weigh."""
    region, owner = choice.region, source.owner
    if region.source == "GROUP" and region.group in owner.vertex_groups:
        weights = source.weights(region.group)[source.faces]
    elif region.source == "FACES" and owner.mode != "EDIT":
        weights = np.repeat(source.selected_faces()[:, None], 3, axis=1)
    else:
        return []
    shown = np.asarray(weights.any(axis=1))
    corners = _lifted_faces(source, shown).reshape(-1, 3)
    colors = np.tile(REGION_COLOR, (len(corners), 1))
    colors[:, 3] *= weights[shown].reshape(-1)
    return [("TRIS", corners.astype(np.float32), colors)] if len(corners) else []


def _handles(choice: Choice, source: Source) -> list[Drawing]:
    """The points of each handle, the way from their middle to the empty, and the anchors."""
    found, world = [], _lifted(source)
    groups = source.owner.vertex_groups
    for group, empty in choice.handles:
        if group not in groups:
            continue
        vertices = held_vertices(source, group)
        found.append(_drawing("POINTS", world[vertices], HANDLE_COLOR))
        if empty is not None:
            goal = handle_targets(source, vertices, empty).mean(axis=0)
            way = np.stack([world[vertices].mean(axis=0), goal])
            found += [_drawing("LINES", way, HANDLE_COLOR), _drawing("POINTS", goal[None],
                                                                     HANDLE_COLOR)]
    if choice.anchors in groups:
        anchors = held_vertices(source, choice.anchors)
        found.append(_drawing("POINTS", world[anchors], ANCHOR_COLOR))
    return found


def _lifted(source: Source) -> NDArray[np.float64]:
    """The vertices in the scene, a little outward, so that they are not hidden by the object."""
    world = transformed(world_matrix(source.owner), source.positions)
    middle = (world.min(axis=0) + world.max(axis=0)) / 2
    return np.asarray(middle + (world - middle) * (1 + LIFT))


def _lifted_faces(source: Source, shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Corners (k, 3, 3) of triangles in the scene, each lifted off its own side of the object."""
    world = transformed(world_matrix(source.owner), source.positions)
    corners = world[source.faces[shown]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    return np.asarray(corners + LIFT * np.ptp(world, axis=0).max() * normals[:, None])


def _drawing(kind: str, positions: NDArray[Any], color: NDArray[Any]) -> Drawing:
    colors = np.tile(color.astype(np.float32), (len(positions), 1))
    return kind, positions.astype(np.float32), colors


def _draw() -> None:
    settings = settings_of(bpy.context)
    recipe = settings.chosen_recipe()
    if recipe is None or not settings.show_region:
        return
    if not {"region", "handles"} & set(recipe.inputs):
        return
    shader = gpu.shader.from_builtin("SMOOTH_COLOR")
    shader.bind()
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.point_size_set(6.0)
    for batch in _batches(recipe, settings.choice(bpy.context), shader):
        batch.draw(shader)
    gpu.state.depth_test_set("NONE")
    gpu.state.blend_set("NONE")


def _batches(recipe: RecipeInfo, choice: Choice, shader: Any) -> list[Any]:
    """What is to be drawn, on the graphics card; made anew where something changed."""
    global _known
    target: Any = choice.target
    state = (_changes, recipe.id, repr(choice), target and target.mode)
    if _known[0] != state:
        batches = []
        for kind, positions, colors in drawings(recipe, choice):
            content: Any = {"pos": positions, "color": colors}
            batches.append(batch_for_shader(shader, kind, content))
        _known = (state, batches)
    return _known[1]


@persistent  # type: ignore[untyped-decorator]
def _note_change(scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
    global _changes
    if graph.id_type_updated("OBJECT") or graph.id_type_updated("MESH"):
        _changes += 1


def register() -> None:
    """Draw in every 3D viewport; there is none in the background."""
    global _handle
    draw: Callable[[], None] = _draw
    if not bpy.app.background:
        _handle = bpy.types.SpaceView3D.draw_handler_add(draw, (), "WINDOW", "POST_VIEW")
        bpy.app.handlers.depsgraph_update_post.append(_note_change)


def unregister() -> None:
    """Stop drawing."""
    global _handle, _known
    if _handle is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handle, "WINDOW")
        bpy.app.handlers.depsgraph_update_post.remove(_note_change)
    _handle, _known = None, (None, [])
