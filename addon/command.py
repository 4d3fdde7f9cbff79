"""The command line: ``blender -b [scene.blend] --command distillery generate "a red mushroom"``."""

import argparse
import sys
from typing import Any

import bpy

from ..protocol.errors import DistilleryError
from . import batch
from .core.jobs import Job, status_line

_handle: Any = None


def run(arguments: list[str]) -> int:
    """Generate, save, and say where; 0 where all went well, 1 with the reason otherwise."""
    try:
        chosen = _parser().parse_args(arguments)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        made: Any = batch.generate(
            chosen.prompt, recipe=chosen.recipe, preset=chosen.preset,
            negative_prompt=chosen.negative, seed=chosen.seed,
            options=dict(map(_option, chosen.option)), size_meters=chosen.size,
            server=chosen.server, on_change=_Reporter(),
        )
    except DistilleryError as error:
        print(f"distillery: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("distillery: stopped; the job runs on in the backend", file=sys.stderr)
        return 130
    print(f"Placed {made.name}: {len(made.data.polygons)} faces")
    return _save(chosen.save)


class _Reporter:
    """Prints a line when the job's stage or whole percentage changes by ten."""

    def __init__(self) -> None:
        self._told: tuple[str, str, int] | None = None

    def __call__(self, job: Job) -> None:
        mark = (job.state, job.stage, int(job.fraction * 10))
        if mark != self._told:
            self._told = mark
            print(status_line(job), flush=True)


def _save(path: str) -> int:
    target = path or bpy.data.filepath
    if not target:
        print("Nothing saved: say --save FILE.blend")
        return 0
    try:
        bpy.ops.wm.save_as_mainfile(filepath=bpy.path.abspath(target))
    except RuntimeError as error:
        print(f"distillery: {error}", file=sys.stderr)
        return 1
    print(f"Saved {target}")
    return 0


def _option(text: str) -> tuple[str, Any]:
    """``steps=200`` as a name and a number, truth value or text."""
    name, _, value = text.partition("=")
    if value in ("true", "false"):
        return name, value == "true"
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="blender --command distillery", description=__doc__)
    generate = parser.add_subparsers(dest="action", required=True).add_parser(
        "generate", help="make an object from words and place it in the open scene"
    )
    generate.add_argument("prompt")
    generate.add_argument("--recipe", default="", help="default: the backend's first")
    generate.add_argument("--preset", default="", help="default: the recipe's first")
    generate.add_argument("--negative", default="", help="what to stay away from")
    generate.add_argument("--seed", type=int, default=0)
    generate.add_argument("--size", type=float, default=1.0, help="longest side in meters")
    generate.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
    generate.add_argument("--server", default="", help="tcp://HOST:PORT; default: the preferences'")
    generate.add_argument("--save", default="", help="default: the opened file, if any")
    return parser


def register() -> None:
    """Add the command to Blender's."""
    global _handle
    _handle = bpy.utils.register_cli_command("distillery", run)


def unregister() -> None:
    """Remove it."""
    global _handle
    if _handle is not None:
        bpy.utils.unregister_cli_command(_handle)
    _handle = None
