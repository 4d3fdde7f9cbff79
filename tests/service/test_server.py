"""A real server over real sockets: orders, watches, results, and whatever is wrong with them."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import zmq

from protocol.assets import Asset, Image, Mesh
from protocol.blobs import digest
from protocol.errors import DistilleryError
from protocol.frames import MARK, NAME, decode, encode
from protocol.messages import CHUNK_BYTES, Failure, HasBlob, Hello, JobSpec, PutChunk, Submit, Watch
from tests.service.running import Running, ended, events_until, in_step, order, submit, wait_for


@contextmanager
def raw(server: Running) -> Iterator[Any]:
    """A socket that says what it likes."""
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.connect(server.address)
    socket.setsockopt(zmq.RCVTIMEO, 10_000)
    yield socket
    context.destroy(linger=0)


def alive(server: Running) -> bool:
    with raw(server) as socket:
        socket.send_multipart(encode(Hello(request=1, client="c")))
        return decode(socket.recv_multipart()).message.server.startswith("distillery")


def picture(name: str = "image", size: int = 64) -> dict[str, Asset]:
    pixels = np.frombuffer(os.urandom(size * size * 4), np.uint8).reshape(size, size, 4)
    return {name: Asset(name=name, images={name: Image(pixels)})}


# The whole way ----------------------------------------------------------------------------------


def test_order_watch_and_fetch(server: Running) -> None:
    previews: list[Asset] = []
    with server.client() as client, server.remote() as remote:
        job = submit(client, order(steps=15, seconds=0.1, points=30_000)).id
        seen: list[Any] = []
        client.watch(job, seen.append, previews.append)
        client.run_until(lambda: bool(seen) and ended(seen[-1]), 60.0)
        asset = remote.fetch(job)
    assert [event.number for event in seen] == list(range(len(seen)))
    assert [seen[0].state, seen[1].state, seen[-1].state] == ["queued", "running", "done"]
    fractions = [event.progress.fraction for event in seen if event.progress]
    assert fractions == sorted(fractions) and len(fractions) >= 3
    assert previews and previews[0].contact_sheet is not None
    assert asset.mesh is not None and asset.mesh.positions.shape == (30_000, 3)
    assert asset.provenance.recipe.startswith("counter")


def test_events_replay_from_any_number(server: Running) -> None:
    with server.client() as client:
        job = submit(client, order(steps=5, seconds=0.05)).id
        seen = events_until(client, job, ended)
        for since in range(len(seen)):
            again = events_until(client, job, ended, since=since)
            assert [e.number for e in again] == [e.number for e in seen[since:]]
            assert again[-1] == seen[-1]


def test_a_token_orders_once(server: Running) -> None:
    frames = encode(Submit(request=1, spec=order(steps=1), token=secrets.token_hex(8)))
    with raw(server) as socket:
        jobs = set()
        for _ in range(2):
            socket.send_multipart(frames)
            jobs.add(decode(socket.recv_multipart()).message.job.id)
    assert len(jobs) == 1


def test_describe_lists_recipes_options_and_devices(server: Running) -> None:
    with server.remote() as remote:
        description = remote.describe()
    counter = next(recipe for recipe in description.recipes if recipe.id == "counter")
    steps = next(entry for entry in counter.options if entry.name == "steps")
    assert (steps.kind, steps.default, steps.low, steps.high) == ("int", 20, 1, 10_000)
    assert description.devices[0].memory_bytes > 0


def test_jobs_are_listed_steered_and_deleted(server: Running) -> None:
    with server.client() as client, server.remote() as remote:
        job = submit(client, order(seconds=0.05, steps=1000)).id
        events_until(client, job, in_step(2))
        assert job in [info.id for info in remote.jobs()]
        remote.control(job, "cancel")
        assert events_until(client, job, ended)[-1].state == "cancelled"
        remote.control(job, "delete")
        assert job not in [info.id for info in remote.jobs()]
        with pytest.raises(DistilleryError) as caught:
            remote.fetch(job)
    assert caught.value.problem.code == "job_unknown"


def test_deleting_frees_the_disk(server: Running) -> None:
    blobs = server.data / "blobs"
    with server.client() as client, server.remote() as remote:
        job = submit(client, order(steps=1, points=100_002)).id
        events_until(client, job, ended)
        raw_points = remote.fetch(job).mesh.positions.tobytes()  # type: ignore[union-attr]
        path = blobs / digest(raw_points)[:2] / digest(raw_points)
        assert path.exists()
        remote.control(job, "delete")
    assert not path.exists()


# Inputs -----------------------------------------------------------------------------------------


def test_inputs_reach_the_recipe(server: Running) -> None:
    small, large = picture("image", 64), picture("image", 700)
    for assets in (small, large):
        with server.remote() as remote:
            spec = JobSpec(recipe="echo", options={"steps": 1}, client="tests")
            job = remote.submit(spec, assets).id
            assert remote.follow(job, lambda event: None).state == "done"
            found = remote.fetch(job).images["image"].pixels
        assert found.tobytes() == assets["image"].images["image"].pixels.tobytes()


def test_an_upload_resumes_after_its_client_died(server: Running) -> None:
    assets = picture("image", 1100)
    data = assets["image"].images["image"].pixels.tobytes()
    blob = digest(data)
    with raw(server) as socket:
        for number in range(2):
            offset = number * CHUNK_BYTES
            put = PutChunk(request=number, blob=blob, size=len(data), offset=offset)
            socket.send_multipart(encode(put, [data[offset : offset + CHUNK_BYTES]]))
            socket.recv_multipart()
    with raw(server) as socket:
        socket.send_multipart(encode(HasBlob(request=1, blob=blob, size=len(data))))
        assert decode(socket.recv_multipart()).message.received == 2 * CHUNK_BYTES
    with server.remote() as remote:
        job = remote.submit(JobSpec(recipe="echo", options={"steps": 1}), assets).id
        assert remote.follow(job, lambda event: None).state == "done"
        assert remote.fetch(job).images["image"].pixels.tobytes() == data


def no_faces() -> Asset:
    return Asset(name="m", mesh=Mesh(np.zeros((3, 3), np.float32), np.zeros((0, 3), np.int32)))


def not_finite() -> Asset:
    points = np.full((3, 3), np.nan, np.float32)
    return Asset(name="m", mesh=Mesh(points, np.zeros((1, 3), np.int32)))


def no_picture() -> Asset:
    return Asset(name="i", images={"image": Image(np.zeros((4, 4, 2), np.uint8))})


ECHO = {"recipe": "echo"}


@pytest.mark.parametrize(
    ("wrong", "assets", "code"),
    [
        ({"recipe": "nothing"}, {}, "recipe_unknown"),
        ({"prompt": "   "}, {}, "prompt_empty"),
        ({"prompt": "x" * 3000}, {}, "prompt_too_long"),
        ({"preset": "enormous"}, {}, "preset_unknown"),
        ({"options": {"nothing": 1}}, {}, "option_unknown"),
        ({"options": {"steps": 0}}, {}, "option_invalid"),
        ({"options": {"steps": "many"}}, {}, "option_invalid"),
        (ECHO, {}, "input_missing"),
        ({}, {"image": no_picture()}, "input_unknown"),
        (ECHO, {"image": no_picture()}, "image_invalid"),
        (ECHO, {"image": no_faces()}, "mesh_empty"),
        (ECHO, {"image": not_finite()}, "mesh_not_finite"),
    ],
)
def test_wrong_orders_are_refused_with_words(
    server: Running, wrong: dict[str, Any], assets: dict[str, Asset], code: str
) -> None:
    spec = JobSpec(**{"recipe": "counter", "prompt": "count", **wrong})
    with server.remote() as remote:
        before = len(remote.jobs())
        with pytest.raises(DistilleryError) as caught:
            remote.submit(spec, assets)
        assert len(remote.jobs()) == before
    assert caught.value.problem.code == code
    assert caught.value.problem.message.endswith(".")


@pytest.mark.parametrize(
    ("how", "code"),
    [("error", "recipe_failed"), ("input", "asked_for"), ("memory", "out_of_memory")],
)
def test_a_recipe_that_fails_says_so_and_the_worker_goes_on(
    server: Running, how: str, code: str
) -> None:
    before = server.workers()
    with server.client() as client:
        last = events_until(client, submit(client, order(fails=how)).id, ended)[-1]
        assert last.state == "failed" and last.problem is not None and last.problem.code == code
        assert last.problem.hint
        assert events_until(client, submit(client, order(steps=1)).id, ended)[-1].state == "done"
    assert server.workers() == before


def test_many_long_orders_are_listed_as_far_as_they_fit(server: Running) -> None:
    wide = JobSpec(recipe="counter", prompt="\N{SNOWMAN}" * 2000, options={"steps": 1})
    with server.remote() as remote:
        ids = {remote.submit(wide, {}).id for _ in range(100)}
        listed = [info.id for info in remote.jobs()]
        assert set(listed) <= ids and len(listed) > 50
        for job in ids:
            remote.follow(job, lambda event: None)


# Messages that are none -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([b""], "not_distillery"),
        ([b"GET / HTTP/1.1"], "not_distillery"),
        ([NAME + b"\x07" + b"\x80"], "wrong_version"),
        ([encode(Hello(request=1, client="c"))[0][:-3]], "message_malformed"),
        ([MARK + b"\x80"] * 300, "message_malformed"),
        ([MARK, b"x" * 1000], "message_malformed"),
    ],
)
def test_messages_that_are_none_are_answered_and_survived(
    server: Running, frames: list[bytes], code: str
) -> None:
    with raw(server) as socket:
        socket.send_multipart(frames)
        answer = decode(socket.recv_multipart()).message
    assert isinstance(answer, Failure) and answer.problem.code == code
    assert alive(server)


def test_a_frame_above_the_limit_costs_the_connection_and_nothing_else(server: Running) -> None:
    with raw(server) as socket:
        socket.send_multipart([MARK, bytes(8 * CHUNK_BYTES)])
        assert alive(server)
        socket.send_multipart(encode(Hello(request=1, client="c")))
        assert decode(socket.recv_multipart()).message.request == 1


def test_answers_sent_to_the_server_are_ignored(server: Running) -> None:
    with raw(server) as socket:
        failure = Failure(request=1, problem=DistilleryError("x", "y").problem)
        socket.send_multipart(encode(failure))
        socket.send_multipart(encode(Hello(request=2, client="c")))
        assert decode(socket.recv_multipart()).message.request == 2


def test_a_submit_whose_arrays_never_came_is_refused(server: Running) -> None:
    pixels = {"$": "array", "dtype": "uint8", "shape": [1, 1, 4]}
    for where, code in (({"frame": 3}, "message_malformed"), ({"blob": "a" * 64}, "blob_missing")):
        data = {"name": "i", "images": {"image": {"pixels": {**pixels, **where}}}}
        spec = JobSpec(recipe="echo", inputs={"image": data})
        with raw(server) as socket:
            socket.send_multipart(encode(Submit(request=1, spec=spec, token=secrets.token_hex(4))))
            answer = decode(socket.recv_multipart()).message
        assert isinstance(answer, Failure) and answer.problem.code == code


def test_a_watcher_that_reads_nothing_stops_nobody(server: Running) -> None:
    with server.client() as client, raw(server) as deaf:
        job = submit(client, order(steps=200)).id
        for request in range(3000):
            deaf.send_multipart(encode(Watch(request=request, job=job)))
        assert events_until(client, job, ended)[-1].state == "done"
        assert alive(server)


def test_the_address_is_written_down_and_removed(server: Running) -> None:
    wait_for(lambda: server.workers())
    assert server.address.startswith("tcp://127.0.0.1:")
