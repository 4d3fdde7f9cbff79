"""Run benchmarks and print their tables: `python -m benchmarks [--side SIDE] [NAME ...]`.

SIDE is `backend` or `blender`: which of the two environments this Python belongs to. Each script
runs in a fresh process, so that none warms another's caches or keeps its threads.
"""

import argparse
import importlib
import platform
import subprocess
import sys
from pathlib import Path

from .timing import table

FRAME = {"__init__", "__main__", "timing", "ablations"}


def main() -> None:
    """Run one benchmark here (`--here`), or each that is chosen in a process of its own."""
    options = _parser().parse_args()
    if options.here:
        module = importlib.import_module(f"benchmarks.{options.names[0]}")
        print(table((module.__doc__ or "").splitlines()[0], module.measure()), flush=True)
        return
    if unknown := set(options.names) - {*questions("backend"), *questions("blender")}:
        sys.exit(f"No such benchmark: {', '.join(sorted(unknown))}")
    names = [n for n in questions(options.side) if not options.names or n in options.names]
    if names:
        print(f"{platform.machine()}, Python {platform.python_version()}", flush=True)
    failed = [name for name in names if not _runs(name)]
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


def questions(side: str) -> list[str]:
    """Return the names of a side's scripts."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    return [n for n in names if n not in FRAME and n.startswith("blender_") == (side == "blender")]


def _runs(name: str) -> bool:
    command = [sys.executable, "-m", "benchmarks", "--here", name]
    return subprocess.run(command, check=False).returncode == 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--side", choices=("backend", "blender"), default="backend")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
