"""Requests and answers over a connection that may break: greeting, keeping alive, asking again.

Nothing here waits. Time is counted only while somebody pumps, so a Blender that was busy for a
minute does not take its backend for dead.
"""

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from .errors import Fix, Problem, ProtocolError
from .frames import Buffer, decode, encode
from .messages import Event, Failure, Hello, Message, Welcome

GREET_SECONDS = 0.1  # between attempts to greet while nobody is there
ANSWER_SECONDS = 3.0  # until a greeting counts as unanswered
PING_SECONDS = 2.0  # of quiet before asking whether the backend is still there
SILENCE_SECONDS = 10.0  # until the connection counts as lost
RESEND_SECONDS = 10.0  # until a request is asked again on a connection that works
PATIENCE_SECONDS = 6.0  # that a request waits for a backend that does not answer
STALL_SECONDS = 1.0  # longer pauses between two pumps do not count as waiting
TRIES = 3

LinkState = Literal["offline", "connecting", "online", "wrong_version"]
Clock = Callable[[], float]
OnAnswer = Callable[[Any, list[memoryview]], None]
OnProblem = Callable[[Problem], None]

_START = Fix(action="start_backend", label="Start the backend")
BACKEND_ABSENT = Problem(
    code="backend_absent",
    message="No backend answers.",
    hint="Start one (python -m backend serve), or correct its address.",
    fix=_START,
)
BACKEND_SILENT = Problem(
    code="backend_silent",
    message="The backend does not answer.",
    hint="Wait, or restart it; jobs go on from their last checkpoint, results are kept.",
    fix=_START,
)


class Transport(Protocol):
    """A pipe of multipart messages that never blocks."""

    def send(self, frames: Sequence[Buffer]) -> bool:
        """Send, or give False where there is no peer or no room now."""

    def poll(self) -> list[memoryview] | None:
        """Give the next message that has arrived, or None."""

    def wait(self, seconds: float) -> None:
        """Sleep until a message may be there, at most ``seconds``. Blocking loops only."""

    def close(self) -> None:
        """Give up the connection; messages not yet sent are dropped."""


@dataclass
class _Request:
    """A question without an answer yet."""

    message: Any
    arrays: Sequence[Buffer]
    on_answer: OnAnswer
    on_problem: OnProblem
    patience: float
    asked: float
    tries: int = 0


class Link:
    """One connection. Each request ends in its ``on_answer`` or its ``on_problem``, once.

    ``on_event`` gets the server's events, ``on_welcome`` is called when a server answers for the
    first time, again, or after it started anew (events may have been missed).
    """

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        client_id: str,
        on_event: Callable[[Event, list[memoryview]], None],
        on_welcome: Callable[[], None],
    ) -> None:
        self.state: LinkState = "offline"
        self.problem: Problem | None = BACKEND_ABSENT
        self.server = ""
        self.now = 0.0
        self._transport = transport
        self._clock = clock
        self._client_id = client_id
        self._on_event = on_event
        self._on_welcome = on_welcome
        self._pumped = clock()
        self._heard = 0.0
        self._greeted = float("-inf")
        self._session = ""
        self._numbers = itertools.count(1)
        self._requests: dict[int, _Request] = {}
        self._outbox: deque[list[Buffer]] = deque()

    @property
    def busy(self) -> bool:
        """True while a request is unanswered."""
        return bool(self._requests)

    def ask(
        self,
        make: Callable[[int], Message],
        on_answer: OnAnswer,
        on_problem: OnProblem,
        arrays: Sequence[Buffer] = (),
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Send ``make(number)``, now or when the backend answers, and again after a reconnect."""
        number = next(self._numbers)
        request = _Request(
            make(number), arrays, on_answer, on_problem, patience_seconds, self.now
        )
        self._requests[number] = request
        if self.state == "online":
            self._send(number, request)

    def tick(self) -> None:
        """Let time pass: greet, ask whether the backend is alive, give up what waited too long."""
        clock = self._clock()
        self.now += min(clock - self._pumped, STALL_SECONDS)
        self._pumped = clock
        if self.state == "online":
            self._check_alive()
        elif self.now - self._greeted >= self._greeting_pause():
            if self.state == "connecting":
                self._lose(BACKEND_SILENT)
            self._greet()
        for number, request in list(self._requests.items()):
            self._expire(number, request)

    def receive(self) -> bool:
        """Handle one message that arrived; False where there is none."""
        frames = self._transport.poll()
        if frames is None:
            return False
        try:
            message, arrays = decode(frames)
        except ProtocolError as error:
            if error.problem.code in ("wrong_version", "not_distillery"):
                self.state, self.problem = "wrong_version", error.problem
            return True
        self._heard = self.now
        self._dispatch(message, arrays)
        return True

    def flush(self) -> bool:
        """Send one message that waits; False where there is none, or no room."""
        if not self._outbox or not self._transport.send(self._outbox[0]):
            return False
        self._outbox.popleft()
        return True

    def wait(self, seconds: float) -> None:
        """Sleep until a message may be there (blocking loops only)."""
        self._transport.wait(seconds)

    def close(self) -> None:
        """Drop everything that waits and close the transport."""
        self._requests.clear()
        self._outbox.clear()
        self._transport.close()

    def _greeting_pause(self) -> float:
        return ANSWER_SECONDS if self.state == "connecting" else GREET_SECONDS

    def _greet(self) -> None:
        self._greeted = self.now
        greeting = encode(Hello(request=next(self._numbers), client=self._client_id))
        if not self._transport.send(greeting):
            self._lose(BACKEND_ABSENT)
        elif self.state == "offline":
            self.state = "connecting"

    def _check_alive(self) -> None:
        quiet = self.now - self._heard
        if quiet >= SILENCE_SECONDS:
            self._lose(BACKEND_SILENT)
        elif quiet >= PING_SECONDS and self.now - self._greeted >= PING_SECONDS:
            self._greet()

    def _lose(self, problem: Problem) -> None:
        if self.state == "online":
            self._outbox.clear()
            for request in self._requests.values():
                request.asked = self.now
        if self.state != "wrong_version":
            self.state, self.problem = "offline", problem

    def _welcome(self, welcome: Welcome) -> None:
        anew = self.state != "online" or welcome.session != self._session
        self.state, self.problem = "online", None
        self.server, self._session = welcome.server, welcome.session
        if anew:
            self._outbox.clear()
            for number, request in list(self._requests.items()):
                self._send(number, request)
            self._on_welcome()

    def _send(self, number: int, request: _Request) -> None:
        request.asked = self.now
        request.tries += 1
        try:
            self._outbox.append(encode(request.message, request.arrays))
        except ProtocolError as error:
            self._fail(number, error.problem)

    def _expire(self, number: int, request: _Request) -> None:
        waited = self.now - request.asked
        if self.state != "online":
            if waited >= request.patience:
                self._fail(number, self.problem or BACKEND_SILENT)
        elif waited >= RESEND_SECONDS:
            if request.tries < TRIES:
                self._send(number, request)
            else:
                self._fail(number, BACKEND_SILENT)

    def _fail(self, number: int, problem: Problem) -> None:
        request = self._requests.pop(number, None)
        if request is not None:
            request.on_problem(problem)

    def _dispatch(self, message: Message, arrays: list[memoryview]) -> None:
        if isinstance(message, Welcome):
            self._welcome(message)
        elif isinstance(message, Event):
            self._on_event(message, arrays)
        elif isinstance(message, Failure):
            self._fail(message.request, message.problem)
        else:
            request = self._requests.pop(message.request, None)
            if request is not None:
                request.on_answer(message, arrays)
