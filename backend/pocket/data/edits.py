"""Pictures with something to change: by an instruction, or where pixels are not known."""

import numpy as np

from backend.pocket.data.batches import Bools, Sample
from backend.pocket.data.pictures import SIZE, Floats, color_planes, draw_light
from backend.pocket.data.shots import Shot, draw_rig, draw_shot
from backend.pocket.data.views import draw_subject
from backend.pocket.network import MASKED, SOURCE
from backend.pocket.render import render_views
from backend.pocket.world.edits import draw_edit


def draw_edited(rng: np.random.Generator, held_out: bool) -> Sample:
    """One view after an edit, given the same view before it and the instruction."""
    return _edited(rng, held_out, [draw_shot(rng)], camera_known=bool(rng.random() < 0.6))


def draw_edited_views(rng: np.random.Generator, held_out: bool) -> Sample:
    """Four views after an edit, each given itself before."""
    return _edited(rng, held_out, draw_rig(rng, 4))


def _edited(
    rng: np.random.Generator, held_out: bool, shots: list[Shot], camera_known: bool = True
) -> Sample:
    """The source stands where known pixels do, all of it, as InstructPix2Pix (Brooks et al.,
    2211.09800, section 3.2) gives it in further channels; one in twenty is told none."""
    edit = draw_edit(rng, held_out)
    light = draw_light(rng, shots[0])
    views = [shot.view() for shot in shots]
    before, after = (
        color_planes(render_views(scene, views, light)["rgba"])
        for scene in (edit.source, edit.target)
    )
    whole = np.ones((len(shots), SIZE, SIZE), np.float32)
    if rng.random() < 0.05:
        whole[:] = 0
    return Sample(
        after, shots, edit.instruction, role=np.full(len(shots), SOURCE),
        camera_known=camera_known, known=known_pixels(before, whole),
    )


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
    mask = np.stack([draw_hole(rng) for _ in shots]) ^ True
    return Sample(
        images, shots, subject.caption, role=np.full(len(shots), MASKED),
        alpha_known=np.full(len(shots), subject.background is None), camera_known=camera_known,
        known=known_pixels(images, mask.astype(np.float32)),
    )


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
