"""The studio: reproducible noise, priors by capability, stages that are cached and resumed."""

import hashlib
import json
import os
import pickle
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from backend.priors.base import Capability, Complaining, Prior
from backend.studio.progress import Progress

CHECKPOINT_SECONDS = 20.0


class Checkpointable(Protocol):
    """State that can be written down and taken up again, bitwise."""

    def state(self) -> dict[str, Any]: ...

    def load_state(self, state: dict[str, Any]) -> None: ...


State = TypeVar("State", bound=Checkpointable)
Made = TypeVar("Made")


@dataclass
class Studio:
    """``folder``: where checkpoints of this job lie. ``cache``: where finished stages of all jobs
    lie. ``identity``: everything that decides the result (recipe and version, inputs, options,
    prior weights), by which finished stages are found again. ``find_prior`` answers a capability.
    ``stages``: the recipe's stages in order with their usual seconds, by which the fraction of the
    whole job is told.
    """

    folder: Path
    cache: Path
    seed: int
    find_prior: Callable[[Capability], Prior]
    identity: dict[str, Any]
    stages: dict[str, float] = field(default_factory=dict)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    clock: Callable[[], float] = time.monotonic
    # A dict for its order.
    priors_used: dict[str, None] = field(default_factory=dict, init=False)
    report: dict[str, Any] = field(default_factory=dict, init=False)
    _complaining: dict[int, Complaining] = field(default_factory=dict, init=False, repr=False)
    _save_running: Callable[[], None] | None = field(default=None, init=False, repr=False)

    def prior(self, capability: Capability) -> Prior:
        """The prior that the user's settings, or else the pocket prior, give for a capability."""
        prior = self.find_prior(capability)
        if isinstance(prior, Complaining) and id(prior) not in self._complaining:
            prior.complaints.clear()
            self._complaining[id(prior)] = prior
        self.priors_used[f"{prior.spec.name} {prior.spec.fingerprint}"] = None
        return prior

    def warnings(self) -> list[str]:
        """Where the job's priors were asked for more than they were trained for."""
        return [sentence for prior in self._complaining.values() for sentence in prior.complaints]

    def generator(self, *key: str | int) -> torch.Generator:
        """A generator that depends on the seed and ``key`` alone (stage, step …), so that no
        generator state need be stored."""
        text = json.dumps([self.seed, *key])
        digest = hashlib.sha256(text.encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)

    def noise(self, shape: tuple[int, ...], *key: str | int) -> Tensor:
        """Standard normal numbers that depend on the seed and ``key`` alone."""
        return torch.randn(shape, generator=self.generator(*key)).to(self.device)

    def skip(self, *stages: str) -> None:
        """These stages will not come in this job: the others fill its progress."""
        self.stages = {name: cost for name, cost in self.stages.items() if name not in stages}

    def stage(
        self, name: str, state: State, steps: Callable[[State], Iterator[Progress]],
        identity: dict[str, Any] | None = None,
    ) -> Generator[Progress, None, State]:
        """Run one stage: from the cache if it was finished before, else on from its checkpoint.

        ``identity``: what decides this stage beside the seed, where that is less than the whole
        job's (a fit of the object, whatever is to be done with it): jobs then share it.

        ``steps`` mutates ``state`` and yields between steps; it must go on from where ``state``
        stands. Use as ``state = yield from studio.stage("fit", state, fit)``.
        """
        finished = self.cache / f"{self._stage_hash(name, identity or self.identity)}.pt"
        checkpoint = self.folder / f"{name.replace(' ', '_')}.pt"
        if (kept := _load(finished, self.device)) is not None:
            state.load_state(kept)
            return state
        if (begun := _load(checkpoint, self.device)) is not None:
            state.load_state(begun)
        self._save_running = lambda: _save(state.state(), checkpoint)
        try:
            yield from self._run(name, steps(state))
        finally:
            self._save_running = None
        _save(state.state(), finished)
        checkpoint.unlink(missing_ok=True)
        return state

    def _run(self, name: str, steps: Iterator[Progress]) -> Iterator[Progress]:
        """The steps, with a checkpoint whenever one is due."""
        saved = self.clock()
        for progress in steps:
            # Saved before yielding: whoever stops between steps finds the last due checkpoint.
            if self.clock() - saved > CHECKPOINT_SECONDS:
                self.save_checkpoint()
                saved = self.clock()
            yield self.place(name, progress)

    def once(self, name: str, make: Callable[[], Made]) -> Generator[Progress, None, Made]:
        """A stage in one piece, too short to be kept."""
        yield self.place(name, Progress(0, 1))
        made = make()
        yield self.place(name, Progress(1, 1))
        return made

    def place(self, name: str, progress: Progress) -> Progress:
        """``progress`` of the stage ``name`` seen in the whole job."""
        names = list(self.stages)
        before = names.index(name) if name in names else len(names)
        seconds = list(self.stages.values())
        share = progress.step / max(progress.steps, 1) * self.stages.get(name, 0.0)
        fraction = (sum(seconds[:before]) + share) / max(sum(seconds), 1e-9)
        return replace(progress, stage=name, fraction=fraction)

    def save_checkpoint(self) -> None:
        """Write the running stage's state now (pause, shutdown); nothing between two stages. Call
        only between steps."""
        if self._save_running is not None:
            self._save_running()

    def _stage_hash(self, name: str, identity: dict[str, Any]) -> str:
        text = json.dumps([identity, self.seed, name], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def _save(state: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        torch.save(state, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _load(path: Path, device: torch.device) -> dict[str, Any] | None:
    """The state kept there; None where there is none, or where the file is damaged and the work
    has to be done again."""
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError):
        return None
    return state
