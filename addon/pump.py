"""The one timer: moves messages, places results, redraws what changed. Never blocks, never raises.

Blender runs no timers without a window; batch runs call :func:`step` themselves.
"""

import contextlib
import sys
import traceback
from collections.abc import Callable, Iterator

import bpy

from ..protocol.assets import Asset
from ..protocol.errors import DistilleryError
from .core import backend
from .core.jobs import Job, Placement
from .core.session import Session
from .package import preferences
from .runtime import data_folder, runtime
from .ui import forms, pictures

BUDGET_SECONDS = 0.01
SECONDS_WHILE_MOVING = 0.01
SECONDS_WHILE_BUSY = 0.1
SECONDS_WHILE_IDLE = 0.5
SECONDS_WHILE_AWAY = 1.0

_drawn: tuple[Session | None, int] = (None, 0)


def tick() -> float:
    """One turn of the timer; gives the seconds until the next. An exception would end the timer."""
    try:
        _follow_backend()
        return step(BUDGET_SECONDS)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        return SECONDS_WHILE_AWAY


def step(budget_seconds: float = BUDGET_SECONDS) -> float:
    """Move messages for about the budget, then place at most one result."""
    session = runtime.session
    if session is None:
        return SECONDS_WHILE_AWAY
    more = session.pump(budget_seconds)
    forms.show_description(session.description)
    if session.ready and _may_place():
        _place(*session.ready.popleft())
    _show_changes(session)
    return _delay(session, more)


def run_until(session: Session, done: Callable[[], bool], timeout_seconds: float) -> bool:
    """Take steps, blocking, until ``done()``; False where the time ran out first."""

    def stepped() -> bool:
        step(0.0)
        return done()

    return session.client.run_until(stepped, timeout_seconds)


def _delay(session: Session, more: bool) -> float:
    if more:
        return SECONDS_WHILE_MOVING
    if session.state != "online":
        return SECONDS_WHILE_AWAY
    return SECONDS_WHILE_BUSY if session.busy() else SECONDS_WHILE_IDLE


def _follow_backend() -> None:
    """Keep a session: with the backend that Blender started, or one that appeared elsewhere."""
    local, session = runtime.backend, runtime.session
    if local is not None and local.state == "starting":
        if local.poll() == "running":
            runtime.connect(local.address)
        _redraw()
    elif (session is None and runtime.problem is None) or _moved(session):
        try:
            runtime.connect()
        except DistilleryError as error:
            runtime.problem = error.problem
        _redraw()
    elif local is not None:
        local.poll()


def _moved(session: Session | None) -> bool:
    """True where nobody answers at the known address, but a backend told of another one."""
    if session is None or session.state == "online" or preferences().address:
        return False
    told = backend.read_address(data_folder())
    return bool(told) and told != runtime.address


def _may_place() -> bool:
    """False in Edit Mode and the like, and while rendering: the result waits."""
    with _some_window():
        return bool(bpy.ops.distillery.place_result.poll())  # type: ignore[attr-defined]


def _place(job: Job, asset: Asset) -> None:
    """Place a result through the operator, so that it is one undo step."""
    placement = runtime.placements.pop(job.id, Placement())
    runtime.keep_result(job, asset)
    # The operator notes in the job's row what went wrong; to a script it raises as well.
    with _some_window(), contextlib.suppress(RuntimeError):
        bpy.ops.distillery.place_result(  # type: ignore[attr-defined]
            "EXEC_DEFAULT", True, job=job.id, scene=placement.scene,
            size_meters=placement.size_meters, location=placement.location,
            frames=placement.frames, uid=placement.uid, matrix=placement.matrix,
        )


@contextlib.contextmanager
def _some_window() -> Iterator[None]:
    """Operators want a window, which timers have not."""
    windows = bpy.context.window_manager.windows
    if bpy.context.window is None and len(windows):
        with bpy.context.temp_override(window=windows[0]):
            yield
    else:
        yield


def _show_changes(session: Session) -> None:
    global _drawn
    if _drawn != (session, session.revision):
        _drawn = (session, session.revision)
        pictures.show_pictures(session.running_jobs())
        _redraw()


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES"):
                area.tag_redraw()


def register() -> None:
    """Start the timer; it stays through the opening of files."""
    bpy.app.timers.register(tick, first_interval=0.1, persistent=True)


def unregister() -> None:
    """Stop the timer."""
    global _drawn
    _drawn = (None, 0)
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
