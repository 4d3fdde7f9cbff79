"""Benchmarks of recipes: fixed held-out prompts, made into objects, looked at by the judge.

Each finished object is kept, so an interrupted benchmark goes on where it stopped.
"""

import hashlib
import json
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend.evaluation.judge import load_judge
from backend.evaluation.metrics import Figure, JudgedViews
from backend.pocket.vocabulary import Vocabulary
from backend.pocket.world import caption
from backend.priors.base import Capability, Prior
from backend.recipes import registry
from backend.rendering.cameras import framing_radius, orbit_cameras
from backend.rendering.meshes import render_mesh
from backend.studio import Studio
from protocol.assets import Mesh
from protocol.messages import JobSpec

VIEWS = 8
ELEVATION_DEGREES = 15.0
FOV_DEGREES = 30.0
PIXELS = 64
AZIMUTHS = torch.arange(VIEWS) * (360 / VIEWS)


@dataclass(frozen=True)
class Case:
    """A held-out combination, and the seed that it is made with."""

    kind: str
    color: str
    seed: int

    @property
    def prompt(self) -> str:
        """The plain caption."""
        return caption(self.kind, self.color)


@dataclass(frozen=True)
class Made:
    """An object of a case, seen: ``images`` (views, 64, 64, 3) over mid-gray."""

    case: Case
    images: Tensor
    seconds: float


def cases(count: int, vocabulary: Vocabulary) -> list[Case]:
    """The first ``count`` of the fixed held-out cases of a vocabulary."""
    return [Case(*pair, seed) for seed, pair in enumerate(vocabulary.held_out_prompts(count))]


def vocabulary_of(recipe: str, find_prior: Callable[[Capability], Prior]) -> Vocabulary:
    """The words that the judge knows and all priors of the recipe were trained on."""
    shared = load_judge().vocabulary
    for capability in registry.get(recipe).capabilities:
        known = find_prior(capability).spec.vocabulary
        shared = shared if known is None else shared & known
    return shared


def make_all(
    recipe: str,
    chosen: list[Case],
    find_prior: Callable[[Capability], Prior],
    folder: Path,
    preset: str = "draft",
    options: dict[str, Any] | None = None,
) -> Iterator[Made]:
    """Make the object of each case and look at it; those already in ``folder`` are only read."""
    for case in chosen:
        spec = JobSpec(
            recipe=recipe, prompt=case.prompt, seed=case.seed, preset=preset, options=options or {}
        )
        studio = _studio(spec, find_prior, folder)
        kept = studio.folder.with_suffix(".npz")
        if not kept.exists():
            images, seconds = _make(spec, studio)
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(kept, images=(images * 255).round().byte().numpy(), seconds=seconds)
        stored = np.load(kept)
        images = torch.from_numpy(stored["images"]).float() / 255
        yield Made(case, images, float(stored["seconds"]))


def summarize(recipe: str, made: list[Made]) -> dict[str, Any]:
    """The figures of one recipe, each with its interval and number of cases."""
    judged = JudgedViews.of(
        torch.stack([entry.images for entry in made]),
        [entry.case.kind for entry in made],
        [entry.case.color for entry in made],
    )
    seconds = Figure.of(torch.tensor([entry.seconds for entry in made]))
    return {
        "recipe": recipe,
        "r_precision": {name: asdict(figure) for name, figure in judged.r_precision().items()},
        "janus": asdict(judged.janus(AZIMUTHS)),
        "seconds": asdict(seconds),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def look_at(mesh: Mesh) -> Tensor:
    """Eight views from all around, from the front on: (views, 64, 64, 3) over mid-gray."""
    radius = framing_radius(torch.tensor(FOV_DEGREES))
    cameras = orbit_cameras(AZIMUTHS, ELEVATION_DEGREES, radius, FOV_DEGREES, PIXELS)
    color = render_mesh(mesh, cameras).color
    assert color is not None
    return color


def _studio(
    spec: JobSpec, find_prior: Callable[[Capability], Prior], folder: Path
) -> Studio:
    """In a folder of its own for everything that decides the result: another prior, preset or
    option is another object."""
    identity = registry.identity(spec, find_prior)
    text = json.dumps([identity, spec.seed], sort_keys=True, default=str)
    job = folder / f"{spec.recipe}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    stages = registry.get(spec.recipe).stages
    return Studio(job, job, spec.seed, find_prior, identity, stages)


def _make(spec: JobSpec, studio: Studio) -> tuple[Tensor, float]:
    """Look at the finished object; and how long it took."""
    began = time.perf_counter()
    run = registry.start(spec, studio)
    while True:
        try:
            next(run)
        except StopIteration as end:
            return look_at(end.value.mesh), time.perf_counter() - began
