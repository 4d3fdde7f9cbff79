"""Resumable training of the pocket network: `python -m backend pocket train --resume`."""

import copy
import json
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from backend.diffusion.schedules import CosineSchedule
from backend.pocket.data import Batch, Mixture, Prefetcher, draw_batch
from backend.pocket.network import GENERATED, GIVEN, PocketConfig, PocketNetwork, ray_map
from backend.pocket.sampling import write_sheet
from backend.pocket.text import embed_text
from backend.pocket.weights import (
    COMMITTED,
    DEVELOPMENT,
    STATE,
    Description,
    describe_network,
    load_network,
    save_network,
)
from backend.rendering.cameras import Cameras

SCHEDULE = CosineSchedule()
EVALUATED_T = (0.3, 0.5, 0.7, 0.9, 0.97)


@dataclass(frozen=True)
class Settings:
    """How a stage trains: seed, rate, averaging, noise levels, what is dropped.

    `single_level`, `joint_level`: mean and deviation of logit-normal noise levels; `high_share` of
    the sets draw theirs evenly from the last `high_range` before t = 1 instead. There, where the
    picture says nothing, text and rays must decide; shapes stay arbitrary without this.
    """

    seed: int = 3
    rate: float = 6e-4
    warm_up: int = 300
    decay_from: int = 1500
    averaging: float = 0.9995
    text_dropped: float = 0.1
    given_share: float = 0.5
    camera_share: float = 0.8
    single_level: tuple[float, float] = (1.2, 1.3)
    joint_level: tuple[float, float] = (1.4, 1.3)
    high_share: float = 0.5
    high_range: float = 0.15
    weight_limit: float = 2.0
    mixture: Mixture = field(default_factory=Mixture)

    def rate_at(self, step: int) -> float:
        """Linear warm-up, a plateau, then as one over the square root of the step."""
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


@dataclass
class Example:
    """A batch as the network reads it, with its noise levels, roles and noise."""

    clean: Tensor
    rays: Tensor
    text: Tensor
    text_mask: Tensor
    alpha_known: Tensor
    camera_known: Tensor
    role: Tensor
    t: Tensor
    noise: Tensor

    def loss(self, network: nn.Module, limit: float, bf16: bool = True) -> Tensor:
        """Squared error of x0 over the generated views, weighted by 1 / sigma^2 up to `limit`."""
        alpha, sigma = (c[..., None, None, None] for c in SCHEDULE.alpha_sigma(self.t))
        noisy = alpha * self.clean + sigma * self.noise
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            predicted = network(
                noisy, self.t, rays=self.rays, text=self.text, text_mask=self.text_mask,
                role=self.role, alpha_known=self.alpha_known, camera_known=self.camera_known,
            )
        error = (predicted.float() - self.clean).square().mean((2, 3, 4))
        wanted = (self.role == GENERATED).float()
        weight = wanted / sigma[..., 0, 0, 0].square().clamp_min(1 / limit)
        return (weight * error).sum() / wanted.sum().clamp_min(1)


def batch_rays(batch: Batch) -> Tensor:
    """Ray maps of all views, (B, V, 6, 32, 32)."""
    flat = Cameras(
        torch.from_numpy(batch.c2w).flatten(0, 1), torch.from_numpy(batch.fov_degrees).flatten(),
        64, 64, torch.from_numpy(batch.ortho_height).flatten(),
    )
    return ray_map(flat).unflatten(0, batch.fov_degrees.shape)


def make_example(batch: Batch, step: int, settings: Settings) -> Example:
    """Noise levels, roles and dropped conditions of a step, drawn from (seed, step)."""
    g = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
    sets, views = batch.fov_degrees.shape
    mean, deviation = settings.single_level if views == 1 else settings.joint_level
    level = torch.sigmoid(mean + deviation * torch.randn(sets, 1, generator=g))
    highest = 1 - settings.high_range * torch.rand(sets, 1, generator=g)
    high = torch.rand(sets, 1, generator=g) < settings.high_share
    level = torch.where(high, highest, level).expand(sets, views)
    role = torch.full((sets, views), GENERATED)
    if views > 1:
        count = torch.randint(1, 3, (sets, 1), generator=g)
        count = count * (torch.rand(sets, 1, generator=g) < settings.given_share)
        rank = torch.rand(sets, views, generator=g).argsort(1)
        role[rank < count] = GIVEN
    with_text = torch.rand(sets, generator=g) >= settings.text_dropped
    words = [text if keep else "" for text, keep in zip(batch.captions, with_text.tolist())]
    text, text_mask = embed_text(words)
    with_camera = torch.rand(sets, 1, generator=g) < (settings.camera_share if views == 1 else 1.1)
    clean = torch.from_numpy(batch.images)
    return Example(
        clean, batch_rays(batch) * with_camera[..., None, None, None], text, text_mask,
        torch.from_numpy(batch.alpha_known), with_camera.expand(sets, views), role,
        torch.where(role == GIVEN, 0.0, level), torch.randn(clean.shape, generator=g),
    )


class Training:
    """Network, its average, optimizer and step: everything that a resumed run needs."""

    def __init__(self, settings: Settings, config: PocketConfig = PocketConfig()) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.network = PocketNetwork(config).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), settings.rate,
            betas=(0.9, 0.99), eps=1e-10, weight_decay=0.01,
            fused=True,
        )
        self.step = 0
        self.images = 0
        self.seconds = 0.0
        self.origin = "scratch"

    def advance(self, batch: Batch) -> float:
        """One step on a batch; returns its loss."""
        example = make_example(batch, self.step, self.settings)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate_at(self.step)
        loss = example.loss(self.network, self.settings.weight_limit)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.images += batch.images.shape[0] * batch.images.shape[1]
        self._average()
        return float(loss.detach())

    def _average(self) -> None:
        decay = min(self.settings.averaging, (1 + self.step) / (10 + self.step))
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
                "seconds": self.seconds, "origin": self.origin,
            },
            part,
        )
        os.replace(part, path)

    def load(self, path: Path) -> None:
        """Continue from a full state, bitwise on the same build, CPU kind and thread count."""
        state = torch.load(path, weights_only=True)
        for name in ("network", "average", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.images, self.seconds, self.origin = (
            state[name] for name in ("step", "images", "seconds", "origin")
        )

    def warm_start(self, folder: Path) -> None:
        """Start from an average that was kept, with a new optimizer; one of another architecture
        leaves everything as it is."""
        kept = load_network(folder)
        if kept.config != self.network.config:
            return
        self.network.load_state_dict(kept.state_dict())
        self.average.load_state_dict(kept.state_dict())
        record = describe_network(folder).record
        self.step, self.images = int(record["step"]), int(record["images"])
        self.seconds = float(record["hours"]) * 3600
        self.origin = f"the average of step {self.step}"

    def export(self, folder: Path) -> None:
        """Write the average as a folder that `load_network` reads."""
        record: dict[str, object] = {
            "step": self.step, "images": self.images, "hours": round(self.seconds / 3600, 2),
            "origin": self.origin,
        }
        said = Description(record)
        save_network(folder, self.average.state_dict(), self.network.config, said)


def held_out_losses(training: Training, sets: int = 24) -> dict[str, float]:
    """Unweighted x0 error of the average on held-out combinations, at fixed noise levels."""
    losses = {}
    with torch.no_grad():
        for name, views in (("single", 1), ("joint", 4)):
            batch = draw_batch(99, 0, sets, views, held_out=True)
            example = make_example(batch, 0, training.settings)
            example.role = torch.full_like(example.role, GENERATED)
            for t in EVALUATED_T:
                example.t = torch.full_like(example.t, t)
                sigma = SCHEDULE.alpha_sigma(torch.tensor(t))[1]
                scale = float(sigma.square().clamp_min(1 / 5.0))
                losses[f"{name}_{t}"] = float(example.loss(training.average, 5.0)) * scale
    return losses


def train(
    resume: bool = True,
    threads: int = 1,
    steps: int | None = None,
    state_folder: Path = STATE,
    settings: Settings = Settings(),
    config: PocketConfig = PocketConfig(),
    cool_down: int | None = None,
) -> Training:
    """Train until `steps` (or for ever), keeping state, losses, sheets and weights in a folder.

    With `resume` it continues from the full state where there is one, else from the committed
    average. Every batch and every draw is a function of (seed, step). SIGTERM and Ctrl-C end it
    after the step in hand, with the state saved. With `cool_down` the run ends after that many
    more steps, at a rate that falls nearly to nothing (see `CoolDown`).
    """
    torch.set_num_threads(threads)
    training = Training(settings, config)
    _start(training, state_folder, resume)
    if cool_down is not None:
        training.settings = CoolDown(
            **vars(settings) | {"averaging": CoolDown.averaging}, begin=training.step,
            length=cool_down,
        )
        steps = training.step + cool_down
    print(f"training from step {training.step} ({training.origin}), {threads} threads", flush=True)
    batches = Prefetcher(settings.mixture, settings.seed, training.step)
    clock = _Clock()
    recent: list[float] = []
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        while not stop.is_set() and (steps is None or training.step < steps):
            begin = time.perf_counter()
            recent.append(training.advance(batches.get(training.step)))
            training.seconds += time.perf_counter() - begin
            _keep(training, state_folder, clock, recent)
    finally:
        batches.close()
    training.save(state_folder / "training.pt")
    training.export(state_folder / DEVELOPMENT.name)
    return training


def _start(training: Training, state_folder: Path, resume: bool) -> None:
    if not resume:
        return
    if (state_folder / "training.pt").exists():
        training.load(state_folder / "training.pt")
    elif (COMMITTED / "config.json").exists():
        training.warm_start(COMMITTED)


class _Clock:
    """Says which of the regular chores are due."""

    periods = {"log": 30.0, "save": 180.0, "losses": 300.0, "export": 300.0, "sheet": 600.0}

    def __init__(self) -> None:
        self.last = dict.fromkeys(self.periods, time.monotonic())

    def due(self) -> Iterator[str]:
        now = time.monotonic()
        for name, period in self.periods.items():
            if now - self.last[name] >= period:
                self.last[name] = now
                yield name


def _keep(training: Training, folder: Path, clock: _Clock, recent: list[float]) -> None:
    for chore in clock.due():
        if chore == "log":
            rate = training.images / max(training.seconds, 1e-9)
            mean = sum(recent) / len(recent)
            print(
                f"step {training.step} images {training.images} loss {mean:.4f} "
                f"{rate:.1f} images/s {training.seconds / 60:.1f} min", flush=True,
            )
            recent.clear()
        elif chore == "save":
            training.save(folder / "training.pt")
        elif chore == "losses":
            row = {"step": training.step, "minutes": round(training.seconds / 60, 1)}
            row |= {k: round(v, 5) for k, v in held_out_losses(training).items()}
            with (folder / "losses.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
        elif chore == "export":
            training.export(folder / DEVELOPMENT.name)
        else:
            write_sheet(training.average, folder / f"sheet_{training.step:06d}.png")
