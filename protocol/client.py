"""What a program does with a backend: order, watch, steer and fetch, without threads.

Transport and clock are handed in, so the add-on drives it from one timer, the command line from a
blocking loop, and a test from memory. Callbacks run inside :meth:`Client.pump`, or (where the
answer is known at once) inside the call itself.
"""

import hashlib
import secrets
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, Literal

import msgspec

from .assets import Asset
from .codec import (
    Array,
    Packer,
    array_bytes,
    array_ref,
    as_bytes,
    decode_asset,
    encode_asset,
    frame_getter,
    refs,
)
from .errors import DistilleryError, Problem, ProtocolError
from .link import Clock, Link, LinkState, OnProblem, Transport
from .messages import (
    CHUNK_BYTES,
    INLINE_BYTES,
    Accepted,
    ArrayRef,
    Control,
    Describe,
    Description,
    Event,
    FetchResult,
    JobInfo,
    JobSpec,
    ListJobs,
    Result,
    Submit,
)
from .transfers import Download, OnFraction, Transfer, Upload
from .watching import Data, Frames, Watching

UPLOADS = 2  # how often an order sends its blobs: a deleted job may take one away meanwhile


def _ignore(_: Any) -> None:
    pass


class Client:
    """Talks to one backend: ``Client(Dealer("tcp://127.0.0.1:5599"), time.monotonic)``.

    Calls return at once; every request ends in exactly one of its callbacks. What was asked while
    offline is sent when the backend answers, or ends in a problem after some seconds. A broken
    connection heals by itself: requests are asked again, watches go on at the next event,
    transfers at the received byte.
    """

    def __init__(self, transport: Transport, clock: Clock, client_id: str = "") -> None:
        self.client_id = client_id
        self._clock = clock
        self._link = Link(transport, clock, client_id, self._take_event, self._watch_again)
        self._watches: dict[str, Watching] = {}
        self._chores: deque[Iterator[None]] = deque()

    @property
    def state(self) -> LinkState:
        """offline (nobody answers), connecting (greeting sent), online, or wrong_version."""
        return self._link.state

    @property
    def problem(self) -> Problem | None:
        """Why the state is not online, with hint and perhaps a fix; None when online."""
        return self._link.problem

    @property
    def server(self) -> str:
        """Name and version of the backend that answered, "" before."""
        return self._link.server

    @property
    def busy(self) -> bool:
        """True while a request is unanswered or a transfer is under way."""
        return self._link.busy or bool(self._chores)

    def pump(self, budget_seconds: float = 0.01) -> bool:
        """Send and receive for at most about the budget; True where more work is waiting.

        Never raises on what the other side sends. Call it again at once (or after a short while)
        where it gives True, after 0.1 to 1 second where it gives False.
        """
        start = self._clock()
        self._link.tick()
        for job, watching in list(self._watches.items()):
            if watching.ended:
                del self._watches[job]
            else:
                watching.confirm()
        while self._link.receive() | self._work() | self._link.flush():
            if self._clock() - start >= budget_seconds:
                return True
        return False

    def run_until(self, done: Callable[[], bool], timeout_seconds: float = float("inf")) -> bool:
        """Pump, blocking, until ``done()``; False where the time ran out first."""
        end = self._clock() + timeout_seconds
        while not done():
            if self._clock() >= end:
                return False
            if not self.pump(0.05) and not done():
                self._link.wait(0.05)
        return True

    def describe(self, on_answer: Callable[[Description], None], on_problem: OnProblem) -> None:
        """Ask what the backend offers: recipes with options, capabilities, devices."""
        self._link.ask(
            lambda number: Describe(request=number), lambda answer, _: on_answer(answer), on_problem
        )

    def submit(
        self,
        spec: JobSpec,
        inputs: dict[str, Asset],
        on_accepted: Callable[[JobInfo], None],
        on_problem: OnProblem,
        on_progress: OnFraction = _ignore,
    ) -> None:
        """Order a job. ``inputs``: assets by name (mesh, image …); their arrays are uploaded
        first, unless the backend has them, and ``on_progress`` tells the fraction. Inputs that the
        ``spec`` of an earlier job names already go with it as they are.

        Arrays must not change before ``on_accepted``.
        """
        order = _Order(self._link, spec, inputs, on_accepted, on_problem, on_progress)
        self._chores.append(order.prepare())

    def watch(
        self,
        job: str,
        on_event: Callable[[Event], None],
        on_preview: Callable[[Asset], None] | None = None,
        on_problem: OnProblem = _ignore,
        since: int = 0,
    ) -> None:
        """Give each event of the job from number ``since`` on, once and in order, till it ends.

        Events that are old come first (quickly). ``on_preview`` gets the newest preview whole
        (a picture in ``contact_sheet``, perhaps a growing ``mesh``); older ones are skipped.
        ``on_problem`` is called where there is no such job; a lost connection only pauses.
        """
        self._watches[job] = Watching(
            self._link, job, since, on_event, on_preview, on_problem, self._assemble
        )
        self._watches[job].ask()

    def unwatch(self, job: str) -> None:
        """Stop watching; the job runs on."""
        watching = self._watches.pop(job, None)
        if watching is not None and not watching.ended:
            watching.stop()

    def control(
        self,
        job: str,
        action: Literal["cancel", "pause", "resume", "delete"],
        on_answer: Callable[[JobInfo], None],
        on_problem: OnProblem,
    ) -> None:
        """Cancel, pause, resume or delete a job. The state follows as an event."""

        def make(number: int) -> Control:
            return Control(request=number, job=job, action=action)

        self._link.ask(make, lambda answer, _: on_answer(answer.job), on_problem)

    def list_jobs(
        self,
        on_jobs: Callable[[tuple[JobInfo, ...]], None],
        on_problem: OnProblem,
        client: str = "",
    ) -> None:
        """Ask for the newest jobs (of one client id, or of all where it is "")."""

        def make(number: int) -> ListJobs:
            return ListJobs(request=number, client=client)

        self._link.ask(make, lambda answer, _: on_jobs(answer.jobs), on_problem)

    def fetch_result(
        self,
        job: str,
        on_asset: Callable[[Asset], None],
        on_problem: OnProblem,
        on_progress: OnFraction = _ignore,
    ) -> None:
        """Download what a finished job made; its arrays are checked against their hashes."""

        def assemble(answer: Result, frames: Frames) -> None:
            self._assemble(answer.asset, frames, on_asset, on_problem, on_progress)

        self._link.ask(
            lambda number: FetchResult(request=number, job=job), assemble, on_problem
        )

    def close(self) -> None:
        """Close the transport; pending callbacks are dropped."""
        self._watches.clear()
        self._chores.clear()
        self._link.close()

    def _work(self) -> bool:
        """One slice of the chores (hashing what is to be uploaded)."""
        if self._chores and next(self._chores[0], self) is self:
            self._chores.popleft()
        return bool(self._chores)

    def _take_event(self, event: Event, frames: Frames) -> None:
        watching = self._watches.get(event.job)
        if watching is not None:
            watching.take(event, frames)

    def _watch_again(self) -> None:
        for watching in self._watches.values():
            if not watching.ended:
                watching.ask()

    def _assemble(
        self,
        data: Data,
        frames: Frames,
        on_asset: Callable[[Asset], None],
        on_problem: OnProblem,
        on_progress: OnFraction = _ignore,
    ) -> None:
        """Fetch the blobs that an encoded asset names, then decode it."""
        try:
            sizes = {ref.blob: array_bytes(ref) for ref in refs(data) if ref.blob is not None}
        except ProtocolError as error:
            on_problem(error.problem)
            return
        downloads = {blob: Download(blob, size) for blob, size in sizes.items()}

        def finish() -> None:
            get = frame_getter(frames, lambda blob: downloads[blob].data)
            try:
                asset = decode_asset(data, get)
            except ProtocolError as error:
                on_problem(error.problem)
            else:
                on_asset(asset)

        Transfer(self._link, downloads.values(), finish, on_problem, on_progress).start()


class _Order:
    """A job being ordered: hash its arrays in slices, upload what is missing, submit."""

    def __init__(
        self,
        link: Link,
        spec: JobSpec,
        inputs: dict[str, Asset],
        on_accepted: Callable[[JobInfo], None],
        on_problem: OnProblem,
        on_progress: OnFraction,
    ) -> None:
        self._link = link
        self._spec = spec
        self._inputs = inputs
        self._on_accepted = on_accepted
        self._on_problem = on_problem
        self._on_progress = on_progress
        self._token = secrets.token_hex(16)
        self._packer = Packer()
        self._uploads_left = UPLOADS

    def prepare(self) -> Iterator[None]:
        """Encode the inputs, yielding between slices so that no tick takes long; then upload."""
        try:
            digests: dict[int, str] = {}
            for array in _large_arrays(self._inputs):
                digests[id(array)] = yield from _digest_in_slices(as_bytes(array))
            self._packer = Packer(digests)
            encoded = {
                name: encode_asset(asset, self._packer.add) for name, asset in self._inputs.items()
            }
        except DistilleryError as error:
            self._on_problem(error.problem)
            return
        self._spec = msgspec.structs.replace(self._spec, inputs={**self._spec.inputs, **encoded})
        self._upload()

    def _upload(self) -> None:
        self._uploads_left -= 1
        uploads = [Upload(blob, data) for blob, data in self._packer.blobs.items()]
        Transfer(self._link, uploads, self._submit, self._on_problem, self._on_progress).start()

    def _submit(self) -> None:
        def make(number: int) -> Submit:
            return Submit(request=number, spec=self._spec, token=self._token)

        self._link.ask(make, self._accept, self._refuse, self._packer.frames)

    def _accept(self, answer: Accepted, _: Frames) -> None:
        self._on_accepted(answer.job)

    def _refuse(self, problem: Problem) -> None:
        if problem.code == "blob_missing" and self._uploads_left:
            self._upload()
        else:
            self._on_problem(problem)


def _large_arrays(inputs: dict[str, Asset]) -> list[Array]:
    """The arrays that will be blobs."""
    found: list[Array] = []

    def add(array: Array) -> ArrayRef:
        if array.nbytes > INLINE_BYTES:
            found.append(array)
        return array_ref(array)

    for asset in inputs.values():
        encode_asset(asset, add)
    return found


def _digest_in_slices(data: memoryview) -> Generator[None, None, str]:
    running = hashlib.sha256()
    for offset in range(0, data.nbytes, CHUNK_BYTES):
        running.update(data[offset : offset + CHUNK_BYTES])
        yield
    return running.hexdigest()
