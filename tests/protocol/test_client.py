"""Orders, watches and results over a wire that loses things."""

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.assets import Asset, Image, Mesh
from protocol.blobs import digest
from protocol.codec import Packer, as_bytes, encode_asset
from protocol.errors import Problem
from protocol.messages import (
    CHUNK_BYTES,
    Accepted,
    Failure,
    FetchResult,
    GetChunk,
    HasBlob,
    Jobs,
    JobSpec,
    ListJobs,
    PutChunk,
    Result,
    Submit,
    Unwatch,
    Watch,
)
from protocol.transfers import WINDOW_CHUNKS
from tests.protocol.script import JOB, Bench, Blobs, Events, event

POINTS = np.frombuffer(os.urandom(10 * CHUNK_BYTES + 240), np.uint8)
PICTURE = Image(POINTS[: 6 * CHUNK_BYTES].reshape(-1, 1024, 4))
SHEET = Image(np.arange(60_000, dtype=np.uint8).reshape(100, 150, 4))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def submit(bench: Bench, asset: Asset, progress: list[float] | None = None) -> None:
    bench.client.submit(
        JobSpec(recipe="r", prompt="p"), {"image": asset}, bench.answers.append,
        bench.problems.append, (progress if progress is not None else []).append,
    )


def large() -> Asset:
    return Asset(name="a", images={"a": PICTURE}, contact_sheet=SHEET)


# Uploads ----------------------------------------------------------------------------------------


def test_an_order_uploads_its_blobs_first(bench: Bench) -> None:
    blobs, progress = Blobs(bench.wire), []
    submit(bench, large(), progress)
    bench.pump()
    assert bench.answers == [JOB]
    assert bytes(blobs.held[digest(as_bytes(PICTURE.pixels))]) == PICTURE.pixels.tobytes()
    order = bench.wire.of(Submit)[0]
    assert order.spec.inputs["image"]["contact_sheet"]["pixels"]["frame"] == 1
    assert progress == sorted(progress) and progress[-1] == 1.0


def test_inputs_of_an_earlier_order_go_with_it_as_they_are(bench: Bench) -> None:
    known = {"mesh": {"name": "a mesh"}}
    spec = JobSpec(recipe="mvdream", inputs=known)
    bench.client.submit(spec, {}, bench.answers.append, bench.problems.append)
    bench.pump()
    assert bench.wire.of(Submit)[0].spec.inputs == known


def test_nothing_is_uploaded_twice(bench: Bench) -> None:
    blobs = Blobs(bench.wire)
    blobs.add(PICTURE.pixels.tobytes())
    submit(bench, large())
    bench.pump()
    assert bench.answers == [JOB] and not bench.wire.of(PutChunk)


def test_an_upload_resumes_at_the_received_byte(bench: Bench) -> None:
    blobs = Blobs(bench.wire)
    data = PICTURE.pixels.tobytes()
    blobs.held[digest(data)] = bytearray(data[: 4 * CHUNK_BYTES])
    submit(bench, large())
    bench.pump()
    assert [put.offset for put in bench.wire.of(PutChunk)] == [4 * CHUNK_BYTES, 5 * CHUNK_BYTES]
    assert bench.answers == [JOB]


def test_an_upload_survives_a_restart_and_lost_chunks(bench: Bench) -> None:
    blobs = Blobs(bench.wire)
    bench.wire.lose = lambda message: isinstance(message, PutChunk) and message.offset in (
        2 * CHUNK_BYTES, 3 * CHUNK_BYTES
    )
    submit(bench, large())
    bench.pump(1.0)
    bench.wire.connected = False
    bench.pump(5.0)
    bench.wire.lose = lambda message: False
    bench.wire.connected, bench.wire.session = True, "two"
    bench.pump(5.0)
    assert bench.answers == [JOB] and not bench.problems
    assert bytes(blobs.held[digest(as_bytes(PICTURE.pixels))]) == PICTURE.pixels.tobytes()


def test_the_window_bounds_what_is_in_flight(bench: Bench) -> None:
    Blobs(bench.wire)
    bench.pump()
    bench.wire.silent = True
    whole = Image(POINTS[: 10 * CHUNK_BYTES].reshape(-1, 1024, 4))
    submit(bench, Asset(name="a", images={"a": whole}))
    bench.wire.lose = lambda message: isinstance(message, PutChunk)
    bench.wire.silent = False
    bench.pump(1.0)
    assert len(bench.wire.of(PutChunk)) == WINDOW_CHUNKS


def test_blobs_that_vanish_before_the_order_are_sent_again(bench: Bench) -> None:
    blobs = Blobs(bench.wire)
    gone = Problem(code="blob_missing", message="gone")

    def refuse_once(message: Submit, _: Any) -> Any:
        if len(bench.wire.of(Submit)) > 1:
            return Accepted(request=message.request, job=JOB)
        blobs.held.clear()
        return Failure(request=message.request, problem=gone)

    bench.wire.answers[Submit] = refuse_once
    submit(bench, large())
    bench.pump()
    assert bench.answers == [JOB]
    first, second = bench.wire.of(Submit)
    assert first.token == second.token
    assert len(bench.wire.of(HasBlob)) == 2


def test_an_order_that_cannot_be_encoded_ends_in_a_problem(bench: Bench) -> None:
    submit(bench, Asset(name="bad", images={"x": Image(np.array(["text"]))}))
    bench.pump()
    assert [problem.code for problem in bench.problems] == ["asset_invalid"]
    bench.client.submit(JobSpec(recipe="r", prompt="x" * 2_000_000), {}, bench.answers.append,
                        bench.problems.append)
    bench.pump()
    assert bench.problems[1].code == "message_malformed"


def test_hashing_keeps_within_the_tick(bench: Bench) -> None:
    Blobs(bench.wire)
    bench.pump()
    submit(bench, large())
    bench.client.pump(0.0)
    assert bench.client.busy and not bench.wire.of(HasBlob)


# Results ----------------------------------------------------------------------------------------


def serve_result(bench: Bench, asset: Asset) -> Blobs:
    blobs, packer = Blobs(bench.wire), Packer()
    data = encode_asset(asset, packer.add)
    for blob in packer.blobs.values():
        blobs.add(bytes(blob))
    bench.wire.answers[FetchResult] = lambda m, _: (
        Result(request=m.request, job=m.job, asset=data), packer.frames
    )
    return blobs


def fetch(bench: Bench, progress: list[float] | None = None) -> None:
    bench.client.fetch_result(
        "j", bench.answers.append, bench.problems.append,
        (progress if progress is not None else []).append,
    )


def test_a_result_is_assembled(bench: Bench) -> None:
    positions = POINTS[: 9 * 240_000].view(np.float32).reshape(-1, 3)
    mesh = Mesh(np.nan_to_num(positions), np.zeros((2, 3), np.int32))
    serve_result(bench, Asset(name="made", mesh=mesh, contact_sheet=SHEET))
    progress: list[float] = []
    fetch(bench, progress)
    bench.pump()
    (found,) = bench.answers
    assert found.mesh.positions.tobytes() == mesh.positions.tobytes()
    assert found.contact_sheet.pixels.tobytes() == SHEET.pixels.tobytes()
    assert progress == sorted(progress) and progress[-1] == 1.0


def test_a_damaged_result_is_never_shown(bench: Bench) -> None:
    blobs = serve_result(bench, large())
    next(iter(blobs.held.values()))[5 * CHUNK_BYTES] ^= 1
    fetch(bench)
    bench.pump()
    assert not bench.answers
    assert [problem.code for problem in bench.problems] == ["blob_corrupt"]


def test_a_download_goes_on_after_lost_chunks(bench: Bench) -> None:
    serve_result(bench, large())
    lost = {CHUNK_BYTES, 4 * CHUNK_BYTES}
    bench.wire.lose = lambda message: (
        isinstance(message, GetChunk) and message.offset in lost
        and not lost.discard(message.offset)
    )
    fetch(bench)
    bench.pump(45.0)
    assert len(bench.answers) == 1 and not bench.problems


def test_a_boastful_result_is_refused_before_memory_is_taken(bench: Bench) -> None:
    data = {"name": "x", "images": {"a": {"pixels": {
        "$": "array", "dtype": "uint8", "shape": [2**20, 2**20, 4], "blob": "0" * 64}}}}
    bench.wire.answers[FetchResult] = lambda m, _: Result(request=m.request, job="j", asset=data)
    fetch(bench)
    bench.pump()
    assert [problem.code for problem in bench.problems] == ["array_too_large"]


# Watching ---------------------------------------------------------------------------------------


def watch(bench: Bench, since: int = 0) -> list[Asset]:
    previews: list[Asset] = []
    bench.client.watch("j", bench.answers.append, previews.append, bench.problems.append, since)
    return previews


def numbers(bench: Bench) -> list[int]:
    return [told.number for told in bench.answers]


@pytest.mark.parametrize("since", [0, 3])
def test_events_come_once_and_in_order(bench: Bench, since: int) -> None:
    events = Events(bench.wire, 5)
    watch(bench, since)
    bench.pump()
    for number in (4, 5, 5, 3, 6):
        bench.wire.say(event(number))
    bench.pump()
    assert numbers(bench) == list(range(since, 7))
    assert len(events.log) == 5


def test_missing_events_are_asked_for(bench: Bench) -> None:
    events = Events(bench.wire, 2)
    watch(bench)
    bench.pump()
    events.log += [event(number) for number in (2, 3, 4)]
    bench.wire.say(event(4))
    bench.pump()
    assert numbers(bench) == [0, 1, 2, 3, 4]
    assert [asked.since for asked in bench.wire.of(Watch)] == [0, 2]


def test_a_watch_goes_on_after_the_server_restarts(bench: Bench) -> None:
    events = Events(bench.wire, 2)
    watch(bench)
    bench.pump()
    bench.wire.connected = False
    bench.pump(4.0)
    events.log.append(event(2))
    bench.wire.connected, bench.wire.session = True, "two"
    bench.pump(2.0)
    assert numbers(bench) == [0, 1, 2]
    assert not bench.problems


def test_a_last_event_that_was_lost_is_found(bench: Bench) -> None:
    events = Events(bench.wire, 1)
    watch(bench)
    bench.pump()
    events.log.append(event(1, "done"))
    bench.pump(8.0)
    assert numbers(bench) == [0, 1]
    asked = len(bench.wire.of(Watch))
    bench.pump(20.0)
    assert len(bench.wire.of(Watch)) == asked


def test_an_unknown_job_ends_the_watch(bench: Bench) -> None:
    unknown = Problem(code="job_unknown", message="no such job")
    bench.wire.answers[Watch] = lambda m, _: Failure(request=m.request, problem=unknown)
    watch(bench)
    bench.pump(20.0)
    assert bench.problems == [unknown]
    assert len(bench.wire.of(Watch)) == 1


def test_unwatch_stops_the_events(bench: Bench) -> None:
    Events(bench.wire, 1)
    watch(bench)
    bench.pump()
    bench.client.unwatch("j")
    bench.wire.say(event(1))
    bench.pump()
    assert numbers(bench) == [0]
    assert bench.wire.of(Unwatch)


def test_previews_are_whole_and_the_newest(bench: Bench) -> None:
    Events(bench.wire, 0)
    blobs = Blobs(bench.wire)
    previews = watch(bench)
    bench.pump()
    for number in range(3):
        packer = Packer()
        pixels = np.full((200, 200, 4), number, np.uint8)
        preview = encode_asset(Asset(name="p", contact_sheet=Image(pixels)), packer.add)
        for blob in packer.blobs.values():
            blobs.add(bytes(blob))
        bench.wire.say(event(number, preview=preview))
    bench.pump()
    assert numbers(bench) == [0, 1, 2]
    shown = [int(preview.contact_sheet.pixels[0, 0, 0]) for preview in previews]
    assert shown[-1] == 2 and 1 not in shown


class Weather:
    """A job that goes on, and a wire that loses, breaks and restarts as drawn."""

    def __init__(self, bench: Bench, data: st.DataObject) -> None:
        self.bench, self.data = bench, data
        self.events = Events(bench.wire, 0)
        self.hostile = True
        bench.wire.lose = lambda message: self.hostile and data.draw(st.booleans())
        bench.wire.answers[ListJobs] = lambda m, _: Jobs(request=m.request, jobs=())

    def blow(self) -> None:
        """One turn of the weather."""
        kind = self.data.draw(st.sampled_from(["event", "lost event", "cut", "mend", "restart"]))
        wire = self.bench.wire
        if "event" in kind:
            self.events.log.append(event(len(self.events.log)))
            if kind == "event" and wire.connected:
                wire.say(self.events.log[-1])
        elif kind == "restart":
            wire.session += "x"
        else:
            wire.connected = kind == "mend"
        self.bench.pump(self.data.draw(st.sampled_from([0.25, 3.0, 12.0])))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_in_any_weather_each_event_comes_once_and_each_request_ends_once(
    data: st.DataObject
) -> None:
    bench = Bench()
    weather = Weather(bench, data)
    watch(bench)
    ends: list[list[Any]] = []
    for _ in range(data.draw(st.integers(1, 8))):
        ends.append([])
        bench.client.list_jobs(ends[-1].append, ends[-1].append)
        weather.blow()
    weather.hostile, bench.wire.connected = False, True
    bench.pump(60.0)
    assert numbers(bench) == list(range(len(weather.events.log)))
    assert [len(end) for end in ends] == [1] * len(ends)
    assert bench.client.state == "online" and not bench.client.busy
