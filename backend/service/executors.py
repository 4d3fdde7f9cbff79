"""Where jobs are computed: one worker a device, behind an interface of five calls.

Only local processes exist so far; another executor (a cluster's) gives workers that do the same.
"""

import multiprocessing
import platform
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec
import torch

from backend.service.orders import FromServer, FromWorker
from backend.service.run import processor_name
from backend.service.worker import serve_orders
from protocol.messages import DeviceInfo

_reports: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


class Worker(Protocol):
    """A process somewhere that runs one job at a time."""

    device: str

    def send(self, message: FromServer) -> None:
        """Tell the worker; nothing happens where it has died."""

    def receive(self) -> list[FromWorker]:
        """What the worker has said since; never waits."""

    def fileno(self) -> int:
        """What to poll for when the worker may have said something or died."""

    def exit_code(self) -> int | None:
        """None while it lives; negative: the signal that killed it."""

    def kill(self) -> None:
        """End it at once; its job is left as of its last checkpoint."""


Hire = Callable[[str], Worker]


class LocalWorker:
    """A worker process on this machine, started anew (nothing is inherited but the pipe)."""

    def __init__(self, device: str, data: Path) -> None:
        self.device = device
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=serve_orders, args=(theirs, data, device), name=f"worker {device}", daemon=True
        )
        self._process.start()
        theirs.close()

    def send(self, message: FromServer) -> None:
        with suppress(OSError):  # it died; receive and exit_code tell
            self._pipe.send_bytes(msgspec.msgpack.encode(message))

    def receive(self) -> list[FromWorker]:
        said: list[FromWorker] = []
        try:
            while self._pipe.poll():
                said.append(_reports.decode(self._pipe.recv_bytes()))
        except (EOFError, OSError):
            pass  # it died; exit_code tells
        return said

    def fileno(self) -> int:
        return self._pipe.fileno()

    def exit_code(self) -> int | None:
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def devices() -> tuple[DeviceInfo, ...]:
    """The devices of this machine that get a worker: its GPUs, or else its CPU."""
    count = torch.cuda.device_count()
    if count == 0:
        return (DeviceInfo(id="cpu", name=processor_name(), memory_bytes=memory_bytes()),)
    properties = [torch.cuda.get_device_properties(index) for index in range(count)]
    return tuple(
        DeviceInfo(id=f"cuda:{index}", name=found.name, memory_bytes=found.total_memory)
        for index, found in enumerate(properties)
    )


def memory_bytes() -> int:
    """The machine's memory; 0 where the system does not tell."""
    info = Path("/proc/meminfo")
    if platform.system() == "Linux" and info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) * 1024
    return 0
