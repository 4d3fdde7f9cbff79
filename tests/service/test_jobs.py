"""The job store: numbered events, idempotent orders, and what survives a restart."""

from pathlib import Path

import pytest

from backend.service.jobs import JobStore
from protocol.errors import DistilleryError, Problem
from protocol.messages import JobSpec, Progress

SPEC = JobSpec(recipe="counter", prompt="p", client="me")
BLOBS = ["a" * 64, "b" * 64, "c" * 64]


def holding(blob: str) -> dict[str, object]:
    pixels = {"$": "array", "dtype": "uint8", "shape": [1, 1, 4], "blob": blob}
    return {"name": "x", "contact_sheet": {"pixels": pixels}}


def progress(fraction: float) -> Progress:
    return Progress(stage="fit", step=1, steps=2, fraction=fraction)


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "jobs.sqlite", clock=iter(range(10_000)).__next__)


def test_a_token_orders_once(store: JobStore) -> None:
    first = store.add(SPEC, "t")
    assert store.add(SPEC, "t") == store.find(first.id)
    assert store.add(SPEC, "u").id != first.id
    assert first.state == "queued" and first.events == 1


def test_events_are_numbered_and_replayed_from_any_number(store: JobStore) -> None:
    job = store.add(SPEC, "t").id
    for step in range(5):
        store.record(job, "running", progress(step / 5))
    assert [event.number for event in store.events(job, 0, 100)] == [0, 1, 2, 3, 4, 5]
    assert [event.number for event in store.events(job, 4, 100)] == [4, 5]
    assert [event.number for event in store.events(job, 1, 2)] == [1, 2]
    info = store.find(job)
    assert (info.state, info.stage, info.fraction, info.events) == ("running", "fit", 0.8, 6)


def test_only_the_newest_preview_is_kept(store: JobStore) -> None:
    job = store.add(SPEC, "t").id
    for blob in BLOBS[:2]:
        store.record(job, "running", progress(0.1), preview=holding(blob))
        store.record(job, "running", progress(0.2))
    kept = {event.number: event.preview for event in store.events(job, 0, 100)}
    assert [number for number, preview in kept.items() if preview] == [3]
    assert not store.used(BLOBS[0]) and store.used(BLOBS[1])
    store.finish(job, holding(BLOBS[2]))
    assert store.blobs(job) == [BLOBS[2]]


def test_a_result_and_everything_else_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    store = JobStore(path)
    job = store.add(SPEC, "t").id
    store.finish(job, holding(BLOBS[0]))
    store.close()
    again = JobStore(path)
    assert again.result(job) == holding(BLOBS[0])
    assert again.find(job).state == "done" and again.find(job).fraction == 1.0
    assert len(again.events(job, 0, 10)) == 2


def test_jobs_without_result_say_so(store: JobStore) -> None:
    job = store.add(SPEC, "t").id
    with pytest.raises(DistilleryError) as caught:
        store.result(job)
    assert caught.value.problem.code == "result_missing"
    for call in (store.find, store.result):
        with pytest.raises(DistilleryError) as caught:
            call("nobody")
        assert caught.value.problem.code == "job_unknown"


def test_a_problem_is_kept_with_the_job(store: JobStore) -> None:
    job = store.add(SPEC, "t").id
    problem = Problem(code="x", message="It failed.", hint="Mend it.")
    assert store.record(job, "failed", problem=problem).problem == problem
    assert store.events(job, 1, 1)[0].problem == problem


def test_newest_first_and_by_client(store: JobStore) -> None:
    ids = [store.add(JobSpec(recipe="r", client=who), who + str(n)).id
           for n, who in enumerate("abab")]
    assert [info.id for info in store.newest()] == ids[::-1]
    assert [info.id for info in store.newest("a")] == [ids[2], ids[0]]


def test_deleting_forgets_all(store: JobStore) -> None:
    job = store.add(SPEC, "t").id
    other = store.add(SPEC, "u").id
    for each in (job, other):
        store.finish(each, holding(BLOBS[0]))
    store.delete(job)
    assert not store.events(job, 0, 10) and store.used(BLOBS[0])
    store.delete(other)
    assert not store.used(BLOBS[0])
    assert store.add(SPEC, "t").id != job


def test_nothing_is_half_written(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    job = store.add(SPEC, "t").id

    def fail(*_: object) -> None:
        raise DistilleryError("disk_full", "full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "_keep_preview", fail)
        with pytest.raises(DistilleryError):
            store.record(job, "running", preview=holding(BLOBS[0]))
    assert store.find(job).events == 1 and len(store.events(job, 0, 10)) == 1
    store.record(job, "running")
    assert store.find(job).events == 2


def test_a_full_disk_is_said_and_what_is_kept_stays(store: JobStore) -> None:
    job = store.add(SPEC, "t").id
    store._do("PRAGMA max_page_count = 1")  # SQLite says "full", as on a full disk
    with pytest.raises(DistilleryError) as caught:
        for _ in range(1000):
            store.record(job, "running", progress(0.5))
    assert caught.value.problem.code == "disk_full"
    store._do("PRAGMA max_page_count = 100000")
    assert store.find(job).events == len(store.events(job, 0, 10_000))


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "rubbish.sqlite").write_bytes(b"no database" * 1000)
    for path in (tmp_path / "file" / "jobs.sqlite", tmp_path / "rubbish.sqlite"):
        with pytest.raises(DistilleryError) as caught:
            JobStore(path)
        assert caught.value.problem.code == "folder_not_writable"
