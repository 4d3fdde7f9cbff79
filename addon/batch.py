"""Batch: work without a window, through the same session, operators and pump, blocking.

    from bl_ext.user_default.distillery.addon import batch
    mushroom = batch.generate("a red mushroom", seed=7, size_meters=0.3)
    batch.edit(mushroom, "a blue mushroom", region=batch.RegionChoice("WORD", word="cap"))
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import bpy

from ..protocol.assets import Asset
from ..protocol.errors import DistilleryError, Problem
from ..protocol.messages import JobSpec, RecipeInfo
from . import pump
from .core.jobs import Job, Placement
from .core.session import Session
from .runtime import runtime
from .scene.inputs import Choice, gather, standing
from .scene.regions import RegionChoice

__all__ = ["RegionChoice", "animate", "connected", "deform", "edit", "generate", "make"]

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
NO_ANSWER = Problem(
    code="no_answer", message="The backend does not answer.",
    hint="Start it with `python build.py serve`.",
)


def generate(
    prompt: str = "",
    *,
    image: bpy.types.Image | None = None,
    size_meters: float = 1.0,
    location: tuple[float, float, float] | None = None,
    **order: Any,
) -> bpy.types.Object:
    """Make an object of words, or of an ``image``, and place it at ``location`` (the 3D cursor
    where None); give the object. ``order``: as in :func:`make`, which says what it raises."""
    scene: Any = bpy.context.scene
    tasks = ("image_to_3d",) if image is not None else ("text_to_3d",)
    place = Placement(size_meters, location or tuple(scene.cursor.location), scene.name)
    return make(tasks, prompt, Choice(image=image), place, **order)


def edit(
    target: bpy.types.Object, prompt: str, *, region: RegionChoice | None = None, **order: Any
) -> bpy.types.Object:
    """Change an object by words, in a region of it; give the edited object, which stands in the
    place of the original, now hidden. ``order``: as in :func:`make`."""
    choice = Choice(target=target, region=region or RegionChoice())
    return make(("edit",), prompt, choice, _place_of(choice), **order)


def deform(
    target: bpy.types.Object,
    handles: Sequence[tuple[str, bpy.types.Object]],
    anchors: str,
    prompt: str = "",
    **order: Any,
) -> bpy.types.Object:
    """Bend an object so that the vertex groups of ``handles`` go to their empties and the group
    ``anchors`` stays: a new shape key on it. ``order``: as in :func:`make`."""
    choice = Choice(target=target, handles=tuple(handles), anchors=anchors)
    return make(("deform",), prompt, choice, _place_of(choice), **order)


def animate(
    target: bpy.types.Object | None, prompt: str, *, frames: tuple[int, int] = (1, 0), **order: Any
) -> bpy.types.Object:
    """Set an object in motion by words, as keyed shape keys over ``frames`` (a last frame of 0:
    at the motion's own speed). ``order``: as in :func:`make`."""
    choice = Choice(target=target, frames=frames)
    return make(("animate",), prompt, choice, _place_of(choice), **order)


def make(
    tasks: Sequence[str],
    prompt: str,
    choice: Choice,
    placement: Placement,
    *,
    recipe: str = "",
    preset: str = "",
    negative_prompt: str = "",
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    server: str = "",
    timeout_seconds: float = float("inf"),
    on_change: Callable[[Job], None] = lambda job: None,
) -> bpy.types.Object:
    """Order a job and wait for its result, placed; give the object that it is in.

    ``recipe`` and ``preset`` are the backend's first of the ``tasks`` where "". Without ``server``
    the preferences' backend answers, or one is started for this call. ``on_change`` sees the job as
    it goes. Raises :class:`DistilleryError` with what happened and what to do about it.
    """
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    with connected(server) as session:
        chosen = choose_recipe(session, recipe, tasks)
        spec = JobSpec(
            recipe=chosen.id, prompt=prompt, negative_prompt=negative_prompt, seed=seed,
            preset=preset or next(iter(chosen.presets)), options=dict(options or {}),
        )
        inputs = gather(chosen, choice)
        job = _run(session, spec, placement, timeout_seconds, on_change, inputs)
    return _object_of(job)


@contextmanager
def connected(server: str = "") -> Iterator[Session]:
    """A session that is online, whose backend has described itself. Where no backend answers and
    no address is given, one is started, and stopped again at the end."""
    started = False
    session = runtime.session
    if session is None or server or session.state != "online":
        session = runtime.connect(server)
    if not _answers(session, CONNECT_SECONDS) and not server and session.state != "wrong_version":
        session, started = _start_backend(), True
    try:
        if session.description is None:
            raise DistilleryError.of(session.client.problem or NO_ANSWER)
        yield session
    finally:
        if started:
            runtime.close()


def choose_recipe(session: Session, recipe: str, tasks: Sequence[str]) -> RecipeInfo:
    """The recipe of that id, or the first of the tasks; :class:`DistilleryError` where none."""
    offered = [info for info in session.recipes() if info.task in tasks]
    wanted = [info for info in offered if info.id == recipe or not recipe]
    if not wanted:
        raise DistilleryError(
            "recipe_unknown", f"The backend offers no recipe {recipe!r}.",
            f"Recipes are: {', '.join(info.id for info in offered)}.",
        )
    return wanted[0]


def _place_of(choice: Choice) -> Placement:
    scene: Any = bpy.context.scene
    cursor = tuple(scene.cursor.location)
    return Placement(1.0, cursor, scene.name, choice.frames, *standing(choice))


def _answers(session: Session, seconds: float) -> bool:
    def settled() -> bool:
        return session.description is not None or session.state == "wrong_version"

    pump.run_until(session, settled, seconds)
    return session.description is not None


def _start_backend() -> Session:
    runtime.start_backend()
    local = runtime.backend
    if local is not None:
        while local.poll() == "starting":
            time.sleep(0.1)
        if local.problem is not None:
            raise DistilleryError.of(local.problem)
        runtime.connect(local.address)
    assert runtime.session is not None
    _answers(runtime.session, ANSWER_SECONDS)
    return runtime.session


def _run(
    session: Session,
    spec: JobSpec,
    placement: Placement,
    timeout_seconds: float,
    on_change: Callable[[Job], None],
    inputs: Mapping[str, Asset],
) -> Job:
    """Submit, follow to the end, place."""
    accepted: list[Job] = []
    seen = -1

    def over() -> bool:
        nonlocal seen
        if accepted and session.revision != seen:
            seen = session.revision
            on_change(accepted[0])
        return bool(session.problem or (accepted and _is_over(accepted[0])))

    session.submit(spec, placement, accepted.append, inputs)
    in_time = pump.run_until(session, over, timeout_seconds)
    problem = session.problem or (accepted[0].problem if accepted else None)
    if problem is not None:
        raise DistilleryError.of(problem)
    if not in_time or accepted[0].state != "done":
        state = accepted[0].state if accepted else "not accepted"
        raise DistilleryError(
            "job_unfinished", f"The job is {state}.", "Its result, if it comes, stays in the list."
        )
    return accepted[0]


def _is_over(job: Job) -> bool:
    """Ended and placed, or ended without a result."""
    placed = job.state == "done" and job.id not in runtime.placements
    return placed or job.problem is not None or job.state in ("failed", "cancelled")


def _object_of(job: Job) -> bpy.types.Object:
    """The object that the job's result is in."""
    for candidate in bpy.data.objects:
        if candidate.session_uid == runtime.placed.get(job.id):
            return candidate
    raise DistilleryError(
        "result_not_placed", "The result could not be placed.", "See Blender's console."
    )
