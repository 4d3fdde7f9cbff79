"""Iterative dataset update (Haque et al., Instruct-NeRF2NeRF, arXiv 2303.12789, section 3.2).

The pictures that a thing is fitted to are replaced a few at a time, in order and then around again,
each by an edit of what the thing shows there now. Edits of single pictures disagree; fitted in
between they draw each other to one thing. Editing all pictures once is another method.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from backend.distillation.loop import State
from backend.rendering.cameras import Cameras


class Editor(Protocol):
    """Edits pictures; see :class:`backend.editing.instruction.InstructionEditor`."""

    def __call__(
        self, current: Tensor, originals: Tensor, places: Tensor, cameras: Cameras, number: int
    ) -> Tensor:
        """What takes the place of ``current``, the renders as they are now, given ``originals``,
        the pictures before any edit: all (views, height, width, channels) in [0, 1], seen by
        ``cameras``. ``places``: (views, height, width), 1 where a picture may change. ``number``:
        how many edits went before; all chance depends on it alone."""
        ...


@dataclass
class ViewStore:
    """Pictures of one thing by their cameras: ``originals``, which never change, and ``pictures``,
    which it is fitted to; both (views, height, width, channels). ``places``: where they may change,
    (views, height, width) in [0, 1]. ``edits``: how many replacements there were."""

    cameras: Cameras
    originals: Tensor
    pictures: Tensor
    places: Tensor
    edits: int = 0

    @classmethod
    def of(cls, cameras: Cameras, originals: Tensor, places: Tensor | None = None) -> "ViewStore":
        """Nothing edited yet; without ``places`` all may change."""
        if places is None:
            places = torch.ones_like(originals[..., 0])
        return cls(cameras, originals, originals.clone(), places)

    def state(self) -> dict[str, Any]:
        """For a checkpoint; originals and places are the caller's to make again."""
        return {"pictures": self.pictures.clone(), "edits": self.edits}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.pictures, self.edits = state["pictures"].clone(), state["edits"]


@dataclass
class Editing:
    """A thing under optimization together with the pictures that change meanwhile: what the
    checkpoint of a stage with a dataset update holds."""

    state_of_thing: State
    store: ViewStore

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"thing": self.state_of_thing.state(), "store": self.store.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint, bitwise."""
        self.state_of_thing.load_state(state["thing"])
        self.store.load_state(state["store"])


@dataclass(frozen=True)
class DatasetUpdate:
    """After every ``every`` steps the next ``count`` pictures of ``store`` are edited from what
    ``render`` now shows of them. Give :meth:`after_step` to
    :func:`backend.distillation.loop.distill`. The released configuration edits one picture every
    ten steps."""

    store: ViewStore
    render: Callable[[Cameras], Tensor]
    edit: Editor
    every: int = 10
    count: int = 1

    def after_step(self, step: int) -> None:
        """Edit where an edit is due after ``step`` (counted from 0)."""
        if (step + 1) % self.every == 0:
            self.update()

    @torch.no_grad()
    def update(self) -> None:
        """Replace the next pictures in order."""
        store = self.store
        first = store.edits * self.count
        views = [(first + offset) % len(store.cameras) for offset in range(self.count)]
        cameras = store.cameras[views]
        store.pictures[views] = self.edit(
            self.render(cameras), store.originals[views], store.places[views], cameras, store.edits
        )
        store.edits += 1
