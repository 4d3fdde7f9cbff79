"""Batch: generate without a window, through the same session, operators and pump, blocking.

    from bl_ext.user_default.distillery.addon import batch
    mushroom = batch.generate("a red mushroom", seed=7, size_meters=0.3)
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import bpy

from ..protocol.errors import DistilleryError, Problem
from ..protocol.messages import JobSpec, RecipeInfo
from . import pump
from .core.jobs import Job, Placement
from .core.session import Session
from .runtime import runtime

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
NO_ANSWER = Problem(
    code="no_answer", message="The backend does not answer.",
    hint="Start it with `python build.py serve`.",
)


def generate(
    prompt: str,
    *,
    recipe: str = "",
    preset: str = "",
    negative_prompt: str = "",
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    size_meters: float = 1.0,
    location: tuple[float, float, float] | None = None,
    server: str = "",
    timeout_seconds: float = float("inf"),
    on_change: Callable[[Job], None] = lambda job: None,
) -> bpy.types.Object:
    """Make an object and place it at ``location`` (the 3D cursor where None); give the object.

    ``recipe`` and ``preset`` are the backend's first where "". Without ``server`` the preferences'
    backend answers, or one is started for this call. ``on_change`` sees the job as it goes.
    Raises :class:`DistilleryError` with what happened and what to do about it.
    """
    scene: Any = bpy.context.scene
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    place = location or tuple(scene.cursor.location)
    with connected(server) as session:
        chosen = choose_recipe(session, recipe)
        spec = JobSpec(
            recipe=chosen.id, prompt=prompt, negative_prompt=negative_prompt, seed=seed,
            preset=preset or next(iter(chosen.presets)), options=dict(options or {}),
        )
        job = _run(session, spec, Placement(size_meters, place, scene.name),
                   timeout_seconds, on_change)
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


def choose_recipe(session: Session, recipe: str) -> RecipeInfo:
    """The recipe of that id, or the first from text; :class:`DistilleryError` where none."""
    offered = session.recipes()
    wanted = [info for info in offered if info.id == recipe or not recipe]
    if not wanted:
        raise DistilleryError(
            "recipe_unknown", f"The backend offers no recipe {recipe!r}.",
            f"Recipes are: {', '.join(info.id for info in offered)}.",
        )
    return wanted[0]


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

    session.submit(spec, placement, accepted.append)
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
    """The newest object made of this job."""
    for candidate in reversed(bpy.data.objects):
        if candidate.get("distillery_job") == job.id:
            return candidate
    raise DistilleryError(
        "result_not_placed", "The result could not be placed.", "See Blender's console."
    )
