"""A server as the command line sees it: the protocol's client, one blocking call after another."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, TypeVar

from protocol.assets import Asset
from protocol.client import Client
from protocol.errors import DistilleryError, Problem
from protocol.messages import FINAL, Description, Event, JobInfo, JobSpec
from protocol.transport import Dealer

CLIENT_ID = "command-line"
LOST_SECONDS = 60.0  # that a server may be away while its job is followed

Answer = TypeVar("Answer")
Ask = Callable[[Callable[[Answer], None], Callable[[Problem], None]], None]


class Remote:
    """Blocking calls; each raises DistilleryError with what the server (or its absence) says."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def describe(self) -> Description:
        """What the server offers."""
        return self._wait(self._client.describe)

    def jobs(self) -> tuple[JobInfo, ...]:
        """The server's newest jobs."""
        return self._wait(self._client.list_jobs)

    def control(self, job: str, action: Literal["cancel", "pause", "resume", "delete"]) -> JobInfo:
        """Cancel, pause, resume or delete a job."""
        return self._wait(partial(self._client.control, job, action))

    def submit(self, spec: JobSpec, assets: dict[str, Asset]) -> JobInfo:
        """Order a job."""
        return self._wait(partial(self._client.submit, spec, assets))

    def fetch(self, job: str) -> Asset:
        """The result of a finished job."""
        return self._wait(partial(self._client.fetch_result, job))

    def follow(self, job: str, on_event: Callable[[Event], None]) -> Event:
        """Watch a job to its end and give its last event.

        Goes on when the server comes back within a minute; else raises what is wrong with it.
        """
        last: list[Event] = []
        problems: list[Problem] = []

        def take(event: Event) -> None:
            on_event(event)
            if event.state in FINAL:
                last.append(event)

        self._client.watch(job, take, on_problem=problems.append)
        while not last:
            self._client.run_until(lambda: bool(last or problems) or not self._online())
            if problems:
                raise DistilleryError.of(problems[0])
            if not last:
                self._wait_for_server()
        return last[0]

    def _online(self) -> bool:
        return self._client.state == "online"

    def _wait_for_server(self) -> None:
        problem = self._client.problem
        if not self._client.run_until(self._online, LOST_SECONDS) and problem is not None:
            raise DistilleryError.of(problem)

    def _wait(self, ask: Ask[Answer]) -> Answer:
        answers: list[Answer] = []
        problems: list[Problem] = []
        ask(answers.append, problems.append)
        self._client.run_until(lambda: bool(answers or problems))
        if problems:
            raise DistilleryError.of(problems[0])
        return answers[0]


@contextmanager
def connect(address: str) -> Iterator[Remote]:
    """A server by its address; closed afterwards."""
    client = Client(Dealer(address), time.monotonic, CLIENT_ID)
    try:
        yield Remote(client)
    finally:
        client.close()


def plain(value: Any) -> Any:
    """Messages as plain data, for JSON."""
    import msgspec

    return msgspec.to_builtins(value)
