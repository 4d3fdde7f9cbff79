"""Colored points on the visible surface of scenes, with their captions."""

from dataclasses import dataclass

import numpy as np

from backend.pocket.data.pictures import Floats
from backend.pocket.data.prefetch import share_seed
from backend.pocket.data.shots import Shot
from backend.pocket.points import POINTS
from backend.pocket.render import render_views
from backend.pocket.world import build, caption, draw_caption, draw_description
from backend.pocket.world.scenes import Scene

_AROUND = [
    Shot(azimuth, elevation, 40.0, 0.98, True).view()
    for azimuth, elevation in ((0, 10), (60, -30), (120, 10), (180, -30), (240, 10), (300, -30),
                               (0, 60), (120, 60), (240, 60), (0, 90))
]  # fmt: skip
_PIXELS = 40
PLAIN_WORDS = 0.9
"""How often a caption is the plainest: each new one costs as much as the step it is used in."""


@dataclass(frozen=True)
class CloudBatch:
    """`clouds` (B, N, 6): positions in the unit ball, colors in [-1, 1]; what they show."""

    clouds: Floats
    captions: list[str]

    @property
    def views(self) -> int:
        """How many clouds."""
        return len(self.clouds)


def surface_points(scene: Scene, rng: np.random.Generator, count: int = POINTS) -> Floats:
    """Points on what can be seen of a scene from around, (count, 6): positions, colors in
    [-1, 1]."""
    found = render_views(scene, _AROUND, samples=1, size=_PIXELS)
    hit = found["rgba"][..., 3] > 0
    points = np.concatenate([found["coordinates"][hit], found["rgba"][hit][:, :3] * 2 - 1], 1)
    facing = np.abs((found["normals"] * np.stack([v.c2w[:, 2] for v in _AROUND])[:, None, None])
                    .sum(-1))[hit]
    # A pixel of a slanting surface stands for more of it.
    weights = 1 / np.maximum(facing, 0.2)
    chosen = rng.choice(len(points), count, replace=len(points) < count, p=weights / weights.sum())
    return points[chosen].astype(np.float32)


def draw_cloud(rng: np.random.Generator, held_out: bool, points: int) -> tuple[Floats, str]:
    """Points of a random scene, and its caption."""
    said = draw_description(rng, held_out)
    scene = build(said, seed=int(rng.integers(2**31)))
    words = caption(said) if rng.random() < PLAIN_WORDS else draw_caption(said, None, rng)
    return surface_points(scene, rng, points), words


def draw_clouds(
    seed: int, step: int, count: int, held_out: bool = False, points: int = POINTS
) -> CloudBatch:
    """The clouds of a step: a pure function of its arguments."""
    rng = np.random.default_rng((seed, step, int(held_out), 3))
    clouds, captions = zip(*(draw_cloud(rng, held_out, points) for _ in range(count)), strict=True)
    return CloudBatch(np.stack(clouds), list(captions))


@dataclass(frozen=True)
class Clouds:
    """What a step of the points network trains on: `count` clouds of `points`."""

    stage: str = "points"
    count: int = 8
    points: int = 256

    def draw(self, seed: int, step: int, share: int = 0) -> CloudBatch:
        """A share of the batch of a step."""
        return draw_clouds(share_seed(seed, share), step, self.count, points=self.points)
