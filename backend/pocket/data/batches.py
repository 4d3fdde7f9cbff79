"""One set of views as it is drawn, and the batch of several that a step trains on."""

from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from backend.pocket.data.pictures import Floats
from backend.pocket.data.shots import Shot
from backend.pocket.network import COLOR, GENERATED

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Span = tuple[int, int]


@dataclass
class Sample:
    """A set of views: `images` (V, 4, 64, 64) in [-1, 1], RGB over mid-gray; `shots` in the frame
    that the network is told, which need not be the world's.

    `caption` is what is said, "" for nothing; `keep_words`: whether training may not drop it.
    `role`, `domain` (V,): those of the network. `alpha_known` (V,). `camera_known`: of all.
    `known` (V, 5, 64, 64): known pixels (or the source) and their mask. `frame`, `motion` (V,).

    For what is read from the network: `spans`, the characters of the caption's words that are
    shown, and where, `shown` (words, V, 32, 32); `places` (V, 32, 32, 4), where on its object each
    pixel lies and which part it shows (-1: none).
    """

    images: Floats
    shots: list[Shot]
    caption: str
    role: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    domain: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    alpha_known: Bools = field(default_factory=lambda: np.zeros(0, bool))
    camera_known: bool = True
    keep_words: bool = False
    known: Floats | None = None
    frame: Floats | None = None
    motion: Floats | None = None
    spans: list[Span] = field(default_factory=list)
    shown: Floats | None = None
    places: Floats | None = None

    def __post_init__(self) -> None:
        views = len(self.images)
        if not len(self.role):
            self.role = np.full(views, GENERATED)
        if not len(self.domain):
            self.domain = np.full(views, COLOR)
        if not len(self.alpha_known):
            self.alpha_known = np.ones(views, bool)


@dataclass(frozen=True)
class Batch:
    """Samples of one kind stacked: arrays (B, V, ...) named as there; cameras as arrays."""

    name: str
    images: Floats
    c2w: Floats
    fov_degrees: Floats
    ortho_height: Floats
    captions: list[str]
    keep_words: list[bool]
    role: Ints
    domain: Ints
    alpha_known: Bools
    camera_known: Bools
    known: Floats | None
    frame: Floats | None
    motion: Floats | None
    spans: list[list[Span]]
    shown: list[Floats]
    places: Floats | None

    @classmethod
    def of(cls, name: str, samples: list[Sample]) -> "Batch":
        """The samples, which all have as many views."""
        views = [shot.view() for sample in samples for shot in sample.shots]
        c2w = np.tile(np.eye(4, dtype=np.float32), (len(views), 1, 1))
        c2w[:, :3] = np.stack([view.c2w for view in views])
        half = np.array([view.half_height for view in views])
        flat = np.array([view.orthographic for view in views])
        fov = np.where(flat, 40, np.degrees(2 * np.arctan(half)))
        shape = (len(samples), len(samples[0].shots))
        return cls(
            name=name,
            images=np.stack([sample.images for sample in samples]).astype(np.float32),
            c2w=c2w.reshape(*shape, 4, 4),
            fov_degrees=fov.astype(np.float32).reshape(shape),
            ortho_height=np.where(flat, 2 * half, 0).astype(np.float32).reshape(shape),
            captions=[sample.caption for sample in samples],
            keep_words=[sample.keep_words for sample in samples],
            role=np.stack([sample.role for sample in samples]),
            domain=np.stack([sample.domain for sample in samples]),
            alpha_known=np.stack([sample.alpha_known for sample in samples]),
            camera_known=np.array([sample.camera_known for sample in samples]),
            known=_stacked([sample.known for sample in samples]),
            frame=_stacked([sample.frame for sample in samples]),
            motion=_stacked([sample.motion for sample in samples]),
            spans=[sample.spans for sample in samples],
            shown=[sample.shown for sample in samples if sample.shown is not None],
            places=_stacked([sample.places for sample in samples]),
        )

    def apart(self) -> "Batch":
        """The views of every set as sets of their own, in order."""
        views = self.role.shape[1]
        arrays = {
            name: value.reshape(-1, 1, *value.shape[2:])
            for name in (entry.name for entry in fields(self))
            if isinstance(value := getattr(self, name), np.ndarray) and value.ndim > 1
        }
        return replace(
            self, captions=_each(self.captions, views), keep_words=_each(self.keep_words, views),
            camera_known=np.repeat(self.camera_known, views), spans=_each(self.spans, views),
            shown=_each(self.shown, views), **arrays,
        )

    @property
    def views(self) -> int:
        """How many in all."""
        return self.role.size


Entry = TypeVar("Entry")


def _each(entries: list[Entry], times: int) -> list[Entry]:
    return [entry for entry in entries for _ in range(times)]


def _stacked(arrays: list[Floats | None]) -> Floats | None:
    present = [array for array in arrays if array is not None]
    if present and len(present) < len(arrays):
        raise ValueError("samples of one kind carry the same things")
    return np.stack(present).astype(np.float32) if present else None

