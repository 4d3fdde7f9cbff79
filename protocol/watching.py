"""One job that is watched: events once and in order, previews when there is time for them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from .assets import Asset
from .errors import Problem
from .link import Link, OnProblem
from .messages import FINAL, Event, Unwatch, Watch

REWATCH_SECONDS = 5.0  # without an event before the watch is confirmed

Data = dict[str, Any]
Frames = list[memoryview]
Assemble = Callable[[Data, Frames, Callable[[Asset], None], OnProblem], None]


class Watching:
    """Watches ``job`` from event ``since`` on; ``assemble`` fetches a preview's arrays."""

    def __init__(
        self,
        link: Link,
        job: str,
        since: int,
        on_event: Callable[[Event], None],
        on_preview: Callable[[Asset], None] | None,
        on_problem: OnProblem,
        assemble: Assemble,
    ) -> None:
        self.ended = False
        self._link = link
        self._job = job
        self._next = since
        self._on_event = on_event
        self._on_preview = on_preview
        self._on_problem = on_problem
        self._assemble = assemble
        self._heard = link.now
        self._asking = False
        self._fetching = False
        self._waiting: tuple[Data, Frames] | None = None

    def ask(self) -> None:
        """Ask for the events that are still to come; harmless where that was asked before."""
        if not self._asking:
            self._asking = True
            self._heard = self._link.now
            watch = partial(_watch, self._job, self._next)
            self._link.ask(watch, self._confirm, self._refuse)

    def confirm(self) -> None:
        """Ask again after a quiet time: events, or the watch itself, may have been lost."""
        if self._link.now - self._heard >= REWATCH_SECONDS:
            self.ask()

    def stop(self) -> None:
        """Tell the server that nobody looks any more."""
        self.ended = True
        self._link.ask(partial(_unwatch, self._job), lambda *_: None, lambda problem: None)

    def take(self, event: Event, frames: Frames) -> None:
        """Pass an event on if it is the next one; ask again where some are missing."""
        if event.number > self._next:
            self.ask()
        if event.number != self._next or self.ended:
            return
        self._next += 1
        self._heard = self._link.now
        self.ended = event.state in FINAL
        if event.preview is not None and self._on_preview is not None:
            self._waiting = event.preview, frames
            self._fetch()
        self._on_event(event)

    def _confirm(self, *_: Any) -> None:
        self._asking = False

    def _refuse(self, problem: Problem) -> None:
        self._asking = False
        if problem.code == "job_unknown":
            self.ended = True
            self._on_problem(problem)

    def _fetch(self) -> None:
        """Assemble the newest preview; one at a time, so that a slow line skips some."""
        if self._fetching or self._waiting is None:
            return
        (data, frames), self._waiting, self._fetching = self._waiting, None, True
        # A preview whose bytes are gone was replaced by a newer one, which will come.
        self._assemble(data, frames, self._show, lambda problem: self._show(None))

    def _show(self, preview: Asset | None) -> None:
        self._fetching = False
        if preview is not None and self._on_preview is not None and not self.ended:
            self._on_preview(preview)
        self._fetch()


def _watch(job: str, since: int, number: int) -> Watch:
    return Watch(request=number, job=job, since=since)


def _unwatch(job: str, number: int) -> Unwatch:
    return Unwatch(request=number, job=job)
