"""A worker process: runs one job after another on its device and reports to the server.

It reads orders from a pipe between steps. It ends by itself when the server's process does, so
that no orphan keeps computing.
"""

import logging
import os
import signal
import threading
import traceback
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, get_args

import msgspec

from backend.priors.base import Capability
from backend.priors.library import find_prior
from backend.service.failures import explain
from backend.service.folders import Folders
from backend.service.orders import (
    Done,
    Failed,
    FromServer,
    FromWorker,
    Order,
    Ready,
    Step,
    Stop,
    Stopped,
)
from backend.service.run import Run
from protocol.assets import Asset
from protocol.blobs import BlobStore
from protocol.codec import Array, array_ref, as_bytes, decode_asset, encode_asset, frame_getter
from protocol.errors import DistilleryError, InputError
from protocol.messages import ArrayRef

Data = dict[str, Any]

log = logging.getLogger("distillery.worker")


_orders: msgspec.msgpack.Decoder[FromServer] = msgspec.msgpack.Decoder(FromServer)


def serve_orders(pipe: Connection, data: Path, device: str) -> None:
    """The worker's main function: take orders until the server is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    worker = Worker(pipe, Folders(data), device)
    try:
        ready = Ready(capabilities=find_capabilities(device))
        worker.send(ready)
        while True:
            order = _orders.decode(pipe.recv_bytes())
            if isinstance(order, Order):
                worker.run(order)
                worker.send(ready)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the server is gone


class Worker:
    """Runs orders; everything that goes wrong with a job is reported, not raised."""

    def __init__(self, pipe: Connection, folders: Folders, device: str) -> None:
        self._pipe = pipe
        self._folders = folders
        self._device = device
        self._blobs = BlobStore(folders.blobs)

    def send(self, message: FromWorker) -> None:
        """Tell the server."""
        self._pipe.send_bytes(msgspec.msgpack.encode(message))

    def run(self, order: Order) -> None:
        """Run one job to its end, however it ends, and report that."""
        try:
            self.send(self._attempt(order))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except DistilleryError as error:
            self.send(Failed(job=order.job, problem=error.problem))
        except Exception as error:
            traceback.print_exc()
            self.send(Failed(job=order.job, problem=explain(error, order.spec)))

    def _attempt(self, order: Order) -> FromWorker:
        run = Run(
            order.spec, self._load(order.spec.inputs), self._folders.job(order.job),
            self._folders.cache, self._device,
        )
        reports = run.reports()
        while True:
            stop = self._stop_asked(order.job)
            if stop is not None:
                if stop.how == "pause":
                    run.save()
                return Stopped(job=order.job, how=stop.how)
            try:
                report = next(reports)
            except StopIteration as end:
                return Done(job=order.job, asset=self._keep(end.value))
            preview = None if report.preview is None else self._keep(report.preview)
            self.send(Step(job=order.job, progress=report.progress, preview=preview))

    def _stop_asked(self, job: str) -> Stop | None:
        while self._pipe.poll():
            message = _orders.decode(self._pipe.recv_bytes())
            if isinstance(message, Stop) and message.job == job:
                return message
        return None

    def _load(self, inputs: dict[str, Data]) -> dict[str, Asset]:
        get = frame_getter([], self._blobs.read)
        return {name: decode_asset(data, get) for name, data in inputs.items()}

    def _keep(self, asset: Asset) -> Data:
        def put(array: Array) -> ArrayRef:
            blob = self._blobs.put(as_bytes(array)) if array.size else None
            return array_ref(array, blob=blob)

        return encode_asset(asset, put)


def find_capabilities(device: str) -> dict[str, str]:
    """Load the priors that are configured; capability to the name of the prior that has it."""
    found: dict[str, str] = {}
    complaints = set()
    for capability in get_args(Capability):
        try:
            found[capability] = find_prior(capability, device).spec.name
        except InputError as error:
            if error.problem.code != "capability_missing":
                complaints.add(str(error))
        except Exception as error:  # whatever an adapter's libraries raise
            complaints.add(str(error))
    for complaint in complaints:
        log.warning("A prior cannot be loaded: %s", complaint)
    return found


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
