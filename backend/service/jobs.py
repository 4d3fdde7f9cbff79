"""Jobs and their numbered events in SQLite: what outlives the server's process."""

import errno
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from protocol.blobs import disk_error
from protocol.codec import refs
from protocol.errors import DistilleryError, Problem
from protocol.messages import FINAL, Event, JobInfo, JobSpec, JobState, Progress

LISTED = 200

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, token TEXT UNIQUE, client TEXT, info BLOB, state TEXT,
    attempts INTEGER DEFAULT 0,
    preview INTEGER DEFAULT -1, result BLOB, created REAL
);
CREATE TABLE IF NOT EXISTS events (
    job TEXT, number INTEGER, body BLOB, PRIMARY KEY (job, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uses (job TEXT, kind TEXT, blob TEXT);
CREATE INDEX IF NOT EXISTS uses_by_job ON uses (job);
CREATE INDEX IF NOT EXISTS uses_by_blob ON uses (blob);
"""

Data = dict[str, Any]

_encode = msgspec.msgpack.encode


class JobStore:
    """The jobs of one data folder. All methods answer at once; times are ``clock()``.

    Raises DistilleryError where the folder cannot be written or the disk is full.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(SCHEMA)
        except OSError as error:
            raise disk_error(error, path.parent) from error
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def add(self, spec: JobSpec, token: str) -> JobInfo:
        """A new queued job, or the one that this token ordered before."""
        known = self._one("SELECT info FROM jobs WHERE token = ?", token)
        if known is not None:
            return msgspec.msgpack.decode(known[0], type=JobInfo)
        now = self._clock()
        info = JobInfo(
            id=secrets.token_hex(8), spec=spec, state="queued", created=now, updated=now
        )
        with self._transaction():
            self._do(
                "INSERT INTO jobs (id, token, client, info, state, created) VALUES (?,?,?,?,?,?)",
                info.id, token, spec.client, _encode(info), info.state, now,
            )
            self._use(info.id, "inputs", spec.inputs)
            return self.record(info.id, "queued")

    def find(self, job: str) -> JobInfo:
        """The job of that id; DistilleryError where there is none."""
        row = self._one("SELECT info FROM jobs WHERE id = ?", job)
        if row is None:
            raise DistilleryError(
                "job_unknown", f"There is no job {job!r}.", "It may have been deleted."
            )
        return msgspec.msgpack.decode(row[0], type=JobInfo)

    def newest(self, client: str = "") -> tuple[JobInfo, ...]:
        """The newest jobs (of one client, or of all), newest first."""
        rows = self._do(
            "SELECT info FROM jobs WHERE ? IN ('', client) ORDER BY created DESC, rowid DESC "
            f"LIMIT {LISTED}", client,
        )
        return tuple(msgspec.msgpack.decode(row[0], type=JobInfo) for row in rows)

    def in_state(self, state: JobState) -> list[str]:
        """Ids of the jobs in that state, oldest first."""
        rows = self._do("SELECT id FROM jobs WHERE state = ? ORDER BY created, rowid", state)
        return [row[0] for row in rows]

    def record(
        self,
        job: str,
        state: JobState,
        progress: Progress | None = None,
        preview: Data | None = None,
        problem: Problem | None = None,
    ) -> JobInfo:
        """Append the job's next event and let the job's own entry follow it."""
        info = self.find(job)
        now = self._clock()
        event = Event(
            job=job, number=info.events, time=now, state=state, progress=progress,
            preview=preview, problem=problem,
        )
        info = msgspec.structs.replace(
            info, state=state, updated=now, events=info.events + 1, problem=problem,
            stage=progress.stage if progress else info.stage,
            fraction=1.0 if state == "done" else progress.fraction if progress else info.fraction,
        )
        with self._transaction():
            if preview is not None or state in FINAL:
                self._drop_preview(job)
            if preview is not None:
                self._keep_preview(job, event.number, preview)
            self._do("INSERT INTO events VALUES (?,?,?)", job, event.number, _encode(event))
            self._do(
                "UPDATE jobs SET info = ?, state = ? WHERE id = ?", _encode(info), state, job
            )
        return info

    def events(self, job: str, since: int, limit: int) -> list[Event]:
        """The job's events from number ``since`` on. Previews but the newest have been dropped."""
        rows = self._do(
            "SELECT body FROM events WHERE job = ? AND number >= ? ORDER BY number LIMIT ?",
            job, since, limit,
        )
        return [msgspec.msgpack.decode(row[0], type=Event) for row in rows]

    def count_attempt(self, job: str) -> int:
        """Note that a worker died over the job; give how often that happened."""
        self._do("UPDATE jobs SET attempts = attempts + 1 WHERE id = ?", job)
        row = self._one("SELECT attempts FROM jobs WHERE id = ?", job)
        return 0 if row is None else int(row[0])

    def finish(self, job: str, asset: Data) -> JobInfo:
        """Keep the result and mark the job done."""
        with self._transaction():
            self._do("UPDATE jobs SET result = ? WHERE id = ?", _encode(asset), job)
            self._use(job, "result", asset)
            return self.record(job, "done")

    def result(self, job: str) -> Data:
        """The encoded asset of a finished job; DistilleryError where there is none (yet)."""
        info = self.find(job)
        row = self._one("SELECT result FROM jobs WHERE id = ?", job)
        if row is None or row[0] is None:
            raise DistilleryError(
                "result_missing", f"Job {job} has no result; it is {info.state}.",
                "Wait until it is done." if info.state not in FINAL else "Generate again.",
            )
        data: Data = msgspec.msgpack.decode(row[0])
        return data

    def delete(self, job: str) -> None:
        """Forget the job, its events and what it used."""
        with self._transaction():
            for table, column in (("jobs", "id"), ("events", "job"), ("uses", "job")):
                self._do(f"DELETE FROM {table} WHERE {column} = ?", job)

    def used(self, blob: str) -> bool:
        """Whether any job still needs the blob."""
        return self._one("SELECT 1 FROM uses WHERE blob = ? LIMIT 1", blob) is not None

    def blobs(self, job: str) -> list[str]:
        """The blobs that the job uses."""
        return [row[0] for row in self._do("SELECT blob FROM uses WHERE job = ?", job)]

    def _drop_preview(self, job: str) -> None:
        """Only the newest preview is kept: thousands of them would fill the disk."""
        row = self._one("SELECT preview FROM jobs WHERE id = ?", job)
        for event in self.events(job, row[0], 1) if row is not None and row[0] >= 0 else []:
            self._do(
                "UPDATE events SET body = ? WHERE job = ? AND number = ?",
                _encode(msgspec.structs.replace(event, preview=None)), job, event.number,
            )
        self._do("UPDATE jobs SET preview = -1 WHERE id = ?", job)
        self._do("DELETE FROM uses WHERE job = ? AND kind = 'preview'", job)

    def _keep_preview(self, job: str, number: int, preview: Data) -> None:
        self._do("UPDATE jobs SET preview = ? WHERE id = ?", number, job)
        self._use(job, "preview", preview)

    def _use(self, job: str, kind: str, data: Data) -> None:
        rows = [(job, kind, ref.blob) for ref in refs(data) if ref.blob is not None]
        for row in rows:
            self._do("INSERT INTO uses VALUES (?,?,?)", *row)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; a transaction inside another is a part of it."""
        if self._db.in_transaction:
            yield
            return
        self._do("BEGIN IMMEDIATE")
        try:
            yield
            self._do("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _do(self, statement: str, *values: Any) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def _one(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._do(statement, *values).fetchone()
        return row

    def _problem(self, error: sqlite3.Error) -> DistilleryError:
        if "full" in str(error):
            return disk_error(OSError(errno.ENOSPC, str(error)), self._path.parent)
        return disk_error(OSError(errno.EACCES, str(error)), self._path.parent)
