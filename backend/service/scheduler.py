"""Which worker runs which job; what happens when jobs are stopped and when workers die."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from backend.service.executors import Hire, Worker
from backend.service.failures import worker_died
from backend.service.folders import Folders
from backend.service.jobs import JobStore
from backend.service.orders import Done, Failed, Order, Ready, Step, Stop, Stopped
from protocol.errors import DistilleryError, InputError, Problem
from protocol.messages import FINAL, JobInfo

ATTEMPTS = 2
CANCEL_SECONDS = 5.0  # until a worker that does not stop is killed
HIRE_SECONDS = 2.0  # between two attempts to replace a worker that dies at once

Action = Literal["cancel", "pause", "resume", "delete"]


@dataclass
class _Post:
    """A device and the worker that has it now."""

    device: str
    worker: Worker | None = None
    hired: float = float("-inf")
    idle: bool = False
    job: str = ""
    stopping: str = ""
    kill_at: float = field(default=float("inf"))


class Scheduler:
    """Gives queued jobs to idle workers, oldest first. ``tick`` is called often and never waits."""

    def __init__(
        self,
        store: JobStore,
        folders: Folders,
        devices: Sequence[str],
        hire: Hire,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._folders = folders
        self._hire = hire
        self._clock = clock
        self._posts = [_Post(device) for device in devices]
        self.capabilities: dict[str, str] = {}  # known once a worker is ready
        self._doomed: set[str] = set()
        self._unrecorded: dict[str, Problem] = {}
        for job in store.in_state("running"):
            # The server ended in the middle of it: it goes on from its last checkpoint.
            store.record(job, "queued")

    def tick(self) -> None:
        """Hear the workers, replace dead ones, kill those that do not stop, start jobs."""
        for post in self._posts:
            if post.worker is not None:
                self._hear(post, post.worker)
            self._replace(post)
        for job, problem in self._unrecorded.items():
            self._store.record(job, "failed", problem=problem)
        self._unrecorded.clear()
        queued = self._store.in_state("queued")
        for post in self._posts:
            if queued and post.idle and post.worker is not None:
                self._start(post, post.worker, queued.pop(0))

    def handles(self) -> list[Worker]:
        """The workers that may say something."""
        return [post.worker for post in self._posts if post.worker is not None]

    def control(self, job: str, action: Action) -> JobInfo:
        """Do what a client asks; the job as it is now (a running one stops a little later)."""
        info = self._store.find(job)
        if action == "delete":
            return self._delete(info)
        allowed = {
            "cancel": ("queued", "running", "paused"), "pause": ("queued", "running"),
            "resume": ("paused",),
        }
        if info.state not in allowed[action]:
            raise InputError(
                "job_state", f"A job that is {info.state} cannot be asked to {action}.",
                "Generate again to make it anew." if info.state in FINAL else "",
            )
        if info.state == "running":
            self._stop(job, "cancel" if action == "cancel" else "pause")
            return info
        after = {"cancel": "cancelled", "pause": "paused", "resume": "queued"}
        return self._end(job, after[action])

    def close(self) -> None:
        """End all workers; their jobs go on when the server starts again."""
        for post in self._posts:
            if post.worker is not None:
                post.worker.kill()
                post.worker = None

    def _start(self, post: _Post, worker: Worker, job: str) -> None:
        info = self._store.record(job, "running")
        post.idle, post.job, post.stopping, post.kill_at = False, job, "", float("inf")
        worker.send(Order(job=job, spec=info.spec))

    def _stop(self, job: str, how: Literal["cancel", "pause"]) -> None:
        for post in self._posts:
            if post.job == job and post.worker is not None:
                post.worker.send(Stop(job=job, how=how))
                post.stopping = how
                if how == "cancel":
                    post.kill_at = min(post.kill_at, self._clock() + CANCEL_SECONDS)

    def _hear(self, post: _Post, worker: Worker) -> None:
        for message in worker.receive():
            if isinstance(message, Ready):
                post.idle, post.job = True, ""
                self.capabilities = message.capabilities
            elif message.job == post.job:
                try:
                    self._note(post, message)
                except DistilleryError as error:  # the disk is full
                    self._unrecorded[message.job] = error.problem
                    self._stop(message.job, "cancel")

    def _note(self, post: _Post, message: Step | Done | Stopped | Failed) -> None:
        job = message.job
        if isinstance(message, Step):
            self._store.record(job, "running", message.progress, message.preview)
            return
        if isinstance(message, Done):
            self._store.finish(job, message.asset)
            self._forget_checkpoints(job)
        elif isinstance(message, Failed):
            self._store.record(job, "failed", problem=message.problem)
            self._forget_checkpoints(job)
        else:
            self._end(job, "cancelled" if message.how == "cancel" else "paused")
        post.job = ""
        if job in self._doomed:
            self._forget(job)

    def _replace(self, post: _Post) -> None:
        """Put a living worker where there is none, or where one must be killed."""
        worker, now = post.worker, self._clock()
        if worker is not None and worker.exit_code() is None and now < post.kill_at:
            return
        if worker is not None:
            exit_code = worker.exit_code()
            worker.kill()
            post.worker, post.idle, post.kill_at = None, False, float("inf")
            if post.job:
                self._survive(post.job, post.stopping, exit_code)
                post.job = ""
        if now - post.hired >= HIRE_SECONDS:
            post.hired = now
            post.worker = self._hire(post.device)

    def _survive(self, job: str, stopping: str, exit_code: int | None) -> None:
        """A worker died over the job: try again from its checkpoint, or give it up."""
        if stopping == "cancel":
            self._end(job, "cancelled")
        elif stopping == "pause":
            self._end(job, "paused")
        elif self._store.count_attempt(job) < ATTEMPTS:
            self._store.record(job, "queued")
        else:
            spec = self._store.find(job).spec
            self._store.record(job, "failed", problem=worker_died(exit_code, spec))
            self._forget_checkpoints(job)
        if job in self._doomed:
            self._forget(job)

    def _end(self, job: str, state: str) -> JobInfo:
        info = self._store.record(job, state)  # type: ignore[arg-type]
        if state == "cancelled":
            self._forget_checkpoints(job)
        return info

    def _delete(self, info: JobInfo) -> JobInfo:
        if info.state == "running":
            self._doomed.add(info.id)
            self._stop(info.id, "cancel")
            return info
        if info.state not in FINAL:
            info = self._end(info.id, "cancelled")
        self._forget(info.id)
        return info

    def _forget(self, job: str) -> None:
        self._doomed.discard(job)
        self._store.delete(job)
        self._forget_checkpoints(job)

    def _forget_checkpoints(self, job: str) -> None:
        shutil.rmtree(self._folders.job(job), ignore_errors=True)
