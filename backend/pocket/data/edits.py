"""Pictures with something to change: by an instruction, or where pixels are not known."""

import numpy as np
from scipy.ndimage import binary_dilation

from backend.pocket.data.batches import Bools, Sample
from backend.pocket.data.pictures import SIZE, Floats, color_planes, draw_light
from backend.pocket.data.shots import Shot, draw_rig, draw_shot
from backend.pocket.data.views import draw_subject
from backend.pocket.network import MASKED, SOURCE
from backend.pocket.render import View, render_views
from backend.pocket.world.edits import Edit, changed_box, draw_edit, shown_parts

OF_A_PLACE = (
    "part color", "part color", "replace", "replace", "part size", "part size", "recolor",
    "material", "remove",
)  # fmt: skip
"""Edits of the world that have a place; those of a part, which the place helps, twice as often."""


def draw_edited(rng: np.random.Generator, held_out: bool) -> Sample:
    """One view after an edit, given the same view before it and the instruction."""
    return _edited(rng, held_out, [draw_shot(rng)], camera_known=bool(rng.random() < 0.6))


def draw_edited_views(rng: np.random.Generator, held_out: bool) -> Sample:
    """Four views after an edit, each given itself before."""
    return _edited(rng, held_out, draw_rig(rng, 4))


def draw_placed_views(rng: np.random.Generator, held_out: bool) -> Sample:
    """Four views after an edit, each given itself before and where the edit may be."""
    return _edited(rng, held_out, draw_rig(rng, 4), placed=True)


def _edited(
    rng: np.random.Generator, held_out: bool, shots: list[Shot], camera_known: bool = True,
    placed: bool = False,
) -> Sample:
    """The source stands where known pixels do, all of it, as InstructPix2Pix (Brooks et al.,
    2211.09800, section 3.2) gives it in further channels; one in twenty is told none. Where it is
    told the place of the edit, the mask says so: what it marks is kept."""
    edit = draw_edit(rng, held_out, OF_A_PLACE if placed else None)
    light = draw_light(rng, shots[0])
    views = [shot.view() for shot in shots]
    before, after = (
        color_planes(render_views(scene, views, light)["rgba"])
        for scene in (edit.source, edit.target)
    )
    kept = np.ones((len(shots), SIZE, SIZE), np.float32)
    if placed:
        kept = 1 - draw_place(edit, views, rng).astype(np.float32)
    told = rng.random() >= 0.05
    return Sample(
        after, shots, edit.instruction, role=np.full(len(shots), SOURCE),
        camera_known=camera_known, known=np.concatenate([before, kept[:, None]], 1) * told,
    )


def draw_place(edit: Edit, views: list[View], rng: np.random.Generator) -> Bools:
    """Where views of the source show what the edit may change, (V, 64, 64): the parts that it
    changes, or, mostly, all that lies in a box around them."""
    if edit.source_parts.any() and rng.random() < 0.3:
        return shown_parts(edit.source, edit.source_parts, views)
    seen = render_views(edit.source, views, samples=1)
    box = changed_box(edit, float(rng.uniform(0.02, 0.06)))
    inside = np.abs(seen["coordinates"] - box[:3, 3]) < np.diag(box)[:3]
    return np.asarray(inside.all(-1) & (seen["part"][..., 0] >= 0))


def draw_masked(rng: np.random.Generator, held_out: bool) -> Sample:
    """One view of which some pixels are known."""
    return _masked(rng, held_out, [draw_shot(rng)], camera_known=bool(rng.random() < 0.7))


def draw_masked_views(rng: np.random.Generator, held_out: bool) -> Sample:
    """Four views, each with known pixels of its own."""
    return _masked(rng, held_out, draw_rig(rng, 4))


def _masked(
    rng: np.random.Generator, held_out: bool, shots: list[Shot], camera_known: bool = True
) -> Sample:
    subject = draw_subject(rng, held_out, shots[0])
    images = subject.colors(shots)
    holes = [draw_hole(rng) for _ in shots]
    return _holed(images, shots, subject.caption, holes, subject.background is None, camera_known)


def draw_added(rng: np.random.Generator, held_out: bool) -> Sample:
    """One view of a thing with something more, not known around that, and words for both."""
    return _filled(rng, held_out, [draw_shot(rng)])


def draw_removed_views(rng: np.random.Generator, held_out: bool) -> Sample:
    """Four views of a thing, not known around where something more was; half of the time without
    words."""
    return _filled(rng, held_out, draw_rig(rng, 4), added=False)


def _filled(
    rng: np.random.Generator, held_out: bool, shots: list[Shot], added: bool = True
) -> Sample:
    edit = draw_edit(rng, held_out, ("add",))
    views = [shot.view() for shot in shots]
    light, scene = draw_light(rng, shots[0]), edit.target if added else edit.source
    images = color_planes(render_views(scene, views, light)["rgba"])
    seen = shown_parts(edit.target, edit.target_parts, views)
    holes = [draw_hole_around(each, rng) for each in seen]
    words = edit.caption_target if added else edit.caption_source if rng.random() < 0.5 else ""
    return _holed(images, shots, words, holes)


def _holed(
    images: Floats, shots: list[Shot], words: str, holes: list[Bools], alpha_known: bool = True,
    camera_known: bool = True,
) -> Sample:
    mask = np.stack(holes) ^ True
    return Sample(
        images, shots, words, role=np.full(len(shots), MASKED),
        alpha_known=np.full(len(shots), alpha_known), camera_known=camera_known,
        known=known_pixels(images, mask.astype(np.float32)),
    )


def draw_hole_around(seen: Bools, rng: np.random.Generator) -> Bools:
    """What is not known around what is `seen`, both (64, 64): a rectangle mostly, farther away on
    each side by up to a third of it and two pixels, else all within a few pixels; nothing where
    nothing is seen."""
    if rng.random() < 0.3 or not seen.any():
        return np.asarray(binary_dilation(seen, iterations=int(rng.integers(1, 5))))
    hole = np.zeros_like(seen)
    spans = []
    for axis in (1, 0):
        places = np.flatnonzero(seen.any(axis))
        low, high = int(places[0]), int(places[-1]) + 1
        further = rng.uniform(0, 2 + (high - low) / 3, 2).round().astype(int)
        spans.append(slice(max(low - further[0], 0), high + further[1]))
    hole[tuple(spans)] = True
    return hole


def draw_hole(rng: np.random.Generator) -> Bools:
    """What is not known, (64, 64): a box, an ellipse or a half, a third of them the other way
    around."""
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    style = rng.random()
    center, half = rng.uniform(0.2, 0.8, 2), rng.uniform(0.1, 0.35, 2)
    u, v = (x - center[0]) / half[0], (y - center[1]) / half[1]
    if style < 0.4:
        hole = np.maximum(np.abs(u), np.abs(v)) < 1
    elif style < 0.8:
        hole = u**2 + v**2 < 1
    else:
        angle = rng.uniform(0, 2 * np.pi)
        hole = (x - center[0]) * np.cos(angle) + (y - center[1]) * np.sin(angle) > 0
    return np.asarray(hole ^ (rng.random() < 0.33))


def known_pixels(images: Floats, mask: Floats) -> Floats:
    """Images (V, 4, 64, 64) where `mask` (V, 64, 64) is 1, and the mask: (V, 5, 64, 64)."""
    return np.concatenate([images * mask[:, None], mask[:, None]], 1).astype(np.float32)
