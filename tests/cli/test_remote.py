"""Following a job while its server goes away."""

import time

import pytest

from backend.cli import remote
from backend.cli.remote import Remote
from protocol.client import Client
from protocol.errors import DistilleryError
from protocol.messages import Event
from tests.protocol.script import Events, Wire, event


class Job:
    """A followed job whose wire a test cuts as its events come."""

    def __init__(self, count: int) -> None:
        self.wire = Wire()
        self.events = Events(self.wire, count)
        self.seen: list[int] = []
        self.remote = Remote(Client(self.wire, time.monotonic))

    def follow(self) -> Event:
        return self.remote.follow("j", self.take)

    def take(self, told: Event) -> None:
        self.seen.append(told.number)


def test_it_gives_the_last_event() -> None:
    job = Job(2)
    job.events.log.append(event(2, "done"))
    assert job.follow().state == "done" and job.seen == [0, 1, 2]


def test_it_waits_for_a_server_that_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job(1)

    def restart(told: Event) -> None:
        if told.number == 0:
            job.wire.connected, job.wire.session = False, "two"
            job.events.log.append(event(1, "done"))

    wait = job.remote._wait_for_server

    def mend() -> None:
        job.wire.connected = True
        wait()

    monkeypatch.setattr(job.remote, "_wait_for_server", mend)
    assert job.remote.follow("j", restart).number == 1


def test_it_ends_with_words_when_the_server_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "LOST_SECONDS", 0.5)
    job = Job(1)

    def cut(told: Event) -> None:
        job.wire.connected = False

    with pytest.raises(DistilleryError) as caught:
        job.remote.follow("j", cut)
    assert caught.value.problem.code.startswith("backend_") and caught.value.problem.hint
