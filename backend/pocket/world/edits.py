"""Pairs of scenes that differ in one thing, with the instruction that says which.

Both stand in the same place at the same scale: what the instruction does not name is the same in
both, bit for bit, and so are all pixels outside the changed region.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backend.pocket.render import View, orbit, render_views
from backend.pocket.world.accessories import ON_TOP, bareheaded
from backend.pocket.world.captions import caption
from backend.pocket.world.colors import COLORS, shade
from backend.pocket.world.composition import (
    MainPaint,
    finished,
    framed,
    grounded,
    main_paint,
    sculpted,
    single,
    started,
    stretched,
)
from backend.pocket.world.descriptions import (
    ATTRIBUTES,
    MATERIALS,
    PATTERNS,
    Description,
    is_held_out,
)
from backend.pocket.world.drawing import draw_accessory
from backend.pocket.world.kinds import KINDS
from backend.pocket.world.materials import Array, Material
from backend.pocket.world.naming import article, part_group, part_word
from backend.pocket.world.parts import Part
from backend.pocket.world.scenes import Scene

_COMPARATIVES = {
    "tall": "taller", "short": "shorter", "wide": "wider", "thin": "thinner", "long": "longer",
    "tiny": "smaller", "big": "bigger",
}  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """Two scenes and the instruction that leads from one to the other.

    `source_parts` and `target_parts` say which parts of each are not in the other, (parts,);
    `source_said` and `target_said` what they are; a target may say more than a description can
    (`caption_target`). `operation` is one of OPERATIONS.
    """

    operation: str
    source: Scene
    target: Scene
    instruction: str
    caption_source: str
    caption_target: str
    source_said: Description
    target_said: Description
    source_parts: NDArray[np.bool_]
    target_parts: NDArray[np.bool_]


@dataclass(frozen=True)
class _Change:
    """What an operation found: both scenes before they are framed, and the words for them."""

    source: Scene
    target: Scene
    source_said: Description
    target_said: Description
    templates: tuple[str, ...]
    words: dict[str, str]
    caption_target: str = ""


def draw_edit(
    rng: np.random.Generator,
    held_out: bool = False,
    operations: tuple[str, ...] | None = None,
    kinds: tuple[str, ...] | None = None,
) -> Edit:
    """An edit that shows, of all operations or some, of all kinds or some.

    Neither side is held out; with `held_out` at least one is. Deterministic in the state of `rng`.
    """
    names, words = operations or tuple(OPERATIONS), kinds or tuple(KINDS)
    while True:
        name = names[int(rng.integers(len(names)))]
        change = OPERATIONS[name](rng, words)
        if change is None:
            continue
        if held_out != (is_held_out(change.source_said) or is_held_out(change.target_said)):
            continue
        found = _edit(name, change, rng)
        if shows(found):
            return found


def _edit(name: str, change: _Change, rng: np.random.Generator) -> Edit:
    source, target = framed([change.source, change.target])
    template = change.templates[int(rng.integers(len(change.templates)))]
    return Edit(
        operation=name,
        source=source,
        target=target,
        instruction=template.format(kind=change.source_said.kind, **change.words),
        caption_source=caption(change.source_said),
        caption_target=change.caption_target or caption(change.target_said),
        source_said=change.source_said,
        target_said=change.target_said,
        source_parts=_missing_in(source, target),
        target_parts=_missing_in(target, source),
    )


def _missing_in(scene: Scene, other: Scene) -> NDArray[np.bool_]:
    """Which parts of a scene the other does not have, (parts,)."""
    known = {_fingerprint(part) for part in other.parts}
    return np.array([_fingerprint(part) not in known for part in scene.parts])


def _fingerprint(part: Part) -> tuple[object, ...]:
    paint = part.material
    colors = (paint.color.tobytes(), paint.other.tobytes(), paint.size, paint.axis)
    shape = (part.shape, part.local_to_world.tobytes(), part.params.tobytes())
    return (part.name, *shape, paint.pattern, *colors)


def changed_region(
    edit: Edit, views: list[View], size: int = 64, samples: int = 2
) -> NDArray[np.bool_]:
    """The pixels that the edit may change, a mask (V, size, size) per view: where any sample of a
    pixel meets a changed part in either scene. Pictures rendered with as many samples are the same
    outside it.
    """
    shape = (len(views), size, samples, size, samples)
    region = np.zeros((len(views), size * samples, size * samples), bool)
    for scene, parts in ((edit.source, edit.source_parts), (edit.target, edit.target_parts)):
        region |= shown_parts(scene, parts, views, size * samples)
    return region.reshape(shape).any((2, 4))


def shown_parts(
    scene: Scene, parts: NDArray[np.bool_], views: list[View], size: int = 64
) -> NDArray[np.bool_]:
    """Where the middle of a pixel shows one of the chosen `parts` (parts,): (V, size, size)."""
    hit = render_views(scene, views, samples=1, size=size)["part"][..., 0]
    return np.asarray(np.append(parts, False)[hit.astype(int)])


def changed_box(edit: Edit, margin: float = 0.02) -> NDArray[np.float32]:
    """A box around all changed parts of both scenes: (4, 4), from the cube [-1, 1]^3 to space."""
    clouds = [
        part.surface_points()
        for scene, parts in ((edit.source, edit.source_parts), (edit.target, edit.target_parts))
        for part, changed in zip(scene.parts, parts, strict=True)
        if changed
    ]
    points = np.concatenate(clouds)
    low, high = points.min(0) - margin, points.max(0) + margin
    box = np.diag([*(high - low) / 2, 1.0])
    box[:3, 3] = (low + high) / 2
    return box.astype(np.float32)


_AROUND = [View(orbit(azimuth, 20, 3.0), 0.36) for azimuth in (20.0, 110.0, 200.0, 290.0)]


def shows(edit: Edit, pixels: float = 0.008, contrast: float = 0.06) -> bool:
    """Whether the change can be seen well enough, in at least two of four views."""
    before, after = (
        render_views(scene, _AROUND, samples=1, size=32)["rgba"]
        for scene in (edit.source, edit.target)
    )
    different = np.abs(_over_gray(before) - _over_gray(after)).mean(-1) > contrast
    return bool((different.mean((1, 2)) > pixels).sum() >= 2)


def _over_gray(rgba: NDArray[np.float32]) -> NDArray[np.float32]:
    return rgba[..., :3] * rgba[..., 3:] + np.float32(0.5) * (1 - rgba[..., 3:])


def retoned(scene: Scene, old: Material, new: MainPaint) -> Scene:
    """The object with its main parts in a new paint, each as much darker or lighter as it was."""
    return scene.repainted(
        lambda part: (
            _retoned(part.material, old.color, new)
            if isinstance(part.material, MainPaint)
            else part.material
        )
    )


def _retoned(tone: Material, old: Array, new: MainPaint) -> MainPaint:
    factor = float(tone.color.sum() / old.sum())
    if factor > 1.001:
        amount = float(np.mean((tone.color - old) / np.maximum(1 - old, 1e-6)))
        color = new.color + (1 - new.color) * amount
    else:
        color = new.color * factor
    return replace(new, color=color, axis=tone.axis)


def _pick(rng: np.random.Generator, words: tuple[str, ...] | list[str]) -> str:
    return words[int(rng.integers(len(words)))]


def _draw(
    rng: np.random.Generator, kinds: tuple[str, ...], dressed: float = 0.0
) -> tuple[Description, int]:
    """A plain object, with an accessory in some cases, and its seed."""
    kind, color = _pick(rng, kinds), _pick(rng, list(COLORS))
    worn = draw_accessory(rng, kind, color) if rng.random() < dressed else None
    return Description(kind, color, accessory=worn), int(rng.integers(2**31))


def _other(rng: np.random.Generator, words: tuple[str, ...] | list[str], than: str) -> str:
    return _pick(rng, [word for word in words if word != than])


def _in_paint(said: Description, after: Description, seed: int, rng: np.random.Generator) -> Scene:
    """The object of a description and seed, in the paint of another description."""
    new, word = main_paint(after, rng)
    return replace(retoned(single(said, seed), started(said, seed)[0], new), color=word)


def _recolor(rng: np.random.Generator, kinds: tuple[str, ...]) -> _Change:
    said, seed = _draw(rng, kinds, dressed=0.25)
    after = replace(said, color=_other(rng, list(COLORS), str(said.color)))
    target = _in_paint(said, after, seed, rng)
    words = {"color": str(after.color)}
    return _Change(single(said, seed), target, said, after, _RECOLOR, words)


def _material(rng: np.random.Generator, kinds: tuple[str, ...]) -> _Change:
    said, seed = _draw(rng, kinds, dressed=0.15)
    pattern = _pick(rng, PATTERNS)
    bare = pattern in MATERIALS
    after = replace(said, pattern=pattern, color=None if bare else said.color)
    target = _in_paint(said, after, seed, rng)
    stuff = {"wooden": "wood"}.get(pattern, pattern)
    words = {"pattern": pattern, "stuff": stuff, "looks": f"{article(pattern)} {pattern}"}
    return _Change(single(said, seed), target, said, after, _MADE_OF if bare else _PATTERN, words)


def _part_color(rng: np.random.Generator, kinds: tuple[str, ...]) -> _Change | None:
    said, seed = _draw(rng, kinds, dressed=0.2)
    source = single(said, seed)
    groups = _groups(source, largest=0.6)
    if not groups:
        return None
    group, color = _pick(rng, groups), _pick(rng, list(COLORS))
    paint = shade(color, rng)
    if np.abs(_group_color(source, group) - paint).sum() < 0.5:
        return None
    target = source.repainted(lambda p: paint if part_group(p.name) == group else p.material)
    worn = said.accessory is not None and group == said.accessory.kind
    part = group if worn else part_word(source, group)
    words = {"part": part, "color": color}
    some = f"{color} {part}" if part != group else f"{article(color)} {color} {part}"
    after, seen = said, f"{caption(said)} {'and' if said.accessory else 'with'} {some}"
    if said.accessory and worn:
        after = replace(said, accessory=replace(said.accessory, color=color))
        seen = ""
    return _Change(source, target, said, after, _PART_COLOR, words, seen)


def _add(rng: np.random.Generator, kinds: tuple[str, ...]) -> _Change:
    said, seed = _draw(rng, kinds)
    worn = draw_accessory(rng, said.kind, str(said.color))
    after = replace(said, accessory=worn)
    plain = single(said, seed)
    source = bareheaded(plain) if worn.kind in ON_TOP else plain
    words = {"thing": f"{article(worn.color)} {worn.color} {worn.kind}"}
    return _Change(source, finished(plain, after, seed), said, after, _ADD, words)


def _remove(rng: np.random.Generator, kinds: tuple[str, ...]) -> _Change:
    change = _add(rng, kinds)
    words = {"part": str(change.target_said.accessory and change.target_said.accessory.kind)}
    return _Change(
        change.target, change.source, change.target_said, change.source_said, _REMOVE, words
    )


def _replace(rng: np.random.Generator, kinds: tuple[str, ...]) -> _Change | None:
    said, seed = _draw(rng, kinds)
    old, worn = (draw_accessory(rng, said.kind, str(said.color)) for _ in range(2))
    if worn.kind == old.kind:
        return None
    bare = bareheaded(single(said, seed))
    before, after = replace(said, accessory=old), replace(said, accessory=worn)
    source, target = finished(bare, before, seed), finished(bare, after, seed)
    words = {"part": old.kind, "thing": f"{article(worn.color)} {worn.color} {worn.kind}"}
    return _Change(source, target, before, after, _REPLACE, words)


def _size(rng: np.random.Generator, kinds: tuple[str, ...]) -> _Change:
    said, seed = _draw(rng, kinds, dressed=0.1)
    word = _pick(rng, tuple(ATTRIBUTES))
    source = single(said, seed)
    after = replace(said, attribute=word)
    words = {"longer": _COMPARATIVES[word]}
    return _Change(source, stretched(source, word), said, after, _SIZE, words)


def _part_size(rng: np.random.Generator, kinds: tuple[str, ...]) -> _Change | None:
    said, seed = _draw(rng, kinds)
    source = single(said, seed)
    groups = _groups(source, largest=0.3)
    if not groups:
        return None
    group, (factor, longer, word) = _pick(rng, groups), _PART_SIZES[int(rng.integers(2))]
    parts = tuple(
        _resized(part, factor) if part_group(part.name) == group else part for part in source.parts
    )
    part = part_word(source, group)
    some = f"{word} {part}" if part != group else f"{article(word)} {word} {part}"
    longer_ones = f"{longer} {part}" if part != group else f"{article(longer)} {longer} {part}"
    words = {"part": part, "longer": longer, "longer_ones": longer_ones}
    seen = f"{caption(said)} with {some}"
    return _Change(source, replace(source, parts=parts), said, said, _PART_SIZE, words, seen)


def _resized(part: Part, factor: float) -> Part:
    cloud = part.surface_points()
    center = (cloud.min(0) + cloud.max(0)) / 2
    matrix = part.local_to_world * factor
    matrix[:, 3] += (1 - factor) * center
    return replace(part, local_to_world=matrix)


def _kind(rng: np.random.Generator, kinds: tuple[str, ...]) -> _Change | None:
    said, seed = _draw(rng, kinds)
    family = [k for k in kinds if KINDS[k].family == KINDS[said.kind].family and k != said.kind]
    others = family if family and rng.random() < 0.6 else [k for k in kinds if k != said.kind]
    if not others:
        return None
    after = replace(said, kind=_pick(rng, others))
    source = single(said, seed)
    paint, word, _ = started(said, seed)
    target = grounded(sculpted(after.kind, word, paint, rng), source)
    words = {"other": f"{article(after.kind)} {after.kind}"}
    return _Change(source, target, said, after, _KIND, words)


def _groups(scene: Scene, largest: float) -> list[str]:
    """The part groups that are seen well enough, but whose pieces are no larger than a share of the
    object (by the diagonal of their boxes)."""
    whole = float(np.linalg.norm(np.ptp(scene.bounds(), 0)))
    sizes: dict[str, float] = {}
    for part in scene.parts:
        size = float(np.linalg.norm(np.ptp(part.surface_points(), 0))) / whole
        sizes[part_group(part.name)] = max(sizes.get(part_group(part.name), 0.0), size)
    return [group for group, size in sizes.items() if 0.06 < size < largest]


def _group_color(scene: Scene, group: str) -> Array:
    return np.mean([p.color for p in scene.parts if part_group(p.name) == group], 0)


_PART_SIZES = ((1.6, "bigger", "big"), (0.5, "smaller", "small"))
_RECOLOR = (
    "make it {color}", "turn it {color}", "make the {kind} {color}", "paint the {kind} {color}",
    "paint it {color}", "change its color to {color}", "change the color of the {kind} to {color}",
    "color it {color}", "turn the {kind} {color}",
)  # fmt: skip
_PATTERN = (
    "make it {pattern}", "make the {kind} {pattern}", "turn it into {looks} {kind}",
    "give it a {pattern} pattern", "give the {kind} a {pattern} pattern",
)  # fmt: skip
_MADE_OF = (
    "make it {pattern}", "make it out of {stuff}", "make the {kind} out of {stuff}",
    "turn it into {stuff}", "turn it into {looks} {kind}", "change the material to {stuff}",
)  # fmt: skip
_PART_COLOR = (
    "make the {part} {color}", "paint the {part} {color}", "turn the {part} {color}",
    "change the color of the {part} to {color}", "color the {part} {color}",
)  # fmt: skip
_ADD = (
    "give it {thing}", "add {thing}", "put {thing} on it", "give the {kind} {thing}",
    "put {thing} on the {kind}", "add {thing} to the {kind}",
)  # fmt: skip
_REMOVE = (
    "remove the {part}", "take off the {part}", "take the {part} off the {kind}",
    "remove the {part} from the {kind}", "take away the {part}", "delete the {part}",
)  # fmt: skip
_REPLACE = (
    "replace the {part} with {thing}", "swap the {part} for {thing}",
    "change the {part} into {thing}", "turn the {part} into {thing}",
)  # fmt: skip
_SIZE = (
    "make it {longer}", "make the {kind} {longer}", "turn it into a {longer} {kind}",
    "the {kind} should be {longer}",
)  # fmt: skip
_PART_SIZE = (
    "make the {part} {longer}", "give it {longer_ones}", "the {part} should be {longer}",
)  # fmt: skip
_KIND = (
    "turn it into {other}", "turn the {kind} into {other}", "make it {other}",
    "replace the {kind} with {other}", "change the {kind} into {other}",
)  # fmt: skip

_ORDERS = (_RECOLOR, _PATTERN, _MADE_OF, _PART_COLOR, _ADD, _REMOVE, _REPLACE, _SIZE, _PART_SIZE)
ORDERS = frozenset(order.split()[0] for orders in _ORDERS for order in orders) - {"the"} | {
    "should"
}
"""Words of which one is in every instruction."""
PLAIN_ORDERS = frozenset(order.split()[0] for order in _REMOVE) | frozenset(
    (*_COMPARATIVES.values(), *(word for _, word, _ in _PART_SIZES))
)
"""With one of these an instruction need not name a kind or color."""

OPERATIONS: dict[str, Callable[[np.random.Generator, tuple[str, ...]], _Change | None]] = {
    "recolor": _recolor, "part color": _part_color, "material": _material, "add": _add,
    "remove": _remove, "replace": _replace, "size": _size, "part size": _part_size, "kind": _kind,
}  # fmt: skip
