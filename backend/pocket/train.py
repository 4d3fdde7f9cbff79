"""Resumable training of the pocket network: `python -m backend pocket train --resume`."""

import copy
import json
import math
import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from backend.diffusion.schedules import expand_like
from backend.pocket.blocks import Block, ResBlock
from backend.pocket.data import (
    FINE_TUNES,
    Batch,
    Mixture,
    Prefetcher,
    draw_batch,
    share_seed,
    shares_of,
)
from backend.pocket.data.prefetch import Drawer
from backend.pocket.examples import SCHEDULE, Example, Levels, make_example
from backend.pocket.network import PocketConfig, PocketNetwork
from backend.pocket.optimizer import Optimizer
from backend.pocket.partners import Partner
from backend.pocket.sampling import write_sheet
from backend.pocket.weights import (
    COMMITTED,
    DEVELOPMENT,
    STATE,
    Description,
    WeightsError,
    average_of,
    describe_network,
    load_network,
    save_network,
)

EVALUATED_T = (0.3, 0.5, 0.7, 0.9, 0.97, 1.0)
SHAPES = 256
"""More than there are of a block's inputs: widths, views and words."""

_OF_STAGE: dict[str, tuple[str, ...]] = {
    "A": ("text", "text+cameras"),
    "B": ("image+pose", "views", "normals", "depth"),
    "C": ("instruction", "inpaint", "attention", "features"),
    "D": ("video",),
}


def capabilities(stage: str) -> tuple[str, ...]:
    """What a stage and all before it train; a fine-tune goes on from all of them."""
    stages = list(_OF_STAGE)
    if stage in FINE_TUNES:
        stage = stages[-1]
    return tuple(name for each in stages[: stages.index(stage) + 1] for name in _OF_STAGE[each])


class Counted(Protocol):
    """A batch that says how many views it has."""

    @property
    def views(self) -> int: ...


class Draws(Drawer[Any], Protocol):
    """What draws the batches of a stage."""

    @property
    def stage(self) -> str: ...


@dataclass(frozen=True)
class Settings:
    """How a stage trains: seed, rate, averaging, noise levels, the mixture of examples."""

    seed: int = 3
    rate: float = 6e-4
    warm_up: int = 300
    decay_from: int = 4000
    averaging: float = 0.9995
    levels: Levels = field(default_factory=Levels)
    weight_limit: float = 2.0
    mixture: Draws = field(default_factory=Mixture)

    def rate_at(self, step: int) -> float:
        """Linear warm-up, a plateau, then as one over the square root of the step, of those that
        the stage has taken."""
        late = math.sqrt(self.decay_from / max(step, self.decay_from))
        return self.rate * min(1.0, (step + 1) / self.warm_up) * late


@dataclass(frozen=True)
class CoolDown(Settings):
    """The end of a run: the rate falls evenly from `begin` over `length` steps, nearly to nothing,
    and the average follows closely. It takes out the noise that a high rate leaves."""

    averaging: float = 0.997
    begin: int = 0
    length: int = 1000

    def rate_at(self, step: int) -> float:
        """From 0.6 of the usual rate down."""
        return 0.6 * self.rate * max(1 - (step - self.begin) / self.length, 0.03)


Drawn = TypeVar("Drawn", bound=Counted)
Network = TypeVar("Network", bound=nn.Module)


class Run(ABC, Generic[Network, Drawn]):
    """Network, its average, optimizer and step: everything that a resumed run needs. A kind of
    network says what its loss is, how it is kept, and what is looked at."""

    def __init__(self, settings: Settings, network: Network) -> None:
        self.settings = settings
        self.network = network
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = Optimizer(self.network, settings.rate)
        self.step = 0
        self.begun = 0  # the step at which the present stage began
        self.images = 0
        self.seconds = 0.0
        self.origin = "scratch"
        self.share = 0  # which of the batches of a step it learns from; partners take the others

    def compile(self) -> None:
        """Compile what the network is built of, for a fifth less time a step; needs a C++ compiler.
        The average, which is looked at and kept, stays as it is."""
        torch._dynamo.config.recompile_limit = SHAPES
        for part in self.network.modules():
            if isinstance(part, (Block, ResBlock)):
                part.compile(dynamic=False)

    @property
    def noise_seed(self) -> int:
        """From which noise is drawn at the present step."""
        return share_seed(self.settings.seed * 1_000_003, self.share) + self.step

    @abstractmethod
    def loss(self, batch: Drawn) -> Tensor:
        """Of the network on a batch, at the present step."""

    @abstractmethod
    def warm_start(self, folder: Path) -> None:
        """Start from an average that was kept, with a new optimizer and a rate that begins anew;
        one of another architecture leaves everything as it is."""

    @abstractmethod
    def export(self, folder: Path) -> None:
        """Write the average as a folder that loads as the weights that ship do."""

    @abstractmethod
    def held_out_losses(self) -> dict[str, float]:
        """Of the average, on what training never sees."""

    @abstractmethod
    def write_sheet(self, path: Path) -> None:
        """A picture of what the average draws."""

    def advance(self, *batches: Drawn, partners: Sequence[Partner] = ()) -> float:
        """One step on a batch, and one more for each partner; returns their mean loss."""
        for partner, batch in zip(partners, batches[1:], strict=True):
            partner.begin(self.step, batch)
        loss = self.loss(batches[0])
        loss.backward()
        total = float(loss.detach()) + self._add_up(partners)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        rate = self.settings.rate_at(self.step - self.begun)
        self.optimizer.step(rate, workers=len(batches))
        self.step += 1
        self.images += sum(batch.views for batch in batches)
        self._average()
        return total / len(batches)

    def _add_up(self, partners: Sequence[Partner]) -> float:
        """Make the gradients the mean of all; the sum of the partners' losses."""
        parameters = list(self.network.parameters())
        losses = sum((partner.add_gradients(parameters) for partner in partners), 0.0)
        if partners:
            gradients = [p.grad for p in parameters if p.grad is not None]
            torch._foreach_div_(gradients, 1.0 + len(partners))
        return losses

    def _average(self) -> None:
        taken = self.step - self.begun
        decay = min(self.settings.averaging, (1 + taken) / (10 + taken))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.parameters()), list(self.network.parameters()), 1 - decay
            )

    def save(self, path: Path) -> None:
        """Write the full state, replacing the former one only when it is complete."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(), "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(), "step": self.step, "images": self.images,
                "seconds": self.seconds, "origin": self.origin, "begun": self.begun,
                "stage": self.settings.mixture.stage,
            },
            part,
        )
        os.replace(part, path)

    def load(self, path: Path) -> None:
        """Continue from a full state, bitwise on the same build, CPU kind and thread count.

        Another stage begins its rate anew.
        """
        state = torch.load(path, weights_only=True)
        for name in ("network", "average"):
            getattr(self, name).load_state_dict(state[name])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.images, self.seconds, self.origin = (
            state[name] for name in ("step", "images", "seconds", "origin")
        )
        same = state.get("stage") == self.settings.mixture.stage
        self.begun = state["begun"] if same else self.step

    def take_over(self, state: dict[str, Tensor], record: dict[str, Any]) -> None:
        """Go on from an average and the record of its training."""
        for network in (self.network, self.average):
            network.load_state_dict(state)
        self.step, self.images = int(record["step"]), int(record["images"])
        self.begun = self.step
        self.seconds = float(record["hours"]) * 3600
        self.origin = average_of(self.step)

    @property
    def record(self) -> dict[str, Any]:
        """Of the training, for config.json."""
        return {
            "step": self.step, "images": self.images, "hours": round(self.seconds / 3600, 2),
            "origin": self.origin, "stage": self.settings.mixture.stage,
        }


class Training(Run[PocketNetwork, Batch]):
    """The network of views."""

    def __init__(self, settings: Settings, config: PocketConfig = PocketConfig()) -> None:
        torch.manual_seed(settings.seed)
        super().__init__(settings, PocketNetwork(config).to(memory_format=torch.channels_last))

    def loss(self, batch: Batch) -> Tensor:
        """That of its example."""
        example = make_example(batch, self.noise_seed, self.settings.levels)
        return example.loss(self.network, self.settings.weight_limit)

    def warm_start(self, folder: Path) -> None:
        """See `Run.warm_start`."""
        kept, said = load_network(folder), describe_network(folder)
        if kept.config == self.network.config:
            self.take_over(kept.state_dict(), said.record)

    def export(self, folder: Path) -> None:
        """Write the average as a folder that `load_network` reads."""
        said = Description(self.record, capabilities=capabilities(self.settings.mixture.stage))
        save_network(folder, self.average.state_dict(), self.network.config, said)

    def held_out_losses(self) -> dict[str, float]:
        """See the function of that name."""
        return held_out_losses(self)

    def write_sheet(self, path: Path) -> None:
        """Sampled views of held-out prompts."""
        write_sheet(self.average, path)


@cache
def _held_out_batch(name: str, views: int) -> Batch:
    return draw_batch(99, 0, name, views, held_out=True)


def held_out_losses(training: Training, views: int = 24) -> dict[str, float]:
    """Unweighted x0 error of the average on held-out scenes, at fixed noise levels, for each kind
    of example of the stage; and of `relative` ones beside the given views of other things. Where
    these are no worse, views do not look at each other."""
    losses = {}
    with torch.no_grad():
        for name in shares_of(training.settings.mixture.stage):
            example = make_example(_held_out_batch(name, views), 0, training.settings.levels)
            for t in EVALUATED_T if name in ("single", "joint") else EVALUATED_T[1::2]:
                losses[f"{name}_{t}"] = _error_at(training.average, example, t)
            if name == "relative":
                given = expand_like(example.given, example.clean)
                example.clean = torch.where(given, example.clean.roll(1, 0), example.clean)
                losses["relative_mistaken_1.0"] = _error_at(training.average, example, 1.0)
    return losses


def _error_at(network: nn.Module, example: Example, t: float) -> float:
    example.t = torch.where(example.given, 0.0, t)
    sigma = SCHEDULE.alpha_sigma(torch.tensor(t))[1]
    return float(example.loss_of_views(network, 5.0)) * float(sigma.square().clamp_min(1 / 5.0))


@dataclass(frozen=True)
class Effort:
    """What of a machine training may use: threads of the first process, processes that share each
    step (each more adds a batch to it), and a C++ compiler."""

    threads: int = 1
    processes: int = 1
    compiled: bool = False


def train(
    resume: bool = True,
    effort: Effort = Effort(),
    steps: int | None = None,
    state_folder: Path = STATE,
    settings: Settings = Settings(),
    config: PocketConfig = PocketConfig(),
    cool_down: int | None = None,
) -> Training:
    """Train the network of views: see `keep_training`."""
    training = Training(settings, config)
    keep_training(training, resume, effort, steps, state_folder, COMMITTED, cool_down)
    return training


def keep_training(
    run: Run[Network, Drawn], resume: bool, effort: Effort, steps: int | None, state_folder: Path,
    committed: Path, cool_down: int | None = None,
) -> None:
    """Train until `steps` (or for ever), keeping state, losses, sheets and weights in a folder.

    With `resume` it continues from the full state where there is one, else from the `committed`
    average. Every batch and every draw is a function of (seed, share of the step, step). SIGTERM
    and Ctrl-C end it after the step in hand, with the state saved. With `cool_down` the run ends
    after that many more steps, at a rate that falls nearly to nothing (see `CoolDown`).
    """
    torch.set_num_threads(effort.threads)
    settings = run.settings
    if resume:
        _start(run, state_folder, committed)
    if cool_down is not None:
        run.settings = CoolDown(
            **vars(settings) | {"averaging": CoolDown.averaging},
            begin=run.step - run.begun, length=cool_down,
        )
        steps = run.step + cool_down
    print(
        f"training {settings.mixture.stage} from step {run.step} ({run.origin}), {effort}",
        flush=True,
    )
    clock, recent, stop = _Clock(), [], threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as opened:
        partners = [
            opened.enter_context(closing(Partner(run, share, effort.compiled)))
            for share in range(1, effort.processes)
        ]
        drawn = [
            opened.enter_context(
                closing(Prefetcher(settings.mixture, settings.seed, run.step, share))
            )
            for share in range(effort.processes)
        ]
        if effort.compiled:
            run.compile()
        while not stop.is_set() and (steps is None or run.step < steps):
            begin = time.perf_counter()
            batches = [each.get(run.step) for each in drawn]
            recent.append(run.advance(*batches, partners=partners))
            run.seconds += time.perf_counter() - begin
            _keep(run, state_folder, clock, recent)
    run.save(state_folder / "training.pt")
    run.export(state_folder / DEVELOPMENT.name)


def _start(run: Run[Network, Drawn], state_folder: Path, committed: Path) -> None:
    if (state_folder / "training.pt").exists():
        run.load(state_folder / "training.pt")
    elif (committed / "config.json").exists():
        run.warm_start(committed)


def last_stage(state_folder: Path = STATE) -> str:
    """The stage that was trained last; the first where none was."""
    try:
        stage = describe_network(state_folder / DEVELOPMENT.name).record.get("stage", "A")
    except WeightsError:
        return "A"
    return str(stage)


class _Clock:
    """Says which of the regular chores are due."""

    periods = {"log": 30.0, "save": 180.0, "losses": 600.0, "export": 300.0, "sheet": 600.0}

    def __init__(self) -> None:
        self.last = dict.fromkeys(self.periods, time.monotonic())

    def due(self) -> Iterator[str]:
        now = time.monotonic()
        for name, period in self.periods.items():
            if now - self.last[name] >= period:
                self.last[name] = now
                yield name


def _keep(
    run: Run[Network, Drawn], folder: Path, clock: _Clock, recent: list[float]
) -> None:
    for chore in clock.due():
        if chore == "log":
            rate = run.images / max(run.seconds, 1e-9)
            mean = sum(recent) / len(recent)
            print(
                f"step {run.step} images {run.images} loss {mean:.4f} "
                f"{rate:.1f} images/s {run.seconds / 60:.1f} min", flush=True,
            )
            recent.clear()
        elif chore == "save":
            run.save(folder / "training.pt")
        elif chore == "losses":
            row = {"step": run.step, "minutes": round(run.seconds / 60, 1)}
            row |= {k: round(v, 5) for k, v in run.held_out_losses().items()}
            with (folder / "losses.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
        elif chore == "export":
            run.export(folder / DEVELOPMENT.name)
        else:
            run.write_sheet(folder / f"sheet_{run.step:06d}.png")
