"""The client's side of the wire as one state machine without threads.

Transport and clock are handed in, so the add-on drives it from one timer, the command line from a
blocking loop, and a test from memory. Callbacks run inside :meth:`Client.pump` and nowhere else.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from .assets import Asset
from .errors import Problem
from .messages import Description, Event, JobInfo, JobSpec

ClientState = Literal["offline", "connecting", "online", "wrong_version"]
Clock = Callable[[], float]
OnProblem = Callable[[Problem], None]


class Transport(Protocol):
    """A pipe of multipart messages that never blocks."""

    def send(self, frames: Sequence[Any]) -> bool:
        """Send, or give False where there is no peer or no room now."""

    def poll(self) -> list[memoryview] | None:
        """Give the next message that has arrived, or None."""

    def wait(self, seconds: float) -> None:
        """Sleep until a message may be there, at most ``seconds``. Blocking loops only."""

    def close(self) -> None:
        """Give up the connection; messages not yet sent are dropped."""


class Client:
    """Talks to one backend: ``Client(Dealer("tcp://127.0.0.1:5599"), time.monotonic)``.

    Calls return at once; every request ends in exactly one of its callbacks. What was asked while
    offline is sent when the backend answers. A broken connection heals by itself: requests are
    asked again, watches go on at the next event, transfers at the received byte.

    ``state``: offline (no answer), connecting (greeting sent), online, wrong_version.
    ``problem``: why the state is not online, with hint and perhaps a fix; None when online.
    ``server``: name and version of the backend that answered, "" before.
    """

    state: ClientState
    problem: Problem | None
    server: str

    def __init__(self, transport: Transport, clock: Clock, client_id: str = "") -> None:
        ...

    def pump(self, budget_seconds: float = 0.01) -> bool:
        """Send and receive for at most about the budget; True where more work is waiting.

        Never raises on what the other side sends. Call it again at once (or after a short while)
        where it gives True, after 0.1 to 1 second where it gives False.
        """
        ...

    def run_until(self, done: Callable[[], bool], timeout_seconds: float = float("inf")) -> bool:
        """Pump, blocking, until ``done()``; False where the time ran out first."""
        ...

    @property
    def busy(self) -> bool:
        """True while a request is unanswered or a transfer is under way."""
        ...

    def describe(self, on_answer: Callable[[Description], None], on_problem: OnProblem) -> None:
        """Ask what the backend offers: recipes with options, capabilities, devices."""

    def submit(
        self,
        spec: JobSpec,
        inputs: dict[str, Any],
        on_accepted: Callable[[JobInfo], None],
        on_problem: OnProblem,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        """Order a job. ``inputs`` by name (mesh, image …): assets' parts (Mesh, Image, View …),
        arrays, text or numbers; they are uploaded first, ``on_progress`` tells the fraction."""

    def watch(
        self,
        job: str,
        on_event: Callable[[Event], None],
        on_preview: Callable[[Asset], None] | None = None,
        on_problem: OnProblem | None = None,
        since: int = 0,
    ) -> None:
        """Give each event of the job from number ``since`` on, once and in order, till it ends.

        Events that are old come first (quickly). ``on_preview`` gets the newest preview whole
        (a picture in ``contact_sheet``, perhaps a growing ``mesh``); older ones are skipped.
        """

    def unwatch(self, job: str) -> None:
        """Stop watching; the job runs on."""

    def control(
        self,
        job: str,
        action: Literal["cancel", "pause", "resume", "delete"],
        on_answer: Callable[[JobInfo], None],
        on_problem: OnProblem,
    ) -> None:
        """Cancel, pause, resume or delete a job. The state follows as an event."""

    def list_jobs(
        self, on_jobs: Callable[[tuple[JobInfo, ...]], None], on_problem: OnProblem,
        client: str = "",
    ) -> None:
        """Ask for the newest jobs (of one client id, or of all where it is "")."""

    def fetch_result(
        self,
        job: str,
        on_asset: Callable[[Asset], None],
        on_problem: OnProblem,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        """Download what a finished job made; its arrays are checked against their hashes."""

    def close(self) -> None:
        """Close the transport; pending callbacks are dropped."""
