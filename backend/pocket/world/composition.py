"""Scenes from descriptions: painted, stretched, repeated, placed beside each other, dressed."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from backend.pocket.world.accessories import dressed
from backend.pocket.world.colors import COLORS, shade
from backend.pocket.world.descriptions import (
    ATTRIBUTES,
    MATERIALS,
    Description,
    Relation,
    colors_seen,
    described,
)
from backend.pocket.world.kinds import KINDS
from backend.pocket.world.materials import Array, Material, Pattern
from backend.pocket.world.scenes import Scene
from backend.pocket.world.shapes import Sculptor

RADIUS = 0.95

_PATTERN_OF: dict[str, Pattern] = {
    "striped": "stripes", "checked": "checks", "dotted": "dots", "wooden": "wood",
    "stone": "stone", "metal": "metal",
}  # fmt: skip
_PATTERN_SIZES = {
    "striped": (0.1, 0.16), "checked": (0.12, 0.18), "dotted": (0.16, 0.22),
    "wooden": (0.06, 0.1), "stone": (0.08, 0.14), "metal": (0.2, 0.2),
}  # fmt: skip
_MATERIAL_COLORS = {
    "wooden": ((0.62, 0.41, 0.22), (0.5, 0.31, 0.16), (0.74, 0.54, 0.32)),
    "stone": ((0.56, 0.56, 0.54), (0.47, 0.47, 0.48), (0.6, 0.57, 0.52)),
    "metal": ((0.66, 0.68, 0.72), (0.58, 0.6, 0.64), (0.72, 0.72, 0.74)),
}
SUPPORTS = {
    "table": "top", "bed": "blanket", "stool": "seat", "bench": "seat", "sofa": "seat",
    "book": "page", "drum": "skin",
}  # fmt: skip
"""Kinds that others can stand on, and the part that carries them."""
SHELTERS = {"table": "top"}
"""Kinds that others can stand under, and the part above them."""


@dataclass(frozen=True)
class MainPaint(Material):
    """The paint that a caption names; tones of it that a kind derives stay one of these."""


def build(what: Description | str, color: str | None = None, seed: int = 0) -> Scene:
    """The scene that `seed` draws, inside the unit ball, front towards -y.

    Of a description, or of a kind and a color. Raises KeyError for words that the world does not
    know, ValueError for a description that contradicts itself.
    """
    said = described(what, color).check()
    scene = composed_scene(said, seed)
    return scene if said.plain else framed([scene])[0]


def composed_scene(said: Description, seed: int) -> Scene:
    """All that is said, where it stands before it is fitted into the unit ball."""
    rng = np.random.default_rng((seed, 1, *_key(said)))
    first = single(said, seed)
    if said.count > 1:
        seeds = rng.integers(2**31, size=said.count - 1)
        return _grouped([first, *(single(said, int(each)) for each in seeds)])
    if said.relation is not None:
        return related(first, said.relation, int(rng.integers(2**31)))
    return first


def single(said: Description, seed: int) -> Scene:
    """One object by itself, stretched and dressed, at its own size: about the unit ball."""
    paint, word, rng = started(said, seed)
    return finished(sculpted(said.kind, word, paint, rng), said, seed)


def started(said: Description, seed: int) -> tuple[MainPaint, str, np.random.Generator]:
    """The main paint of an object, its color word, and what the rest of it is drawn from."""
    rng = np.random.default_rng((seed, *_key(said)))
    return *main_paint(said, rng), rng


def finished(scene: Scene, said: Description, seed: int) -> Scene:
    """A plain object as it is said to be stretched and dressed."""
    scene = stretched(scene, said.attribute)
    if said.accessory is None:
        return scene
    return dressed(scene, said.accessory, np.random.default_rng((seed, 2, *_key(said))))


def sculpted(kind: str, color: str, paint: Material, rng: np.random.Generator) -> Scene:
    """The plain object of a kind in a paint, in the ball of RADIUS; `color` is its color word."""
    sculptor = Sculptor(rng)
    KINDS[kind].sculpt(sculptor, paint)
    return sculptor.finish(kind, color, RADIUS)


def main_paint(said: Description, rng: np.random.Generator) -> tuple[MainPaint, str]:
    """The paint of the main parts, and the color word that it shows ("" for a bare material)."""
    word = said.color
    if word is None and said.pattern not in MATERIALS:
        word = str(rng.choice(colors_seen(said.kind)))
    base = _toned(shade(word, rng), said.shade) if word else None
    return patterned_paint(said.pattern, base, rng), word or ""


def patterned_paint(
    pattern: str | None, color: Array | None, rng: np.random.Generator
) -> MainPaint:
    """A paint of a pattern word and a color; a bare material where there is no color."""
    if pattern is None:
        return MainPaint(cast(Array, color))
    if color is None:
        choices = _MATERIAL_COLORS[pattern]
        color = np.array(choices[int(rng.integers(len(choices)))]) * rng.uniform(0.92, 1.06)
    size = float(rng.uniform(*_PATTERN_SIZES[pattern]))
    return MainPaint(color, _PATTERN_OF[pattern], size=size)


def _toned(color: Array, word: str | None) -> Array:
    if word == "dark":
        return color * 0.52
    return color + (1 - color) * 0.55 if word == "light" else color


def stretched(scene: Scene, attribute: str | None) -> Scene:
    """The object scaled as an attribute says, standing where it stood."""
    if attribute is None:
        return scene
    scale = np.array(ATTRIBUTES[attribute])
    return grounded(scene.moved(np.concatenate([np.diag(scale), np.zeros((3, 1))], 1)), scene)


def grounded(scene: Scene, like: Scene) -> Scene:
    """The scene moved so that it stands as low as another."""
    return shifted(scene, (0, 0, like.bounds()[0, 2] - scene.bounds()[0, 2]))


def shifted(scene: Scene, offset: Array | tuple[float, float, float]) -> Scene:
    """The scene moved by an offset."""
    return scene.moved(np.concatenate([np.eye(3), np.reshape(offset, (3, 1))], 1))


def scaled_about(scene: Scene, factor: float, point: Array) -> Scene:
    """The scene scaled about a point."""
    matrix = np.concatenate([np.eye(3) * factor, ((1 - factor) * point)[:, None]], 1)
    return scene.moved(matrix)


def _grouped(scenes: list[Scene]) -> Scene:
    """Copies side by side on the ground: two in a row, three in a triangle, four in a square."""
    bounds = np.stack([scene.bounds() for scene in scenes])
    x, y = 1.12 * (bounds[:, 1, :2] - bounds[:, 0, :2]).max(0) / 2
    places = {
        2: ((-x, 0), (x, 0)),
        3: ((-x, -y), (x, -y), (0, y)),
        4: ((-x, -y), (x, -y), (-x, y), (x, y)),
    }[len(scenes)]
    placed = [
        shifted(scene, (*(np.array(place) - box.mean(0)[:2]), -box[0, 2]))
        for scene, box, place in zip(scenes, bounds, places, strict=True)
    ]
    return _still(Scene.joined(placed, scenes[0].kind, scenes[0].color))


def related(scene: Scene, relation: Relation, seed: int) -> Scene:
    """The object where a relation puts it, together with the other object."""
    other = single(relation.other, seed)
    own, box = scene.bounds(), other.bounds()
    middle = box.mean(0)
    if relation.word in ("on", "under"):
        placed = _stacked(scene, other, relation)
    else:
        direction = _DIRECTIONS[relation.word]
        reach = np.abs(direction) @ (own[1] - own[0] + box[1] - box[0]) / 2
        target = middle + direction * (reach + 0.12)
        offset = target - own.mean(0)
        placed = shifted(scene, (offset[0], offset[1], box[0, 2] - own[0, 2]))
    return _still(Scene.joined([placed, other], scene.kind, scene.color))


_DIRECTIONS = {
    "next to": np.array([1.0, 0, 0]),
    "in front of": np.array([0, -1.0, 0]),
    "behind": np.array([0, 1.0, 0]),
}


def _stacked(scene: Scene, other: Scene, relation: Relation) -> Scene:
    """The object on the carrying part of the other, or on the ground under it, made to fit."""
    own = scene.bounds()
    base, room = _place_on(other) if relation.word == "on" else _place_under(other)
    factor = float(np.clip((room / (own[1] - own[0])).min(), 0.35, 1.0))
    foot = np.array([*own.mean(0)[:2], own[0, 2]])
    return shifted(scaled_about(scene, factor, foot), base - foot)


def _place_on(other: Scene) -> tuple[Array, Array]:
    """Where an object stands on another, (3,), and the room for it, (3,)."""
    low, high = _largest(other, SUPPORTS[other.kind])
    base = np.array([*(low + high)[:2] / 2, high[2]])
    return base, np.array([*0.95 * (high - low)[:2], np.inf])


def _place_under(other: Scene) -> tuple[Array, Array]:
    """Where an object stands under another, (3,), and the room for it, (3,): before a middle leg,
    if there is one."""
    low, high = _largest(other, SHELTERS[other.kind])
    ground = float(other.bounds()[0, 2])
    base, room = np.array([*(low + high)[:2] / 2, ground]), 0.7 * (high - low)
    room[2] = 0.88 * (low[2] - ground)
    boxes = [box for box in _boxes(other) if box[0, 2] < low[2] - 0.1 * (low[2] - ground)]
    blocked = [box for box in boxes if ((box[0] < base)[:2] & (base < box[1])[:2]).all()]
    if blocked:
        base[1] -= 0.27 * (high - low)[1]
        room[:2] *= 0.55
    return base, room


def _boxes(scene: Scene) -> list[Array]:
    clouds = [part.surface_points() for part in scene.parts]
    return [np.stack([cloud.min(0), cloud.max(0)]) for cloud in clouds]


def _largest(scene: Scene, name: str) -> Array:
    """The bounds (2, 3) of the widest part of this name; of the widest of all if there is none."""
    named = [part for part in scene.parts if part.name == name]
    boxes = _boxes(replace(scene, parts=tuple(named)) if named else scene)
    return max(boxes, key=lambda box: float(np.prod(box[1, :2] - box[0, :2])))


def framed(scenes: list[Scene], radius: float = RADIUS) -> list[Scene]:
    """Scenes under the one map that fits all of them together into a ball; their new rest.

    What two of them share stays the same, bit for bit.
    """
    matrix = framing(scenes, radius)
    return [rested(scene.moved(matrix)) for scene in scenes]


def framing(scenes: list[Scene], radius: float = RADIUS) -> Array:
    """The map (3, 4) that centers scenes together and fits them into a ball.

    Nothing is magnified: a tiny thing stays tiny.
    """
    points = np.concatenate([part.surface_points() for scene in scenes for part in scene.parts])
    center = (points.min(0) + points.max(0)) / 2
    scale = min(1.0, radius / np.linalg.norm(points - center, axis=1).max())
    return np.concatenate([np.eye(3), -center[:, None]], 1) * scale


def rested(scene: Scene) -> Scene:
    """The scene as it stands, as its rest."""
    return replace(
        scene, parts=tuple(replace(part, rest=part.local_to_world) for part in scene.parts)
    )


def _still(scene: Scene) -> Scene:
    """Several objects together move as one: their joints would share names."""
    return replace(scene, joints=())


def main_parts(scene: Scene) -> NDArray[np.bool_]:
    """Which parts are painted in what the caption names, (parts,)."""
    return np.array([isinstance(part.material, MainPaint) for part in scene.parts])


def _key(said: Description) -> tuple[int, int]:
    """What a seed is mixed with, so that kinds and colors differ in more than the word."""
    color = list(COLORS).index(said.color) if said.color else len(COLORS) + 7
    return list(KINDS).index(said.kind), color
