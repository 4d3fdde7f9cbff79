"""Blobs on their way: chunks of 1 MB within a window, from where the other side stands.

The window bounds what either side holds in memory for a transfer. Lost chunks are sent or asked
for again; what has arrived is never sent twice.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from .errors import Problem, ProtocolError
from .link import Link, OnProblem
from .messages import CHUNK_BYTES, BlobState, Chunk, GetChunk, HasBlob, PutChunk

WINDOW_CHUNKS = 8
PATIENCE_SECONDS = 60.0  # that a transfer waits for a backend that went away

OnFraction = Callable[[float], None]


class _Window:
    """Which chunk of ``size`` bytes comes next: at most ``WINDOW_CHUNKS`` are in flight, and when
    none is left in flight it goes on from what has really arrived."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.received = 0
        self.complete = size == 0
        self._next = 0
        self._in_flight = 0

    def next_chunk(self) -> slice | None:
        """The bytes to move now, None where the window is full or nothing is left."""
        if self.complete or self._in_flight >= WINDOW_CHUNKS or self._next >= self.size:
            return None
        offset, self._next = self._next, min(self._next + CHUNK_BYTES, self.size)
        self._in_flight += 1
        return slice(offset, self._next)

    def begin(self, received: int, complete: bool) -> None:
        """Start at what the other side holds already."""
        self.received, self.complete, self._next = received, complete, received

    def acknowledge(self, received: int, complete: bool) -> None:
        """One chunk was answered: so much has arrived now."""
        self._in_flight -= 1
        self.received, self.complete = received, complete
        if self._in_flight == 0:
            self._next = received


class Upload(_Window):
    """A blob that goes to the server."""

    def __init__(self, blob: str, data: memoryview) -> None:
        super().__init__(data.nbytes)
        self.blob = blob
        self.data = data

    def start(self, link: Link, on_change: Callable[[], None], on_problem: OnProblem) -> None:
        """Ask what the server holds already, then send the rest."""

        def acknowledge(state: BlobState, _: list[memoryview]) -> None:
            self.acknowledge(state.received, state.complete)
            advance()

        def begin(state: BlobState, _: list[memoryview]) -> None:
            self.begin(state.received, state.complete)
            advance()

        def advance() -> None:
            while (chunk := self.next_chunk()) is not None:
                request = partial(_put, self, chunk.start)
                link.ask(request, acknowledge, on_problem, [self.data[chunk]], PATIENCE_SECONDS)
            on_change()

        has = partial(_has, self)
        link.ask(has, begin, on_problem, patience_seconds=PATIENCE_SECONDS)


class Download(_Window):
    """A blob that comes from the server; hashed while it arrives."""

    def __init__(self, blob: str, size: int) -> None:
        super().__init__(size)
        self.blob = blob
        self._buffer = bytearray(size)
        self._hash = hashlib.sha256()

    @property
    def data(self) -> memoryview:
        """All bytes, read-only; only once complete."""
        return memoryview(self._buffer).toreadonly()

    def start(self, link: Link, on_change: Callable[[], None], on_problem: OnProblem) -> None:
        """Ask for the chunks."""

        def accept(chunk: Chunk, arrays: list[memoryview]) -> None:
            try:
                self.accept(chunk.offset, arrays[0])
            except ProtocolError as error:
                on_problem(error.problem)
            else:
                advance()

        def advance() -> None:
            while (chunk := self.next_chunk()) is not None:
                request = partial(_get, self, chunk.start)
                link.ask(request, accept, on_problem, patience_seconds=PATIENCE_SECONDS)
            on_change()

        advance()

    def accept(self, offset: int, data: memoryview) -> None:
        """Take one chunk; ProtocolError where it does not fit, or the whole has a wrong hash."""
        received = self.received
        if offset == received:
            if data.nbytes != min(CHUNK_BYTES, self.size - offset):
                raise ProtocolError("chunk_invalid", f"A chunk at {offset} has a wrong length.")
            received += data.nbytes
            self._buffer[offset:received] = data
            self._hash.update(data)
        self.acknowledge(received, received == self.size)
        if self.complete and self._hash.hexdigest() != self.blob:
            raise ProtocolError("blob_corrupt", "Bytes were damaged on their way.", "Try again.")


class Transfer:
    """Moves the blobs of one order or one result, one after another; ends in one callback."""

    def __init__(
        self,
        link: Link,
        blobs: Iterable[Upload | Download],
        on_done: Callable[[], None],
        on_problem: OnProblem,
        on_progress: OnFraction,
    ) -> None:
        self._link = link
        self._todo = deque(blobs)
        self._total = sum(blob.size for blob in self._todo)
        self._moved = 0
        self._on_done = on_done
        self._on_problem = on_problem
        self._on_progress = on_progress
        self._ended = False

    def start(self) -> None:
        """Begin with the next blob, or end where there is none."""
        if not self._todo:
            self._ended = True
            self._on_done()
            return
        blob = self._todo[0]
        blob.start(self._link, partial(self._change, blob), self._fail)

    def _change(self, blob: Upload | Download) -> None:
        if self._ended or blob is not self._todo[0]:
            return
        if blob.received:
            self._on_progress((self._moved + blob.received) / self._total)
        if blob.complete:
            self._moved += self._todo.popleft().size
            self.start()

    def _fail(self, problem: Problem) -> None:
        if not self._ended:
            self._ended = True
            self._on_problem(problem)


def _has(upload: Upload, number: int) -> HasBlob:
    return HasBlob(request=number, blob=upload.blob, size=upload.size)


def _put(upload: Upload, offset: int, number: int) -> PutChunk:
    return PutChunk(request=number, blob=upload.blob, size=upload.size, offset=offset)


def _get(download: Download, offset: int, number: int) -> GetChunk:
    return GetChunk(request=number, blob=download.blob, offset=offset)
