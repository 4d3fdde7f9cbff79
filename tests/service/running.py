"""A real server in a process of its own, and a client that waits."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.cli.remote import Remote
from protocol.client import Client
from protocol.messages import Event, JobInfo, JobSpec
from protocol.transport import Dealer

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    **os.environ, "OMP_NUM_THREADS": "1",
    "DISTILLERY_RECIPES": "tests.service.counter,tests.service.echo",
}
START_SECONDS = 110.0


class Running:
    """``python -m backend serve`` on a free port, with the test recipe."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.address = ""
        self.start()

    def start(self, bind: str = "tcp://127.0.0.1:0") -> None:
        (self.data / "address").unlink(missing_ok=True)
        self.data.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "backend", "serve", "--bind", bind, "--data", self.data]
        with open(self.data / "log", "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=ENVIRONMENT, stdout=log, stderr=log
            )
        wait_for(lambda: (self.data / "address").exists() or self.process.poll() is not None)
        self.address = (self.data / "address").read_text()

    def kill(self) -> None:
        """As the power cut does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)

    def workers(self) -> list[int]:
        """The process ids of its workers."""
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        found = [int(pid) for pid in Path(children).read_text().split()]
        return [pid for pid in found if b"spawn_main" in command_line(pid)]

    @contextmanager
    def client(self) -> Iterator[Client]:
        client = Client(Dealer(self.address), time.monotonic, "tests")
        try:
            yield client
        finally:
            client.close()

    @contextmanager
    def remote(self) -> Iterator[Remote]:
        with self.client() as client:
            yield Remote(client)


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def wait_for(condition: Callable[[], object], seconds: float = START_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def order(**options: object) -> JobSpec:
    return JobSpec(recipe="counter", prompt="count", options=options, client="tests")


def submit(client: Client, spec: JobSpec) -> JobInfo:
    return Remote(client).submit(spec, {})


def events_until(
    client: Client, job: str, enough: Callable[[Event], bool], since: int = 0
) -> list[Event]:
    """Watch until an event is enough."""
    seen: list[Event] = []
    client.watch(job, seen.append, since=since)
    assert client.run_until(lambda: any(map(enough, seen)), START_SECONDS), seen[-3:]
    client.unwatch(job)
    return seen


def in_step(number: int) -> Callable[[Event], bool]:
    return lambda event: event.progress is not None and event.progress.step >= number


def ended(event: Event) -> bool:
    return event.state in ("done", "failed", "cancelled")
