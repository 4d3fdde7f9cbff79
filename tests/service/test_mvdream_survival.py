"""A real recipe on the real prior, over the real wire: killed twice, bitwise the same mesh."""

import os
import signal
from pathlib import Path

import pytest

from protocol.assets import Mesh
from protocol.client import Client
from protocol.messages import Event, JobSpec
from tests.service.running import Running, ended, events_until, submit, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

ORDER = JobSpec(
    recipe="mvdream", prompt="a red mushroom", seed=5, client="tests",
    options={
        "view_steps": 4, "fit_steps": 40, "steps": 12, "grid_resolution": 24, "samples": 24,
        "faces": 1500, "texture_size": 64,
    },
)


def made_by(server: Running, job: str) -> Mesh:
    with server.remote() as remote:
        mesh = remote.fetch(job).mesh
    assert mesh is not None
    return mesh


def at(stage: str, step: int) -> object:
    return lambda event: (
        event.progress is not None
        and event.progress.stage == stage and event.progress.step >= step
    )


def uninterrupted(folder: Path) -> Mesh:
    server = Running(folder)
    try:
        with server.client() as client:
            job = submit(client, ORDER).id
            assert events_until(client, job, ended)[-1].state == "done"
        return made_by(server, job)
    finally:
        server.stop()


def until(client: Client, job: str, stage: str, step: int) -> list[Event]:
    return events_until(client, job, at(stage, step))  # type: ignore[arg-type]


def test_mvdream_survives_its_worker_and_its_server(tmp_path: Path) -> None:
    server = Running(tmp_path / "killed")
    try:
        with server.client() as client:
            job = submit(client, ORDER).id
            until(client, job, "fit views", 10)
            (worker,) = server.workers()
            os.kill(worker, signal.SIGKILL)
            until(client, job, "distill", 4)
        (worker,) = server.workers()
        server.kill()
        wait_for(lambda: not Path(f"/proc/{worker}").exists())
        server.start()
        with server.client() as client:
            seen = events_until(client, job, ended)
        assert seen[-1].state == "done"
        assert [event.state for event in seen].count("queued") == 3
        survived = made_by(server, job)
    finally:
        server.stop()
    expected = uninterrupted(tmp_path / "whole")
    assert survived.positions.tobytes() == expected.positions.tobytes()
    assert survived.faces.tobytes() == expected.faces.tobytes()
    assert survived.material is not None and expected.material is not None
    assert survived.material.base_color_map is not None
    assert expected.material.base_color_map is not None
    pixels = survived.material.base_color_map.pixels
    assert pixels.tobytes() == expected.material.base_color_map.pixels.tobytes()
