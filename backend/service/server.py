"""The server: one ROUTER loop that answers everything at once and never waits for a job."""

import logging
import os
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import zmq

from backend.recipes import registry
from backend.service.binding import bind_router, check_loopback
from backend.service.executors import Hire, LocalWorker, devices
from backend.service.folders import Folders
from backend.service.inputs import check_order
from backend.service.jobs import JobStore
from backend.service.run import installed_version
from backend.service.scheduler import Scheduler
from backend.service.watchers import Watchers
from protocol.blobs import BlobStore
from protocol.codec import Data, Packer, replace_refs
from protocol.errors import DistilleryError, Problem, ProtocolError
from protocol.frames import HEADER_BYTES, Buffer, decode, encode
from protocol.messages import (
    Accepted,
    ArrayRef,
    BlobState,
    Chunk,
    Control,
    Describe,
    Description,
    Event,
    Failure,
    FetchResult,
    GetChunk,
    HasBlob,
    Hello,
    Jobs,
    JobSpec,
    ListJobs,
    Message,
    PutChunk,
    Result,
    Submit,
    Unwatch,
    Watch,
    Welcome,
)

TICK_SECONDS = 0.05
REQUESTS_PER_TICK = 200
SWEEP_SECONDS = 60.0
COMPLAIN_SECONDS = 10.0
SWEEP_AGE_SECONDS = 3600.0  # blobs that nothing uses are kept so long: an order may follow

log = logging.getLogger("distillery.server")

Arrays = list[memoryview]


class Server:
    """Owns the data folder and the port. ``serve`` runs until ``stop`` is called.

    Raises DistilleryError at construction where the address is not loopback or is in use, or the
    folder cannot be written or has another server.
    """

    def __init__(self, bind: str, data: Path, hire: Hire | None = None) -> None:
        check_loopback(bind)
        registry.recipes()  # imported now, so that no request waits for it
        self._folders = Folders(data)
        self._folders.create()
        self._lock = self._folders.lock()
        self._context = zmq.Context()
        self._socket = bind_router(self._context, bind)
        self.address = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._store = JobStore(self._folders.database)
        self._blobs = BlobStore(self._folders.blobs)
        self._devices = devices()
        self._scheduler = Scheduler(
            self._store, self._folders, [device.id for device in self._devices],
            hire or (lambda device: LocalWorker(device, data)),
        )
        self._watchers = Watchers(self._store, self._send_event)
        self._session = secrets.token_hex(8)
        self._swept = time.monotonic()
        self._complained = float("-inf")
        self._running = True
        self._answers: dict[type, Callable[..., tuple[Any, Sequence[Buffer]]]] = {
            Hello: self._hello, Describe: self._describe, Submit: self._submit,
            Watch: self._watch, Unwatch: self._unwatch, Control: self._control,
            ListJobs: self._list_jobs, FetchResult: self._fetch_result, HasBlob: self._has_blob,
            GetChunk: self._get_chunk, PutChunk: self._put_chunk,
        }
        self._folders.write_address(self.address)

    def serve(self) -> None:
        """Answer, schedule and tell, until :meth:`stop`; then end the workers and let go."""
        try:
            while self._running:
                self._tick()
        finally:
            self._folders.address.unlink(missing_ok=True)
            self._scheduler.close()
            self._store.close()
            self._lock.close()
            self._context.destroy(linger=200)

    def stop(self) -> None:
        """Let :meth:`serve` end; safe to call from a signal handler."""
        self._running = False

    def _tick(self) -> None:
        self._wait(0.0 if self._advance() else TICK_SECONDS)
        for _ in range(REQUESTS_PER_TICK):
            try:
                client, *frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                break
            self._answer(client.bytes, [frame.buffer for frame in frames])

    def _advance(self) -> bool:
        """Schedule, tell watchers, tidy up; True where watchers are to be told more at once.

        Whatever goes wrong (a full disk, say), what is kept stays, and the server goes on.
        """
        try:
            self._scheduler.tick()
            self._sweep()
            return self._watchers.tick()
        except Exception as error:
            if time.monotonic() - self._complained >= COMPLAIN_SECONDS:
                self._complained = time.monotonic()
                log.error("%s", error, exc_info=not isinstance(error, DistilleryError))
            return False

    def _wait(self, seconds: float) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        if os.name == "posix":  # elsewhere pipes cannot be polled; the next tick hears them
            for worker in self._scheduler.handles():
                poller.register(worker.fileno(), zmq.POLLIN)
        poller.poll(int(seconds * 1000))

    # Answering ----------------------------------------------------------------------------------

    def _answer(self, client: bytes, frames: Arrays) -> None:
        """Answer one message; whatever is wrong with it, the server lives on."""
        try:
            message, arrays = decode(frames)
        except ProtocolError as error:
            self._send(client, Failure(request=0, problem=error.problem))
            return
        answer = self._answers.get(type(message))
        if answer is None:
            return  # an answer or event: nobody should send those to a server
        self._watchers.hear(client)
        reply: Any
        try:
            reply, attached = answer(client, message, arrays)
        except DistilleryError as error:
            reply, attached = self._failure(message, error.problem), ()
        except Exception as error:
            log.exception("A %s request failed", type(message).__name__)
            reply, attached = self._failure(message, _internal(error)), ()
        self._send(client, reply, attached)

    def _failure(self, message: Any, problem: Problem) -> Failure:
        return Failure(request=message.request, problem=problem)

    def _send(self, client: bytes, message: Message, arrays: Sequence[Buffer] = ()) -> bool:
        """Send without waiting; False where the client is gone or takes no more."""
        try:
            frames = encode(message, arrays)
        except ProtocolError as error:  # larger than the client would take
            frames = encode(Failure(request=getattr(message, "request", 0), problem=error.problem))
        try:
            self._socket.send_multipart([client, *frames], zmq.NOBLOCK, copy=False)
        except zmq.ZMQError:
            return False
        return True

    def _send_event(self, client: bytes, event: Event) -> bool:
        if event.preview is None:
            return self._send(client, event)
        try:
            preview, arrays = self._pack(event.preview)
        except DistilleryError:  # replaced by a newer preview, which is on its way
            return self._send(client, msgspec.structs.replace(event, preview=None))
        return self._send(client, msgspec.structs.replace(event, preview=preview), arrays)

    def _pack(self, data: Data) -> tuple[Data, Sequence[Buffer]]:
        """An asset at rest as it travels: small arrays taken out of their blobs."""
        packer = Packer()
        return replace_refs(data, lambda ref: packer.inline(ref, self._blobs.read)), packer.frames

    # Requests -----------------------------------------------------------------------------------

    def _hello(self, client: bytes, message: Hello, arrays: Arrays) -> tuple[Any, Arrays]:
        server = f"distillery {installed_version()}"
        return Welcome(request=message.request, server=server, session=self._session), []

    def _describe(self, client: bytes, message: Describe, arrays: Arrays) -> tuple[Any, Arrays]:
        description = Description(
            request=message.request, recipes=registry.describe(),
            capabilities=self._scheduler.capabilities, devices=self._devices,
        )
        return description, []

    def _submit(self, client: bytes, message: Submit, arrays: Arrays) -> tuple[Any, Arrays]:
        spec = self._settle(message.spec, arrays)
        check_order(spec, self._blobs.read)
        return Accepted(request=message.request, job=self._store.add(spec, message.token)), []

    def _settle(self, spec: JobSpec, arrays: Arrays) -> JobSpec:
        """The order with all its arrays in the blob store; blob_missing where one never came."""

        def settle(ref: ArrayRef) -> ArrayRef:
            if ref.frame:
                if ref.frame > len(arrays):
                    raise ProtocolError("message_malformed", f"Frame {ref.frame} is missing.")
                blob = self._blobs.put(arrays[ref.frame - 1])
                return ArrayRef(dtype=ref.dtype, shape=ref.shape, blob=blob)
            if ref.blob is not None and not self._blobs.touch(ref.blob):
                self._blobs.size(ref.blob)
            return ref

        return msgspec.structs.replace(spec, inputs=replace_refs(spec.inputs, settle))

    def _watch(self, client: bytes, message: Watch, arrays: Arrays) -> tuple[Any, Arrays]:
        info = self._store.find(message.job)
        self._watchers.add(client, message.job, message.since)
        return Accepted(request=message.request, job=info), []

    def _unwatch(self, client: bytes, message: Unwatch, arrays: Arrays) -> tuple[Any, Arrays]:
        self._watchers.remove(client, message.job)
        return Accepted(request=message.request, job=self._store.find(message.job)), []

    def _control(self, client: bytes, message: Control, arrays: Arrays) -> tuple[Any, Arrays]:
        used = self._store.blobs(message.job)
        info = self._scheduler.control(message.job, message.action)
        for blob in used if message.action == "delete" else []:
            if not self._store.used(blob):
                self._blobs.delete(blob)
        return Accepted(request=message.request, job=info), []

    def _list_jobs(self, client: bytes, message: ListJobs, arrays: Arrays) -> tuple[Any, Arrays]:
        jobs, room = [], HEADER_BYTES // 2
        for info in self._store.newest(message.client):
            room -= len(msgspec.msgpack.encode(info))
            if room > 0:
                jobs.append(info)
        return Jobs(request=message.request, jobs=tuple(jobs)), []

    def _fetch_result(
        self, client: bytes, message: FetchResult, arrays: Arrays
    ) -> tuple[Any, Sequence[Buffer]]:
        asset, attached = self._pack(self._store.result(message.job))
        return Result(request=message.request, job=message.job, asset=asset), attached

    def _has_blob(self, client: bytes, message: HasBlob, arrays: Arrays) -> tuple[Any, Arrays]:
        self._blobs.check_size(message.size)
        self._blobs.touch(message.blob)
        return self._blob_state(message), []

    def _put_chunk(self, client: bytes, message: PutChunk, arrays: Arrays) -> tuple[Any, Arrays]:
        self._blobs.write_chunk(message.blob, message.size, message.offset, arrays[0])
        return self._blob_state(message), []

    def _blob_state(self, message: HasBlob | PutChunk) -> BlobState:
        return BlobState(
            request=message.request, blob=message.blob,
            received=self._blobs.received(message.blob), complete=self._blobs.has(message.blob),
        )

    def _get_chunk(
        self, client: bytes, message: GetChunk, arrays: Arrays
    ) -> tuple[Any, Sequence[Buffer]]:
        chunk = Chunk(
            request=message.request, blob=message.blob, size=self._blobs.size(message.blob),
            offset=message.offset,
        )
        return chunk, [self._blobs.read_chunk(message.blob, message.offset)]

    def _sweep(self) -> None:
        """Delete blobs that nothing uses any more, and the oldest of too many finished stages."""
        if time.monotonic() - self._swept < SWEEP_SECONDS:
            return
        self._swept = time.monotonic()
        for blob in list(self._blobs.names(SWEEP_AGE_SECONDS)):
            if not self._store.used(blob):
                self._blobs.delete(blob)
        self._folders.trim_cache()


def _internal(error: Exception) -> Problem:
    return Problem(
        code="internal", message=f"The backend failed: {type(error).__name__}: {error}.",
        hint="Its log has the details; please report it.",
    )


def log_to_stderr() -> None:
    """Send the server's log where a person (or whoever started it) sees it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
