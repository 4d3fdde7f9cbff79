"""A server in memory, and a clock that a test moves: what the client's tests talk to."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from protocol.blobs import digest
from protocol.client import Client
from protocol.frames import Buffer, decode, encode
from protocol.messages import (
    CHUNK_BYTES,
    Accepted,
    BlobState,
    Chunk,
    Event,
    GetChunk,
    HasBlob,
    Hello,
    JobInfo,
    JobSpec,
    PutChunk,
    Submit,
    Watch,
    Welcome,
)

JOB = JobInfo(id="j", spec=JobSpec(recipe="r"), state="running", created=0.0, updated=0.0)


class Wire:
    """A transport that a test can cut, lose messages on, and answer by hand.

    ``answers``: by message type, a function of message and arrays that gives (answer, arrays).
    """

    def __init__(self) -> None:
        self.connected = True
        self.silent = False
        self.session = "one"
        self.heard: list[Any] = []
        self.inbox: deque[list[Buffer]] = deque()
        self.lose: Callable[[Any], bool] = lambda message: False
        self.answers: dict[type, Callable[..., Any]] = {
            Hello: lambda m, _: Welcome(request=m.request, server="test 1", session=self.session)
        }
        self.closed = False
        self.most_in_flight = 0

    def send(self, frames: Sequence[Buffer]) -> bool:
        if not self.connected:
            return False
        message, arrays = decode([bytes(frame) for frame in frames])
        self.heard.append(message)
        if self.silent or self.lose(message) or type(message) not in self.answers:
            return True
        answer = self.answers[type(message)](message, arrays)
        if answer is not None:
            answer, attached = answer if isinstance(answer, tuple) else (answer, [])
            self.say(answer, attached)
        return True

    def say(self, message: Any, arrays: Sequence[Buffer] = ()) -> None:
        self.inbox.append(encode(message, arrays))
        self.most_in_flight = max(self.most_in_flight, len(self.inbox))

    def poll(self) -> list[memoryview] | None:
        return [memoryview(bytes(f)) for f in self.inbox.popleft()] if self.inbox else None

    def wait(self, seconds: float) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.heard if isinstance(message, kind)]


class Blobs:
    """What a server holds of blobs, in memory, answered as the real one does."""

    def __init__(self, wire: Wire) -> None:
        self.held: dict[str, bytearray] = {}
        wire.answers |= {HasBlob: self.has, PutChunk: self.put, GetChunk: self.get,
                         Submit: lambda m, _: Accepted(request=m.request, job=JOB)}

    def add(self, data: bytes) -> str:
        self.held[digest(data)] = bytearray(data)
        return digest(data)

    def has(self, message: Any, _: Any) -> BlobState:
        held = self.held.get(message.blob, b"")
        return BlobState(request=message.request, blob=message.blob, received=len(held),
                         complete=len(held) == message.size)

    def put(self, message: PutChunk, arrays: list[memoryview]) -> BlobState:
        held = self.held.setdefault(message.blob, bytearray())
        if message.offset == len(held):
            held += arrays[0]
        return self.has(message, None)

    def get(self, message: GetChunk, _: Any) -> tuple[Chunk, list[bytes]]:
        held = self.held[message.blob]
        chunk = bytes(held[message.offset : message.offset + CHUNK_BYTES])
        return Chunk(request=message.request, blob=message.blob, size=len(held),
                     offset=message.offset), [chunk]


class Events:
    """A job's events, told from any number on when a watch asks."""

    def __init__(self, wire: Wire, count: int) -> None:
        self.wire = wire
        self.log = [event(number) for number in range(count)]
        wire.answers[Watch] = self.watch

    def watch(self, message: Watch, _: Any) -> None:
        self.wire.say(Accepted(request=message.request, job=JOB))
        for told in self.log[message.since :]:
            self.wire.say(told)


def event(number: int, state: str = "running", **more: Any) -> Event:
    return Event(job="j", number=number, time=0.0, state=state, **more)  # type: ignore[arg-type]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A client on a wire, with a clock."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.clock = Clock()
        self.client = Client(self.wire, self.clock, "me")
        self.answers: list[Any] = []
        self.problems: list[Any] = []

    def pump(self, seconds: float = 0.5, step: float = 0.25) -> None:
        """Pump while the clock runs on by ``seconds``."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            while self.client.pump(1.0):
                pass
            self.clock.now += step
        self.client.pump(1.0)
