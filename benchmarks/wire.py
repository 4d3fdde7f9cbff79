"""What do the wire's checks cost, beside ZeroMQ alone and a copy in memory?

64 MB as one array of a result or an order, between two processes on loopback: fetched (window,
hash, decoding) and uploaded (hash, window, hash, disk), against the same bytes in the same chunks
through bare sockets. Then one small question and its answer, against a bare round trip.
"""

import hashlib
import itertools
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import zmq

from backend.service.folders import Folders
from backend.service.jobs import JobStore
from backend.service.orders import FromServer, FromWorker
from protocol.assets import Asset, Image
from protocol.blobs import BlobStore
from protocol.client import Client
from protocol.codec import Array, array_ref, as_bytes, encode_asset
from protocol.messages import CHUNK_BYTES, ArrayRef, JobSpec
from protocol.transport import Dealer

from .timing import Timing, best_seconds

CHUNKS = 64
SIZE = CHUNKS * CHUNK_BYTES
ROUND_TRIPS = 200


def measure() -> list[Timing]:
    with tempfile.TemporaryDirectory() as folder:
        job = _prepare(Path(folder))
        with _server(Path(folder)) as client, _bare_server() as bare:
            return [*_throughput(client, bare, job), *_latency(client, bare)]


def _throughput(client: Client, bare: "zmq.Socket[bytes]", job: str) -> list[Timing]:
    block, asset, fresh = bytearray(SIZE), _picture(), itertools.count(1)
    seconds = {
        "bare sockets": best_seconds(lambda: _pull(bare)),
        "a copy in memory": best_seconds(lambda: bytes(block)),
        "SHA-256 alone": best_seconds(lambda: hashlib.sha256(block).digest(), 3),
        "fetched": best_seconds(lambda: _fetch(client, job)),
        "uploaded": best_seconds(lambda: _upload(client, asset, next(fresh)), 3),
        "not uploaded twice": best_seconds(lambda: _upload(client, asset, 0), 3),
    }
    return [
        Timing(name, taken, f"{SIZE / taken / 1e6:.0f} MB/s") for name, taken in seconds.items()
    ]


def _latency(client: Client, bare: "zmq.Socket[bytes]") -> list[Timing]:
    alone = best_seconds(lambda: _repeat(lambda: _echo(bare))) / ROUND_TRIPS
    asked = best_seconds(lambda: _repeat(lambda: _ask(client))) / ROUND_TRIPS
    return [
        Timing("a bare round trip", alone),
        Timing("a question answered", asked, f"{asked / alone:.1f} × a bare round trip"),
    ]


def _prepare(data: Path) -> str:
    """A data folder with a finished job whose result is one array of 64 MB."""
    folders = Folders(data)
    folders.create()
    blobs, store = BlobStore(folders.blobs), JobStore(folders.database)
    job = store.add(JobSpec(recipe="x"), "t").id

    def put(array: Array) -> ArrayRef:
        return array_ref(array, blob=blobs.put(as_bytes(array)))

    store.finish(job, encode_asset(_picture(), put))
    store.close()
    return job


def _picture() -> Asset:
    pixels = np.random.default_rng(0).integers(0, 256, SIZE, np.uint8).reshape(-1, 4096, 4)
    return Asset(name="large", images={"image": Image(pixels)})


@contextmanager
def _server(data: Path) -> Iterator[Client]:
    with _process(_serve, data):
        while not (data / "address").exists() or not (data / "address").read_text():
            time.sleep(0.01)
        client = Client(Dealer((data / "address").read_text()), time.monotonic)
        client.run_until(lambda: client.state == "online")
        yield client
        client.close()


def _serve(data: Path) -> None:
    from backend.service.server import Server

    Server("tcp://127.0.0.1:0", data, hire=_Nobody).serve()


class _Nobody:
    """A worker that is never ready: only the wire is timed."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._end, self._other = os.pipe()

    def send(self, message: FromServer) -> None: ...

    def receive(self) -> list[FromWorker]:
        return []

    def fileno(self) -> int:
        return self._end

    def exit_code(self) -> None:
        return None

    def kill(self) -> None: ...


@contextmanager
def _process(target: Callable[[Path], None], argument: Path) -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(
        target=target, args=(argument,), daemon=True
    )
    process.start()
    yield
    process.kill()
    process.join()


@contextmanager
def _bare_server() -> Iterator["zmq.Socket[bytes]"]:
    with tempfile.TemporaryDirectory() as folder, _process(_serve_bare, Path(folder)):
        while not (Path(folder) / "address").exists():
            time.sleep(0.01)
        context = zmq.Context()
        socket = context.socket(zmq.DEALER)
        socket.connect((Path(folder) / "address").read_text())
        _echo(socket)
        yield socket
        context.destroy(linger=0)


def _serve_bare(folder: Path) -> None:
    """Answer an empty question with a chunk, any other with itself."""
    socket = zmq.Context().socket(zmq.ROUTER)
    socket.bind("tcp://127.0.0.1:0")
    (folder / "part").write_text(socket.getsockopt_string(zmq.LAST_ENDPOINT))
    (folder / "part").rename(folder / "address")
    chunk = os.urandom(CHUNK_BYTES)
    while True:
        client, question = socket.recv_multipart()
        socket.send_multipart([client, question or chunk], copy=False)


def _pull(socket: "zmq.Socket[bytes]") -> None:
    """All chunks through bare sockets, eight questions ahead as the protocol does."""
    for asked in range(CHUNKS + 8):
        if asked < CHUNKS:
            socket.send(b"")
        if asked >= 8:
            socket.recv(copy=False)


def _echo(socket: "zmq.Socket[bytes]") -> None:
    socket.send(b"x" * 40)
    socket.recv()


def _repeat(action: Callable[[], object]) -> None:
    for _ in range(ROUND_TRIPS):
        action()


def _wait(client: Client, ended: list[object]) -> object:
    client.run_until(lambda: bool(ended))
    return ended[0]


def _ask(client: Client) -> None:
    ended: list[object] = []
    client.list_jobs(ended.append, ended.append, client="nobody")
    _wait(client, ended)


def _fetch(client: Client, job: str) -> None:
    ended: list[object] = []
    client.fetch_result(job, ended.append, ended.append)
    assert isinstance(_wait(client, ended), Asset)


def _upload(client: Client, asset: Asset, mark: int) -> None:
    """Send the input of an order that is then refused, for want of such a recipe.

    ``mark`` makes the bytes, and so their hash, new.
    """
    asset.images["image"].pixels[0, 0].view(np.int32)[0] = mark
    ended: list[object] = []
    client.submit(JobSpec(recipe="x"), {"image": asset}, ended.append, ended.append)
    assert isinstance(_wait(client, ended), msgspec.Struct)
