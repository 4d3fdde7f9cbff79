"""Training samples: views of random objects with their cameras and captions, from (seed, step)."""

import math
import multiprocessing
from dataclasses import dataclass
from queue import Empty

import numpy as np
from numpy.typing import NDArray

from backend.pocket.render import Light, View, orbit, render_views
from backend.pocket.world import COLORS, KINDS, build, draw_caption, is_held_out, view_words

Floats = NDArray[np.float32]
SINGLE, JOINT = "single", "joint"
_TRAINED = [(k, c) for k in KINDS for c in COLORS if not is_held_out(k, c)]
_HELD_OUT = [(k, c) for k in KINDS for c in COLORS if is_held_out(k, c)]


@dataclass(frozen=True)
class Batch:
    """Sets of views: `images` (B, V, 4, 64, 64) in [-1, 1], RGB over mid-gray; cameras; words."""

    images: Floats
    c2w: Floats
    fov_degrees: Floats
    ortho_height: Floats
    alpha_known: NDArray[np.bool_]
    captions: list[str]


@dataclass(frozen=True)
class Shot:
    """A camera by its parameters: degrees, and the part of the frame that the unit ball fills."""

    azimuth: float
    elevation: float
    fov: float
    fill: float
    orthographic: bool = False

    def view(self) -> View:
        half = math.tan(math.radians(self.fov) / 2)
        radius = 1 / math.sin(math.atan(self.fill * half))
        half = 1 / self.fill if self.orthographic else half
        return View(orbit(self.azimuth, self.elevation, radius), half, self.orthographic)


def draw_elevation(rng: np.random.Generator) -> float:
    """Mostly -10 to 45 degrees, sometimes anything from -20 to 90."""
    wide = rng.random() < 0.2
    return float(rng.uniform(-20, 90) if wide else rng.uniform(-10, 45))


def draw_shots(rng: np.random.Generator, views: int) -> list[Shot]:
    """One camera, or a rig: mostly evenly spaced azimuths at one elevation, sometimes anywhere."""
    orthographic = bool(rng.random() < 0.08)
    fov = float(rng.uniform(15, 70) if rng.random() < 0.4 else rng.uniform(30, 60))
    fill, azimuth = float(rng.uniform(0.7, 1.2)), float(rng.uniform(0, 360))
    elevation = draw_elevation(rng)
    if views > 1 and rng.random() < 0.12:
        return [
            Shot(float(rng.uniform(0, 360)), draw_elevation(rng), fov, fill, orthographic)
            for _ in range(views)
        ]
    step = 360 / views
    return [
        Shot((azimuth + step * i) % 360, elevation, fov, fill, orthographic) for i in range(views)
    ]


def draw_light(rng: np.random.Generator, shot: Shot) -> Light | None:
    """No light for a third; else a point light around the camera, as DreamFusion's."""
    if rng.random() < 0.35:
        return None
    toward = orbit(shot.azimuth + rng.normal(0, 50), rng.uniform(0, 80), 1.0)[:, 3]
    ambient = float(rng.uniform(0.4, 0.8))
    return Light(
        toward * rng.uniform(1.5, 4), min(1.05 - ambient, float(rng.uniform(0.3, 0.6))), ambient
    )


def draw_background(rng: np.random.Generator) -> Floats:
    """A plain or smoothly varying background, (64, 64, 3)."""
    first, second = rng.uniform(0, 1, 3), rng.uniform(0, 1, 3)
    if rng.random() < 0.5:
        second = first
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:64, :64] / 63 - 0.5
    mix = np.clip(0.5 + x * np.cos(angle) + y * np.sin(angle), 0, 1)[..., None]
    return (first * (1 - mix) + second * mix).astype(np.float32)


def draw_set(
    rng: np.random.Generator, views: int, pairs: list[tuple[str, str]]
) -> tuple[Floats, list[View], bool, str]:
    """One object: images (V, 4, 64, 64), cameras, whether alpha is known, caption."""
    kind, color = pairs[int(rng.integers(len(pairs)))]
    scene = build(kind, color, int(rng.integers(2**31)))
    shots = draw_shots(rng, views)
    light = draw_light(rng, shots[0])
    style = rng.random()
    if style < 0.1:
        scene, light = scene.textureless(), light or Light(np.array([1.0, -3, 3]), 0.5, 0.5)
    words = draw_caption(kind, None if style < 0.13 else color, rng)
    if views == 1 and rng.random() < 0.5:
        words += ", " + view_words(shots[0].azimuth, shots[0].elevation)
    cameras = [shot.view() for shot in shots]
    rgba = render_views(scene, cameras, light)["rgba"]
    opaque = bool(rng.random() < 0.25)
    background = draw_background(rng) if opaque else np.float32(0.5)
    alpha = rgba[..., 3:]
    color_over = rgba[..., :3] * alpha + background * (1 - alpha)
    images = np.concatenate([color_over, np.ones_like(alpha) if opaque else alpha], -1) * 2 - 1
    return images.transpose(0, 3, 1, 2), cameras, not opaque, words


def draw_batch(seed: int, step: int, sets: int, views: int, held_out: bool = False) -> Batch:
    """The batch of a step: a pure function of its arguments."""
    rng = np.random.default_rng((seed, step, int(held_out)))
    drawn = [draw_set(rng, views, _HELD_OUT if held_out else _TRAINED) for _ in range(sets)]
    cameras = [view for _, views_, _, _ in drawn for view in views_]
    c2w = np.tile(np.eye(4, dtype=np.float32), (len(cameras), 1, 1))
    c2w[:, :3] = np.stack([view.c2w for view in cameras])
    half = np.array([view.half_height for view in cameras])
    flat = np.array([view.orthographic for view in cameras])
    shape = (sets, views)
    return Batch(
        images=np.stack([images for images, _, _, _ in drawn]).astype(np.float32),
        c2w=c2w.reshape(*shape, 4, 4),
        fov_degrees=np.where(flat, 40, np.degrees(2 * np.arctan(half)))
        .astype(np.float32)
        .reshape(shape),
        ortho_height=np.where(flat, 2 * half, 0).astype(np.float32).reshape(shape),
        alpha_known=np.repeat([[known] for _, _, known, _ in drawn], views, 1),
        captions=[words for _, _, _, words in drawn],
    )


@dataclass(frozen=True)
class Mixture:
    """What a step trains on: `images` views in all; single views first, then mostly joint sets."""

    images: int = 16
    views: int = 4
    single_steps: int = 1000
    single_share: float = 0.35

    def shape(self, seed: int, step: int) -> tuple[int, int]:
        """(sets, views) of a step."""
        chance = np.random.default_rng((seed, step, 7)).random()
        single = step < self.single_steps or chance < self.single_share
        return (self.images, 1) if single else (self.images // self.views, self.views)


def _draw_forever(
    queue: "multiprocessing.Queue[tuple[int, Batch]]", mixture: Mixture, seed: int, step: int
) -> None:
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        batch = draw_batch(seed, step, *mixture.shape(seed, step))
        queue.put((step, batch))
        step += 1


class Prefetcher:
    """Draws the batches of successive steps in a process of its own."""

    def __init__(self, mixture: Mixture, seed: int, step: int, depth: int = 12) -> None:
        context = multiprocessing.get_context("spawn")
        self.queue = context.Queue(depth)
        self.process = context.Process(
            target=_draw_forever, args=(self.queue, mixture, seed, step), daemon=True
        )
        self.process.start()

    def get(self, step: int) -> Batch:
        """The batch of `step`; they come in order. Raises RuntimeError where the drawer died."""
        while True:
            try:
                found, batch = self.queue.get(timeout=20)
                break
            except Empty:
                if not self.process.is_alive():
                    raise RuntimeError("the process that draws training samples ended") from None
        if found != step:
            raise RuntimeError(f"training samples out of order: {found}, not {step}")
        return batch

    def close(self) -> None:
        self.process.terminate()
