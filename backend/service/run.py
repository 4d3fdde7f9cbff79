"""One job run in this process: the studio set up, the recipe driven, previews when they are due.

The worker and the command line without a server both run jobs through here.
"""

import platform
import time
import tomllib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from backend.priors.library import find_prior
from backend.recipes import registry
from backend.service.progress import Meter, Throttle
from backend.studio import Progress as Step
from backend.studio import Studio
from protocol.assets import Asset
from protocol.messages import JobSpec, Progress


@dataclass(frozen=True)
class Report:
    """What a running job says: how far it is, and now and then a preview."""

    progress: Progress
    preview: Asset | None = None


@dataclass
class Run:
    """One attempt at a job. ``folder`` keeps its checkpoints, ``cache`` finished stages.

    Raises InputError at construction where the order cannot be worked with.
    """

    spec: JobSpec
    assets: Mapping[str, Asset]
    folder: Path
    cache: Path
    device: str = "cpu"
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._recipe = registry.get(self.spec.recipe)
        find = partial(find_prior, device=self.device)
        self._studio = Studio(
            folder=self.folder, cache=self.cache, seed=self.spec.seed, find_prior=find,
            identity=registry.identity(self.spec, find) | self._machine(),
            stages=self._recipe.stages, device=torch.device(self.device),
        )

    def reports(self) -> Generator[Report, None, Asset]:
        """Run the recipe, reporting now and then; returns the result.

        Between two reports the run may be stopped for good; what :meth:`save` kept is continued
        from by the next attempt.
        """
        meter, throttle = Meter(self.clock), Throttle(self.clock)
        steps = registry.start(self.spec, self._studio, dict(self.assets))
        seconds: dict[str, float] = {}
        last = self.clock()
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return self._sign(end.value, seconds)
            now = self.clock()
            seconds[step.stage] = seconds.get(step.stage, 0.0) + now - last
            last = now
            progress = meter.read(step)
            preview = self._preview(step, throttle)
            if preview is not None or throttle.event_due():
                yield Report(progress, preview)

    def save(self) -> None:
        """Write a checkpoint now."""
        self._studio.save_checkpoint()

    def _preview(self, step: Step, throttle: Throttle) -> Asset | None:
        if step.preview is None or not throttle.preview_due():
            return None
        began = self.clock()
        preview = step.preview()
        throttle.preview_took(self.clock() - began)
        return preview

    def _sign(self, asset: Asset, seconds: dict[str, float]) -> Asset:
        """Add what only the service knows: the machine, and how long this attempt took."""
        asset.report["stage_seconds"] = seconds
        asset.provenance.versions |= {
            "distillery": installed_version(), "device": self.device, "processor": processor_name()
        }
        return asset

    def _machine(self) -> dict[str, Any]:
        """What decides a result's last bits."""
        return {
            "device": self.device, "torch": torch.__version__,
            "threads": torch.get_num_threads(), "processor": processor_name(),
        }


def installed_version() -> str:
    """Distillery's version, installed or beside its pyproject.toml."""
    try:
        return version("distillery")
    except PackageNotFoundError:
        project = Path(__file__).parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text())["project"]["version"])


def processor_name() -> str:
    """The CPU's model, as well as the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
