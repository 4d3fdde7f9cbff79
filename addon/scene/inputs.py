"""The inputs of an order, as the user chose them in the scene."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import bpy

from ...protocol.assets import Asset
from ...protocol.errors import InputError
from ...protocol.messages import RecipeInfo
from ..core.jobs import IDENTITY, Target
from .handles import Handle, check_handles, make_handles
from .images import read_image
from .regions import RegionChoice, check_region, make_region
from .sources import Source, check_object, mark, opened, world_matrix

ON_OBJECT = ("edit", "deform", "animate")
SAME_VERTICES = ("deform", "animate")
"""Tasks whose result moves the object's own vertices: its modifiers act after that."""


@dataclass(frozen=True)
class Choice:
    """What is chosen in the scene; a recipe takes of it what it knows. ``frames``: those of
    :class:`..core.jobs.Placement`."""

    image: bpy.types.Image | None = None
    target: bpy.types.Object | None = None
    region: RegionChoice = field(default_factory=RegionChoice)
    handles: tuple[Handle, ...] = ()
    anchors: str = ""
    frames: tuple[int, int] = (1, 0)


def check_choice(recipe: RecipeInfo, choice: Choice) -> None:
    """Raises :class:`InputError` where an input that the recipe needs is not chosen; quick enough
    to be asked at every redraw."""
    if _needs(recipe, "image") and choice.image is None:
        raise InputError("image_not_chosen", "Choose an image.", "See Image in the panel.")
    if _needs(recipe, "mesh") and choice.target is None:
        raise InputError("object_not_chosen", "Choose the object to work on.", "See Object.")
    if recipe.task == "animate":
        _check_frames(*choice.frames)
    if choice.target is None or "mesh" not in recipe.inputs:
        return
    check_object(choice.target)
    if recipe.task in ON_OBJECT and not choice.target.is_editable:
        raise InputError(
            "object_linked", f"{choice.target.name} is linked from another file.",
            "Use Object > Relations > Make Local first.",
        )
    if "region" in recipe.inputs:
        check_region(choice.region, choice.target)
    if _needs(recipe, "handles") or ("handles" in recipe.inputs and choice.handles):
        check_handles(choice.handles, choice.anchors, choice.target)


def _check_frames(first: int, last: int) -> None:
    if last and last <= first:
        raise InputError(
            "frames_reversed", f"The motion would end on frame {last}, but begin on {first}.",
            "Choose an End after Start, or turn Fit to Frames off.",
        )


def gather(recipe: RecipeInfo, choice: Choice) -> dict[str, Asset]:
    """The assets that the recipe takes, by name. Raises :class:`InputError`."""
    check_choice(recipe, choice)
    inputs = {}
    if "image" in recipe.inputs and choice.image is not None:
        inputs["image"] = Asset("image", images={"image": read_image(choice.image)})
    if "mesh" in recipe.inputs and choice.target is not None:
        with opened(choice.target, applied=recipe.task not in SAME_VERTICES) as source:
            inputs |= dict(_of_object(recipe, choice, source))
    for asset in inputs.values():
        asset.check()
    return inputs


def standing(choice: Choice) -> tuple[int, tuple[float, ...]]:
    """The number of the object while this file is open, and its matrix (16, rows first)."""
    if choice.target is None:
        return 0, IDENTITY
    matrix = world_matrix(choice.target)
    return choice.target.session_uid, tuple(float(value) for value in matrix.reshape(-1))


def _of_object(
    recipe: RecipeInfo, choice: Choice, source: Source
) -> Iterable[tuple[str, Asset]]:
    mesh = Asset(source.owner.name, mesh=source.mesh())
    if recipe.task in ON_OBJECT:
        matrix = tuple(float(value) for value in source.to_object.reshape(-1))
        mesh.provenance = Target(mark(source.owner), recipe.task, matrix).origin()
    yield "mesh", mesh
    everywhere = choice.region.source == "WHOLE" and "region" in recipe.optional
    if "region" in recipe.inputs and not everywhere:
        yield "region", Asset("region", region=make_region(choice.region, source))
    if "handles" in recipe.inputs and choice.handles:
        handles = make_handles(choice.handles, choice.anchors, source)
        yield "handles", Asset("handles", handles=handles)


def _needs(recipe: RecipeInfo, name: str) -> bool:
    return name in recipe.inputs and name not in recipe.optional
