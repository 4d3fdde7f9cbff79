"""Hats, scarves, bow ties, flags, flowers and crowns, placed on what an object's shape offers."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from backend.pocket.world.colors import shade
from backend.pocket.world.descriptions import ACCESSORIES, Accessory
from backend.pocket.world.materials import Array
from backend.pocket.world.parts import BOX, ROUNDED_BOX, Part
from backend.pocket.world.scenes import Scene
from backend.pocket.world.shapes import Sculptor, aligned

ON_TOP = ("hat", "flag", "flower", "crown")
"""Accessories that any object can carry; the others need a neck."""

_GREEN = (0.2, 0.5, 0.18)
_POLE = (0.45, 0.33, 0.22)
_BOXES = (BOX, ROUNDED_BOX)
_BODIES = ("body", "chest", "torso", "trunk")


@dataclass(frozen=True)
class Seat:
    """Where something sits: a point, the direction away from the object, the radius of what is
    there, and the name of the part that carries it."""

    point: Array
    up: Array
    radius: float
    part: str


def accessories_for(scene: Scene) -> tuple[str, ...]:
    """What the object can wear, itself excepted."""
    known = ACCESSORIES if _heads(scene) else ON_TOP
    return tuple(word for word in known if word != scene.kind)


def dressed(scene: Scene, accessory: Accessory, rng: np.random.Generator) -> Scene:
    """The object with an accessory, whose parts come last and bear its name.

    A hat of the object's own gives way to one that is put on; joints that move the carrying part
    move the accessory too. Raises ValueError where there is no neck for it.
    """
    if accessory.kind not in accessories_for(scene):
        raise ValueError(f"a {scene.kind} cannot have a {accessory.kind}")
    bare = bareheaded(scene) if accessory.kind in ON_TOP else scene
    seat = top_of(bare) if accessory.kind in ON_TOP else neck_of(bare)
    sculptor = Sculptor(rng)
    _MAKERS[accessory.kind](sculptor, seat, shade(accessory.color, rng))
    worn = tuple(replace(part, grain=_axes(part)) for part in sculptor.parts)
    joints = tuple(
        replace(joint, parts=(*joint.parts, accessory.kind)) if seat.part in joint.parts else joint
        for joint in bare.joints
    )
    return replace(bare, parts=bare.parts + worn, joints=joints)


def bareheaded(scene: Scene) -> Scene:
    """The object without a hat of its own, unless it is one."""
    if scene.kind in ON_TOP:
        return scene
    return replace(scene, parts=tuple(part for part in scene.parts if part.name not in ON_TOP))


def top_of(scene: Scene) -> Seat:
    """The top of the head, or of the highest part that is broad enough to carry something and not
    far from the middle; between several as high, such as the ribs of a pumpkin, where they meet.
    """
    boxes = np.stack([_box(part) for part in scene.parts])
    reach = float((boxes[:, 1].max(0) - boxes[:, 0].min(0)).max())
    chosen = _heads(scene) or [i for i, box in enumerate(boxes) if _breadth(box) > 0.09 * reach]
    chosen = chosen or list(range(len(boxes)))
    aside = np.linalg.norm((boxes.mean(1) - boxes.mean((0, 1)))[:, :2], axis=1)
    index = max(chosen, key=lambda i: float(boxes[i, 1, 2] - 0.5 * aside[i]))
    box, cloud = boxes[index], scene.parts[index].surface_points()
    crest = cloud[cloud[:, 2] > box[1, 2] - 0.02 * (box[1, 2] - box[0, 2])]
    middle = crest.mean(0)[:2]
    radius = float(np.clip(_breadth(box), 0.09 * reach, 0.42))
    flat = np.linalg.norm(crest[:, :2] - middle, axis=1).max() > 0.5 * radius
    sink = 0.02 if flat else 0.22 * min(radius, float(box[1, 2] - box[0, 2]))
    peers = boxes[[i for i in chosen if boxes[i, 1, 2] > box[1, 2] - 0.03 * reach]]
    point = np.array([*_meeting(peers, middle), box[1, 2] - sink])
    return Seat(point, np.array([0, 0, 1.0]), radius, scene.parts[index].name)


def _meeting(boxes: Array, middle: Array) -> Array:
    """The middle of boxes (n, 2, 3) seen from above, if it lies within one; else `middle`."""
    mean = boxes.mean((0, 1))[:2]
    within = (boxes[:, 0, :2] < mean).all(1) & (mean < boxes[:, 1, :2]).all(1)
    return mean if within.any() and len(boxes) > 1 else middle


def neck_of(scene: Scene) -> Seat:
    """Where the head meets the body; `up` runs from the body into the head."""
    boxes = {index: _box(scene.parts[index]) for index in _heads(scene)}
    largest = max(boxes, key=lambda index: float(np.prod(np.ptp(boxes[index], 0))))
    box, head = boxes[largest], scene.parts[largest]
    center, half = box.mean(0), (box[1] - box[0]) / 2
    up = center - _body_center(scene)
    up /= np.linalg.norm(up)
    along = 1 / np.linalg.norm(up / half) * (0.98 if head.shape in _BOXES else 0.7)
    across = float(np.median(half))
    return Seat(center - along * up, up, 0.88 * across, head.name)


def _heads(scene: Scene) -> list[int]:
    """The parts that are the head of something with eyes: not those of a hammer."""
    if not any("eye" in part.name for part in scene.parts):
        return []
    return [index for index, part in enumerate(scene.parts) if part.name == "head"]


def _body_center(scene: Scene) -> Array:
    bodies = [part for part in scene.parts if part.name in _BODIES]
    clouds = [part.surface_points() for part in bodies or scene.parts]
    points = np.concatenate(clouds)
    return np.asarray((points.min(0) + points.max(0)) / 2)


def _box(part: Part) -> Array:
    points = part.surface_points()
    return np.stack([points.min(0), points.max(0)])


def _breadth(box: Array) -> float:
    """The mean horizontal radius of a box, (2, 3)."""
    return float(np.sqrt(np.prod(box[1, :2] - box[0, :2]))) / 2


def _axes(part: Part) -> Array:
    return np.linalg.norm(part.local_to_world[:, :3], axis=0)


def _hat(s: Sculptor, seat: Seat, color: Array) -> None:
    p, r = seat.point, seat.radius
    height = r * s.u(0.85, 1.15)
    s.tube("hat", p, p + (0, 0, 0.1 * r), (1.12 * r, 1.12 * r), color)
    s.tube("hat", p, p + (0, 0, height), (0.72 * r, 0.66 * r), color)
    s.tube("hat", p + (0, 0, 0.1 * r), p + (0, 0, 0.3 * r), (0.76 * r, 0.75 * r), color * 0.55)


def _crown(s: Sculptor, seat: Seat, color: Array) -> None:
    p, r = seat.point, 0.78 * seat.radius
    s.tube("crown", p, p + (0, 0, 0.5 * r), (r, 1.08 * r), color, capped=False)
    s.tube("crown", p, p + (0, 0, 0.2 * r), (0.97 * r, 0.97 * r), color * 0.7)
    for i in range(8):
        a = np.pi / 4 * (i + 0.5)
        rim = p + (1.02 * r * np.cos(a), 1.02 * r * np.sin(a), 0.42 * r)
        s.tube("crown", rim, rim + (0, 0, 0.62 * r), (0.36 * r, 0.0), color)


def _flower(s: Sculptor, seat: Seat, color: Array) -> None:
    r = max(0.2, 0.8 * seat.radius)
    tip = seat.point + (0, 0, s.u(1.0, 1.3) * r)
    facing = np.array([0, -0.94, 0.34])
    s.rod("flower", seat.point, tip, 0.08 * r, _GREEN)
    turned = aligned(facing)
    for i in range(6):
        a = np.pi / 3 * i
        petal = tip + turned @ np.array([0.5 * r * np.cos(a), 0.5 * r * np.sin(a), 0])
        s.ball("flower", petal, (0.34 * r, 0.34 * r, 0.1 * r), color, rotation=turned)
    middle = (0.98, 0.85, 0.2) if color[0] < 0.9 or color[1] < 0.75 else (0.5, 0.3, 0.12)
    s.ball("flower", tip, (0.26 * r, 0.26 * r, 0.18 * r), middle, rotation=turned)


def _flag(s: Sculptor, seat: Seat, color: Array) -> None:
    p, height = seat.point, s.u(0.7, 0.85)
    s.tube("flag", p - (0, 0, 0.05), p + (0, 0, height), (0.03, 0.03), _POLE)
    s.ball("flag", p + (0, 0, height), 0.045, _POLE)
    half = np.array([s.u(0.24, 0.3), 0.02, 0.17])
    s.box("flag", p + (half[0], 0, height - 0.2), half, color)


def _scarf(s: Sculptor, seat: Seat, color: Array) -> None:
    r, thick = seat.radius, 0.3 * seat.radius
    s.ring("scarf", seat.point, seat.up, r, thick, color)
    front = _front(seat)
    knot = seat.point + front * (r + 0.5 * thick)
    end = knot + (0.25 * r, 0, -1.5 * r) + 0.35 * r * front
    s.ball("scarf", knot, 1.1 * thick, color * 0.85)
    hanging = (0.3 * r, 0.09 * r, 0.8 * r)
    s.box("scarf", (knot + end) / 2, hanging, color, rotation=aligned(knot - end))


def _bow_tie(s: Sculptor, seat: Seat, color: Array) -> None:
    r = max(0.12, 0.7 * seat.radius)
    front = _front(seat)
    knot = seat.point + front * (1.2 * seat.radius)
    for side in (-1, 1):
        s.tube("bow tie", knot, knot + (side * 1.15 * r, 0, 0), (0.12 * r, 0.62 * r), color)
    s.ball("bow tie", knot, 0.26 * r, color * 0.6)


def _front(seat: Seat) -> Array:
    """The direction across the neck that faces the front, or downward where that lies along it."""
    across = np.array([0, -1.0, 0]) + seat.up * seat.up[1]
    if np.linalg.norm(across) < 0.45:
        across = np.array([0, 0, -1.0]) + seat.up * seat.up[2]
    return across / np.linalg.norm(across)


_MAKERS: dict[str, Callable[[Sculptor, Seat, Array], None]] = {
    "hat": _hat, "scarf": _scarf, "bow tie": _bow_tie, "flag": _flag, "flower": _flower,
    "crown": _crown,
}  # fmt: skip
