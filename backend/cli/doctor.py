"""``python -m backend doctor``: what this machine can do, what is missing, how to get it."""

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from backend.cli.show import out
from backend.evaluation.judge import REMEDY as JUDGE_REMEDY
from backend.evaluation.judge import load_judge
from backend.pocket.weights import REMEDY, load_network
from backend.priors.base import Capability
from backend.priors.library import find_prior
from backend.recipes import registry
from backend.recipes.recipe import Recipe
from backend.service.executors import devices, memory_bytes
from backend.service.folders import Folders
from backend.service.run import processor_name
from protocol.errors import DistilleryError

GIB = 1024**3
MEMORY_GIB = 3.0
DISK_GIB = 2.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``needed``: without it nothing works."""

    name: str
    good: bool
    found: str
    remedy: str = ""
    needed: bool = True


def diagnose(data: Path) -> bool:
    """Print all findings; False where something needed is missing."""
    healthy = True
    for finding in findings(data):
        mark = "[green]ok[/green]" if finding.good else "[yellow]--[/yellow]"
        if finding.needed and not finding.good:
            mark, healthy = "[red]no[/red]", False
        out.print(f"{mark}  {finding.name:<16} {finding.found}", highlight=False)
        if not finding.good and finding.remedy:
            out.print(f"    {'':<16} → {finding.remedy}", highlight=False)
    return healthy


def findings(data: Path) -> Iterator[Finding]:
    """Look at one thing after another."""
    yield Finding("python", True, f"{platform.python_version()}, torch {torch.__version__}")
    yield Finding("processor", True, f"{processor_name()}, {os.cpu_count()} cores")
    yield _gpu()
    yield _memory()
    yield _data(data)
    yield _check("pocket prior", load_network, "weights are there", REMEDY)
    yield _check("judge", load_judge, "weights are there", JUDGE_REMEDY, needed=False)
    for recipe in registry.recipes().values():
        yield _recipe(recipe)


def _gpu() -> Finding:
    found = [device for device in devices() if device.id != "cpu"]
    names = ", ".join(f"{device.name} ({device.memory_bytes / GIB:.0f} GiB)" for device in found)
    return Finding(
        "gpu", bool(found), names or "none that torch can use; work is done on the processor",
        "with an NVIDIA GPU: install torch for CUDA (python build.py picks it by itself)",
        needed=False,
    )


def _memory() -> Finding:
    size = memory_bytes() / GIB
    return Finding(
        "memory", size == 0 or size >= MEMORY_GIB,
        f"{size:.1f} GiB" if size else "unknown on this system",
        f"{MEMORY_GIB:.0f} GiB are wanted: close other programs, use the preset draft",
    )


def _data(data: Path) -> Finding:
    try:
        Folders(data).create()
    except DistilleryError as error:
        return Finding("data folder", False, error.problem.message, error.problem.hint)
    free = shutil.disk_usage(data).free / GIB
    return Finding(
        "data folder", free >= DISK_GIB, f"{data}, {free:.1f} GiB free",
        "free some space, delete old jobs (python -m backend jobs delete), or choose --data",
    )


def _check(
    name: str, load: Callable[[], object], good: str, remedy: str, needed: bool = True
) -> Finding:
    try:
        load()
    except (RuntimeError, OSError, ValueError) as error:
        return Finding(name, False, str(error).split(";")[0], remedy, needed)
    return Finding(name, True, good)


def _recipe(recipe: Recipe) -> Finding:
    """Whether some prior answers each capability that the recipe asks for."""
    missing = [capability for capability in recipe.capabilities if not _answered(capability)]
    found = f"lacks {', '.join(missing)}" if missing else "can run"
    remedy = "python -m backend models says which model answers what"
    return Finding(recipe.id, not missing, found, remedy, needed=False)


def _answered(capability: Capability) -> bool:
    try:
        find_prior(capability)
    except (DistilleryError, OSError, ImportError):
        return False
    return True
