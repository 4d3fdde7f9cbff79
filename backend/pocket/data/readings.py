"""Examples that teach what is read from the network: where words are seen, and which places of
two things of one kind belong together."""

import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backend.pocket.data.batches import Sample, Span
from backend.pocket.data.pictures import Floats, color_planes, draw_light
from backend.pocket.data.shots import Shot, draw_shot
from backend.pocket.network import READ_SIZE
from backend.pocket.render import render_views
from backend.pocket.world import Description, build, draw_caption, draw_description
from backend.pocket.world.composition import single
from backend.pocket.world.naming import part_group, plural
from backend.pocket.world.scenes import Scene

Parts = NDArray[np.bool_]
LEAST_SHARE = 0.004
"""Of the picture: what is smaller is no target."""


@dataclass(frozen=True)
class Labeled:
    """A scene with words for some of its parts: each word and its parts, (parts,)."""

    scene: Scene
    words: dict[str, Parts]

    @classmethod
    def of(cls, said: Description, seed: int) -> "Labeled":
        """Words for the object, what it wears and what it stands by, and for groups of parts."""
        scene, own = build(said, seed=seed), single(said, seed)
        names = np.array([part.name for part in scene.parts])
        # Copies are objects of their own, with parts of their own number.
        mine = (np.arange(len(names)) < len(own.parts)) | (said.count > 1)
        words = {}
        if said.accessory is not None:
            words[said.accessory.kind] = mine & (names == said.accessory.kind)
            mine &= names != said.accessory.kind
        words[plural(said.kind) if said.count > 1 else said.kind] = mine
        if said.relation is not None:
            words[said.relation.other.kind] = np.arange(len(names)) >= len(own.parts)
        return cls(scene, words)

    def groups(self) -> dict[str, Parts]:
        """Words for groups of parts, which no caption names by itself."""
        names = [part_group(part.name) for part in self.scene.parts]
        return {
            name: np.array([other == name for other in names])
            for name in dict.fromkeys(names) if name not in self.words
        }

    def seen(self, shot: Shot) -> NDArray[np.int64]:
        """Which part a view shows where, (64, 64); -1: none."""
        found = render_views(self.scene, [shot.view()], samples=1)["part"]
        return found[0, ..., 0].astype(np.int64)


def coverage(seen: NDArray[np.int64], parts: Parts) -> Floats:
    """How much of each pixel the parts cover, (32, 32), where (64, 64) of them are seen."""
    hit = np.append(parts, False)[seen]
    return hit.reshape(READ_SIZE, 2, READ_SIZE, 2).mean((1, 3)).astype(np.float32)


def draw_labeled(rng: np.random.Generator, held_out: bool) -> Sample:
    """One view, and where the words of its caption are seen; mostly with one or two words more for
    groups of parts, and sometimes with these words alone."""
    shares = {"plain": 0.55, "attribute": 0.05, "count": 0.05, "relation": 0.15, "accessory": 0.2}
    said = draw_description(rng, held_out, shares=shares)
    labeled, shot = Labeled.of(said, int(rng.integers(2**31))), draw_shot(rng)
    groups, seen = labeled.groups(), labeled.seen(shot)
    extra = [name for name in groups if coverage(seen, groups[name]).mean() > LEAST_SHARE]
    extra = [str(name) for name in rng.permutation(extra)[: rng.integers(0, 3)]]
    caption, words = draw_caption(said, None, rng), dict(labeled.words)
    if extra and rng.random() < 0.3:
        caption, words = "", {}
    caption = ", ".join([*([caption] if caption else []), *extra])
    words |= {name: groups[name] for name in extra}
    rgba = render_views(labeled.scene, [shot.view()], draw_light(rng, shot))["rgba"]
    return Sample(
        color_planes(rgba), [shot], caption, camera_known=bool(rng.random() < 0.3),
        keep_words=True, spans=[span_of(word, caption) for word in words],
        shown=np.stack([coverage(seen, parts)[None] for parts in words.values()]),
    )


def span_of(word: str, caption: str) -> Span:
    """Where a word stands in a caption, in characters. Raises ValueError where it does not."""
    begin = caption.index(word)
    return begin, begin + len(word)


def draw_matched(rng: np.random.Generator, held_out: bool) -> Sample:
    """Two things of one kind, from about the same side, and where on its thing each pixel lies."""
    first = draw_description(rng, held_out, shares={"plain": 1.0})
    second = draw_description(rng, held_out, (first.kind,), {"plain": 1.0})
    shot = draw_shot(rng)
    other = draw_shot(rng)
    shots = [shot, replace(other, azimuth=(shot.azimuth + rng.uniform(-40, 40)) % 360)]
    scenes = [build(said, seed=int(rng.integers(2**31))) for said in (first, second)]
    images = [
        color_planes(render_views(scene, [shot.view()], draw_light(rng, shot))["rgba"])
        for scene, shot in zip(scenes, shots, strict=True)
    ]
    places = [places_on(*pair) for pair in zip(scenes, shots, strict=True)]
    return Sample(np.concatenate(images), shots, "", camera_known=False, places=np.stack(places))


def places_on(scene: Scene, shot: Shot) -> Floats:
    """Where on its object each pixel of a view lies, (32, 32, 4): the coordinates at rest, each
    axis of the object's box mapped to [-1, 1], and a number for the group of parts, -1 for none."""
    found = render_views(scene, [shot.view()], samples=1, size=READ_SIZE)
    low, high = scene.bounds()
    places = (found["object_coordinates"][0] - (low + high) / 2) / np.maximum(high - low, 1e-6) * 2
    numbers = [zlib.crc32(part_group(part.name).encode()) % 2**20 for part in scene.parts]
    group = np.array([*numbers, -1], np.float32)[found["part"][0, ..., 0].astype(int)]
    return np.concatenate([places, group[..., None]], -1).astype(np.float32)
