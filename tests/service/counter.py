"""The test recipe: sums noise into a few points, checkpoint by checkpoint, bitwise reproducible.

Its options make it slow, broken or deadly, so that the service can be tested without a prior.
"""

import os
import signal
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend.recipes.options import option
from backend.recipes.recipe import Inputs, Recipe
from backend.studio import Progress, Studio
from protocol.assets import Asset, Image, Mesh
from protocol.errors import InputError


@dataclass
class Options:
    steps: int = option(20, "How far to count.", low=1, high=10_000)
    seconds: float = option(0.0, "How long a step takes.", unit="s", low=0.0, high=60.0)
    points: int = option(30, "How many points the result has.", low=3, high=10_000_000)
    fails: str = option("", "How it fails: error, input, memory, or a file at which it dies once.")


@dataclass
class Count:
    step: int = 0
    total: Tensor = field(default_factory=lambda: torch.zeros(30, 3))

    def state(self) -> dict[str, Any]:
        return {"step": self.step, "total": self.total}

    def load_state(self, state: dict[str, Any]) -> None:
        self.step, self.total = state["step"], state["total"]


def run(inputs: Inputs, options: Options, studio: Studio) -> Generator[Progress, None, Asset]:
    def count(state: Count) -> Iterator[Progress]:
        while state.step < options.steps:
            fail(options.fails, state.step)
            noise = studio.noise(tuple(state.total.shape), "count", state.step)
            state.total = torch.sin(state.total + noise)
            state.step += 1
            time.sleep(options.seconds)
            yield Progress(
                state.step, options.steps, losses={"total": float(state.total.norm())},
                preview=lambda: picture(state.step),
            )
            studio.save_checkpoint()

    start = Count(total=torch.zeros(options.points, 3))
    state = yield from studio.stage("count", start, count)
    faces = np.arange(options.points // 3 * 3, dtype=np.int32).reshape(-1, 3)
    sheet = picture(state.step).contact_sheet
    mesh = Mesh(state.total.numpy(), faces)
    return Asset(name=inputs.prompt, mesh=mesh, contact_sheet=sheet, images=dict(given(inputs)))


def given(inputs: Inputs) -> Iterator[tuple[str, Image]]:
    for asset in inputs.assets.values():
        yield from asset.images.items()


def picture(step: int) -> Asset:
    return Asset(
        name="preview", contact_sheet=Image(np.full((200, 200, 4), step % 256, np.uint8))
    )


def fail(how: str, step: int) -> None:
    """Fail as asked; a path means: die at step 5 unless (or until) the file holds enough marks."""
    if how == "error":
        raise RuntimeError("on purpose")
    if how == "input":
        raise InputError("asked_for", "This was asked for.", "Do not ask for it.")
    if how == "memory":
        raise MemoryError
    if how.startswith("/") and step == 5 and Path(how).exists():
        Path(how).unlink() if Path(how).read_text() == "once" else None
        os.kill(os.getpid(), signal.SIGKILL)


RECIPE = Recipe(
    id="counter", title="Counter", task="text_to_3d", summary="Counts.", citation="",
    capabilities=(), inputs=("prompt", "negative_prompt"), options=Options,
    presets={"draft": {}, "standard": {"steps": 40}}, stages={"count": 1.0}, run=run,
)
