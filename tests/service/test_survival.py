"""Kill the worker, kill the server, pause: the result is bitwise the uninterrupted one."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from backend.service.run import Run
from protocol.client import Client
from protocol.messages import Event, JobSpec
from tests.service.running import (
    Running,
    command_line,
    ended,
    events_until,
    in_step,
    order,
    submit,
    wait_for,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # workers start anew, many times

POINTS = 3000
STEPS = 30


def slow(seed: int, **options: object) -> JobSpec:
    spec = order(steps=STEPS, seconds=0.06, points=POINTS, **options)
    return msgspec.structs.replace(spec, seed=seed)


@pytest.fixture
def uninterrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """The bytes of the same order run here in one piece."""
    from backend.recipes import registry

    monkeypatch.setenv(registry.MORE_MODULES, "tests.service.counter")
    registry.recipes.cache_clear()

    def run(spec: JobSpec) -> bytes:
        plain = {**spec.options, "seconds": 0.0, "fails": ""}
        spec = msgspec.structs.replace(spec, options=plain)
        reports = Run(spec, {}, tmp_path / "job", tmp_path / "cache").reports()
        while True:
            try:
                next(reports)
            except StopIteration as end:
                return bytes(end.value.mesh.positions.tobytes())

    yield run
    registry.recipes.cache_clear()


def result(server: Running, job: str) -> bytes:
    with server.remote() as remote:
        mesh = remote.fetch(job).mesh
    assert mesh is not None
    return mesh.positions.tobytes()


def steps(events: list[Event]) -> list[int]:
    return [event.progress.step for event in events if event.progress is not None]


def test_a_killed_worker_costs_nothing_but_time(server: Running, uninterrupted: object) -> None:
    spec = slow(seed=1)
    with server.client() as client:
        job = submit(client, spec).id
        events_until(client, job, in_step(10))
        (worker,) = server.workers()
        os.kill(worker, signal.SIGKILL)
        seen = events_until(client, job, ended)
    assert [event.state for event in seen if event.state != "running"] == [
        "queued", "queued", "done"
    ]
    again = [event.number for event in seen if event.state == "queued"][1]
    assert min(steps(seen[again:])) > 5, "it began anew instead of at its checkpoint"
    assert worker not in server.workers()
    assert result(server, job) == uninterrupted(spec)  # type: ignore[operator]


def test_a_pause_gives_the_worker_back_and_costs_nothing(
    server: Running, uninterrupted: object
) -> None:
    spec = slow(seed=2)
    with server.client() as client, server.remote() as remote:
        job = submit(client, spec).id
        events_until(client, job, in_step(10))
        remote.control(job, "pause")
        events_until(client, job, lambda event: event.state == "paused")
        other = submit(client, order(steps=3)).id
        assert events_until(client, other, ended)[-1].state == "done"
        assert remote.jobs()[1].state == "paused"
        remote.control(job, "resume")
        seen = events_until(client, job, ended)
    paused = next(event.number for event in seen if event.state == "paused")
    assert min(steps(seen[paused:])) >= 10
    assert result(server, job) == uninterrupted(spec)  # type: ignore[operator]


def test_a_job_that_kills_its_workers_fails_and_the_next_one_runs(
    server: Running, tmp_path: Path
) -> None:
    deadly = tmp_path / "deadly"
    deadly.write_text("always")
    with server.client() as client:
        seen = events_until(client, submit(client, slow(seed=3, fails=str(deadly))).id, ended)
        assert [event.state for event in seen].count("queued") == 2
        problem = seen[-1].problem
        assert seen[-1].state == "failed" and problem is not None
        assert problem.code == "out_of_memory" and problem.hint
        assert events_until(client, submit(client, order(steps=2)).id, ended)[-1].state == "done"


def test_a_killed_server_costs_nothing_but_time(
    tmp_path: Path, uninterrupted: object
) -> None:
    """The client only sees a pause; the finished result is kept, the running job goes on."""
    server = Running(tmp_path / "data")
    spec = slow(seed=4)
    try:
        with server.client() as client:
            finished = submit(client, order(steps=2, points=POINTS)).id
            events_until(client, finished, ended)
            before = result(server, finished)
            job = submit(client, spec).id
            numbers, last = follow(client, job, server)
        assert numbers == list(range(len(numbers)))
        assert last.state == "done"
        assert result(server, finished) == before
        assert result(server, job) == uninterrupted(spec)  # type: ignore[operator]
    finally:
        server.stop()


def follow(client: Client, job: str, server: Running) -> tuple[list[int], Event]:
    """Watch a job to its end with one watch; kill the server at step 10 and start it again."""
    seen: list[Event] = []
    client.watch(job, seen.append)
    assert client.run_until(lambda: any(map(in_step(10), seen)), 60.0)
    (worker,) = server.workers()
    server.kill()
    wait_for(lambda: not Path(f"/proc/{worker}").exists() or command_line(worker) == b"")
    client.run_until(lambda: client.state != "online", 10.0)
    assert client.problem is not None and client.problem.hint
    server.start(bind=server.address)
    assert client.run_until(lambda: ended(seen[-1]), 60.0)
    return [event.number for event in seen], seen[-1]
