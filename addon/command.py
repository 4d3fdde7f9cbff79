"""The command line: ``blender -b [scene.blend] --command distillery generate "a red mushroom"``,
and ``edit``, ``deform`` and ``animate``, which take an object of the scene."""

import argparse
import sys
from typing import Any

import bpy

from ..protocol.errors import DistilleryError, InputError
from . import batch
from .core.jobs import Job, status_line
from .scene.regions import RegionChoice

_handle: Any = None


def run(arguments: list[str]) -> int:
    """Do it, save, and say where; 0 where all went well, 1 with the reason otherwise."""
    try:
        chosen = _parser().parse_args(arguments)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    try:
        made: Any = _ACTIONS[chosen.action](chosen, _order(chosen))
    except DistilleryError as error:
        print(f"distillery: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("distillery: stopped; the job runs on in the backend", file=sys.stderr)
        return 130
    print(f"Placed {made.name}: {len(made.data.polygons)} faces")
    return _save(chosen.save)


def _order(chosen: argparse.Namespace) -> dict[str, Any]:
    """What all actions have in common."""
    return {
        "recipe": chosen.recipe, "preset": chosen.preset, "negative_prompt": chosen.negative,
        "seed": chosen.seed, "options": dict(map(_option, chosen.option)),
        "server": chosen.server, "on_change": _Reporter(),
    }


def _generate(chosen: argparse.Namespace, order: dict[str, Any]) -> bpy.types.Object:
    image = _load(chosen.image) if chosen.image else None
    return batch.generate(chosen.prompt, image=image, size_meters=chosen.size, **order)


def _edit(chosen: argparse.Namespace, order: dict[str, Any]) -> bpy.types.Object:
    owner = chosen.region_box or chosen.region_mesh
    given = {"BOX": chosen.region_box, "MESH": chosen.region_mesh, "GROUP": chosen.region_group,
             "FACES": chosen.region_faces, "WORD": chosen.region_word}
    source = next((name for name, value in given.items() if value), "WHOLE")
    region = RegionChoice(
        source, _object(owner) if owner else None, chosen.region_group, chosen.region_word
    )
    return batch.edit(_object(chosen.object), chosen.prompt, region=region, **order)


def _deform(chosen: argparse.Namespace, order: dict[str, Any]) -> bpy.types.Object:
    handles = []
    for text in chosen.handle:
        group, _, empty = text.rpartition(":")
        handles.append((group, _object(empty)))
    return batch.deform(
        _object(chosen.object), handles, chosen.anchors, chosen.prompt, **order
    )


def _animate(chosen: argparse.Namespace, order: dict[str, Any]) -> bpy.types.Object:
    return batch.animate(_object(chosen.object), chosen.prompt, frames=chosen.frames, **order)


def _object(name: str) -> bpy.types.Object:
    found = bpy.data.objects.get(name)
    if found is None:
        known = ", ".join(item.name for item in bpy.data.objects) or "none"
        raise InputError("object_unknown", f"There is no object {name!r}.", f"There are: {known}.")
    return found


def _load(path: str) -> bpy.types.Image:
    try:
        return bpy.data.images.load(bpy.path.abspath(path), check_existing=True)
    except RuntimeError as error:
        raise InputError(
            "image_unreadable", f"The image {path} cannot be read.", "Check the file's name."
        ) from error


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


def _frames(text: str) -> tuple[int, int]:
    """``10:50`` or ``10``: a ValueError else, which the parser tells."""
    first, _, last = text.partition(":")
    return int(first), int(last or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="blender --command distillery", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    generate = _action(actions, "generate", "make an object from words or a picture", words="?")
    generate.add_argument("--image", default="", metavar="FILE")
    generate.add_argument("--size", type=float, default=1.0, help="longest side in meters")
    edit = _action(actions, "edit", "change an object by words, in a region where one is given")
    region = edit.add_mutually_exclusive_group()
    region.add_argument("--region-box", default="", metavar="OBJECT")
    region.add_argument("--region-mesh", default="", metavar="OBJECT")
    region.add_argument("--region-group", default="", metavar="GROUP")
    region.add_argument("--region-word", default="", metavar="WORD")
    region.add_argument("--region-faces", action="store_true", help="those that are selected")
    deform = _action(actions, "deform", "bend an object plausibly: a shape key", words="?")
    deform.add_argument("--handle", action="append", required=True, metavar="GROUP:EMPTY")
    deform.add_argument("--anchors", required=True, metavar="GROUP")
    animate = _action(actions, "animate", "set an object in motion: keyed shape keys")
    animate.add_argument(
        "--frames", type=_frames, default=(1, 0), metavar="FIRST[:LAST]",
        help="default: from 1, at its own speed",
    )
    for taking in (edit, deform, animate):
        taking.add_argument("--object", required=True, metavar="NAME")
    return parser


def _action(actions: Any, name: str, help: str, words: str | None = None) -> Any:
    """A parser with what all actions take."""
    action = actions.add_parser(name, help=help)
    action.add_argument("prompt", nargs=words, **({"default": ""} if words else {}))
    action.add_argument("--recipe", default="", help="default: the backend's first")
    action.add_argument("--preset", default="", help="default: the recipe's first")
    action.add_argument("--negative", default="", help="what to stay away from")
    action.add_argument("--seed", type=int, default=0)
    action.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
    action.add_argument("--server", default="", help="tcp://HOST:PORT; default: the preferences'")
    action.add_argument("--save", default="", help="default: the opened file, if any")
    return action


_ACTIONS = {"generate": _generate, "edit": _edit, "deform": _deform, "animate": _animate}


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
