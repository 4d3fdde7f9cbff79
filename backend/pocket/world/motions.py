"""Motions: what moves of a scene, as curves over a phase from 0 (the still object) to 1.

Some move the whole object (turn, bounce, sway, grow), the others turn parts about the joints that
a kind declares (spin, wag, flap, walk, open). Joints turn parts rigidly.
"""

import math
import re
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from backend.pocket.world.captions import noun_phrase
from backend.pocket.world.colors import COLORS
from backend.pocket.world.composition import framing, rested, single
from backend.pocket.world.descriptions import (
    MOTIONS,
    Description,
    is_held_out,
    is_motion_held_out,
)
from backend.pocket.world.kinds import KINDS
from backend.pocket.world.materials import Array
from backend.pocket.world.naming import part_group, part_word, plural
from backend.pocket.world.scenes import Joint, Scene

WHOLE = ("turn", "bounce", "sway", "grow")
"""Motions of the whole object; the others need joints."""
ONE_WAY = ("grow", "open")
"""Motions that end where they have led; the others come back to the start (see `Motion.loops`)."""

_VERBS = {"turn": "spin"}  # a joint that turns is a part that spins; an object turns as a whole
_HEIGHT, _LEAN_DEGREES, _GROWTH = 0.55, 16.0, 0.6


@dataclass(frozen=True)
class Motion:
    """One of MOTIONS, and what the parts that it moves are called ("" for the whole object)."""

    name: str
    part: str = ""

    @property
    def loops(self) -> bool:
        """Whether phase 1 is phase 0 again: turns do at whole strengths, the others at any."""
        return self.name not in ONE_WAY


def motions_of(kind: str) -> tuple[Motion, ...]:
    """The motions of a kind: those of any object, and those of its joints."""
    return (*(Motion(name) for name in WHOLE), *_joint_motions(kind))


@cache
def _joint_motions(kind: str) -> tuple[Motion, ...]:
    scene = single(Description(kind, "red"), 0)
    groups: dict[str, list[str]] = {}
    for joint in scene.joints:
        groups.setdefault(_motion_name(joint), []).append(part_group(joint.parts[0]))
    return tuple(Motion(name, _together(scene, moved)) for name, moved in groups.items())


def _together(scene: Scene, groups: list[str]) -> str:
    """What moving parts are called: "blades", or "hands" for an hour hand and a minute hand."""
    lasts = {group.rpartition(" ")[2] for group in groups}
    if len(set(groups)) > 1 and len(lasts) == 1:
        return plural(lasts.pop())
    return part_word(scene, groups[0])


def _motion_name(joint: Joint) -> str:
    return _VERBS.get(joint.verb, joint.verb)


def pose(scene: Scene, motion: Motion, phase: float, strength: float = 1.0) -> Scene:
    """The scene at a phase in [0, 1] of a motion whose amplitude is `strength` times the usual.

    Phase 0 is the scene itself. Raises ValueError where the scene has no joint for the motion.
    """
    if motion.name in WHOLE:
        return _whole(scene, motion.name, phase, strength)
    joints = [joint for joint in scene.joints if _motion_name(joint) == motion.name]
    if not joints:
        raise ValueError(f"the {scene.kind} has nothing to {motion.name}")
    for joint in joints:
        degrees = strength * _joint_degrees(motion.name, joint.degrees, phase) % 360
        scene = _turned(scene, joint, degrees)
    return scene


def _whole(scene: Scene, name: str, phase: float, strength: float) -> Scene:
    bounds = scene.bounds()
    base = np.array([*bounds.mean(0)[:2], bounds[0, 2]])
    if name == "turn":
        return _rotated(scene, base, np.array([0, 0, 1.0]), strength * 360 * phase % 360)
    if name == "sway":
        degrees = strength * _LEAN_DEGREES * _swing(phase, 1)
        return _rotated(scene, base, np.array([0, 1.0, 0]), degrees)
    if name == "grow":
        factor = 1 + strength * _GROWTH * _eased(phase)
        return _mapped(scene, np.eye(3) * factor, (1 - factor) * base)
    reach = float(np.linalg.norm(bounds[1] - bounds[0])) / 2
    lift = strength * _HEIGHT * reach * 4 * (phase % 1) * (1 - phase % 1)
    return _mapped(scene, np.eye(3), np.array([0, 0, lift]))


def _joint_degrees(name: str, degrees: tuple[float, float], phase: float) -> float:
    """The angle of a joint at a phase: swings between both ends, or out to the farther one."""
    low, high = degrees
    far = max(low, high, key=abs)
    if name == "spin":
        return math.copysign(360.0, far) * phase
    if name == "open":
        return far * _eased(phase)
    cycles = 1 if name == "walk" else 2
    if low * high >= 0:
        return far * (1 - math.cos(2 * math.pi * (cycles * phase % 1))) / 2
    swing = _swing(phase, cycles)
    return swing * high if swing > 0 else -swing * low


def _swing(phase: float, cycles: int) -> float:
    return math.sin(2 * math.pi * (cycles * phase % 1))


def _eased(phase: float) -> float:
    return phase * phase * (3 - 2 * phase)


def _rotation(axis: Array, degrees: float) -> Array:
    """Rotation about a unit axis, (3, 3)."""
    angle = math.radians(degrees)
    cross = np.cross(np.eye(3), axis)
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def _mapped(scene: Scene, linear: Array, offset: Array) -> Scene:
    """The scene under an affine map; the scene itself where that changes nothing."""
    if np.array_equal(linear, np.eye(3)) and not offset.any():
        return scene
    return scene.moved(np.concatenate([linear, offset[:, None]], 1))


def _rotated(scene: Scene, pivot: Array, axis: Array, degrees: float) -> Scene:
    rotation = _rotation(axis, degrees)
    return scene if degrees == 0 else _mapped(scene, rotation, pivot - rotation @ pivot)


def _turned(scene: Scene, joint: Joint, degrees: float) -> Scene:
    """The scene with the parts of a joint turned about it."""
    turned = _rotated(scene, joint.pivot, joint.axis, degrees)
    if turned is scene:
        return scene
    pairs = zip(scene.parts, turned.parts, strict=True)
    return replace(
        scene, parts=tuple(new if new.name in joint.parts else old for old, new in pairs)
    )


def with_room(scene: Scene, motion: Motion, strength: float = 1.0, phases: int = 13) -> Scene:
    """The still object where it stays in the unit ball all through a motion: moved, and as much
    smaller as it must be."""
    poses = [pose(scene, motion, phase, strength) for phase in np.linspace(0, 1, phases)]
    return rested(scene.moved(framing(poses)))


def draw_motion(
    rng: np.random.Generator,
    held_out: bool = False,
    kinds: tuple[str, ...] | None = None,
    names: tuple[str, ...] = MOTIONS,
) -> tuple[Description, Motion]:
    """A plain object and one of its motions, joints preferred; of all kinds or some.

    Neither the object nor its motion is held out; with `held_out` the motion is.
    """
    words, colors = kinds or tuple(KINDS), tuple(COLORS)
    while True:
        kind = words[int(rng.integers(len(words)))]
        said = Description(kind, colors[int(rng.integers(len(colors)))])
        own = _joint_motions(kind) if rng.random() < 0.6 else ()
        choices = [motion for motion in own or motions_of(kind) if motion.name in names]
        if not choices or is_held_out(said):
            continue
        motion = choices[int(rng.integers(len(choices)))]
        if is_motion_held_out(kind, motion.name) == held_out:
            return said, motion


_TEMPLATES: dict[str, tuple[str, ...]] = {
    "turn": ("{noun} turning around", "a turning {bare}", "{noun} rotating"),
    "bounce": ("{noun} bouncing", "a bouncing {bare}", "{noun} jumping up and down"),
    "sway": ("{noun} swaying", "a swaying {bare}", "{noun} rocking from side to side"),
    "grow": ("{noun} growing", "a growing {bare}", "{noun} getting bigger"),
    "spin": ("{noun} spinning its {part}", "{noun} with spinning {part}", "a spinning {bare}"),
    "wag": ("{noun} wagging its {part}", "{noun} with a wagging {part}"),
    "flap": ("{noun} flapping its {part}", "a flapping {bare}"),
    "walk": ("{noun} walking", "a walking {bare}", "{noun} taking a step"),
    "open": ("{noun} opening its {part}", "an opening {bare}", "{noun} opening"),
}


def names_motion(text: str) -> bool:
    """Whether a text has a word for one of the world's motions, in any form: "a dog wags"."""
    words = re.findall(r"[a-z]+", text.lower())
    return any(word.startswith(stem) for word in words for stem in _stems())


@cache
def _stems() -> tuple[str, ...]:
    """Of the words ending in -ing in captions: "wagg"; and of the motions' names: "wag"."""
    said = " ".join(template for templates in _TEMPLATES.values() for template in templates)
    return (*MOTIONS, *(word[:-3] for word in re.findall(r"[a-z]+ing", said)))


def motion_captions(said: Description, motion: Motion) -> tuple[str, ...]:
    """Every caption of an object in motion, as "a brown dog wagging its tail"; the plainest first.

    `said` is one object.
    """
    noun, bare = noun_phrase(said), noun_phrase(said, with_article=False)
    return tuple(
        template.format(noun=noun, bare=bare, part=motion.part)
        for template in _TEMPLATES[motion.name]
    )
