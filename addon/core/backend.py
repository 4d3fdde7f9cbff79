"""A backend on this machine, started and stopped from Blender."""

import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Literal
from urllib.parse import urlsplit

from ...protocol.errors import DistilleryError, Fix, Problem
from ...protocol.record import BackendRecord, read_record

DEFAULT_ADDRESS = "tcp://127.0.0.1:5599"
FREE_PORT = "tcp://127.0.0.1:0"
START_SECONDS = 60.0
STOP_SECONDS = 10.0

BackendState = Literal["stopped", "starting", "running", "failed"]


class LocalBackend:
    """One backend process. ``data``: where its jobs, results, address and log lie.

    ``state`` is as of the last :meth:`poll`; ``problem`` says why it is ``failed``.
    """

    def __init__(self, record: BackendRecord, data: Path) -> None:
        self.record = record
        self.data = data
        self.state: BackendState = "stopped"
        self.problem: Problem | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    @property
    def log(self) -> Path:
        """The file that everything goes to which the backend prints."""
        return self.data / "backend.log"

    @property
    def address(self) -> str:
        """Where it listens, or "" while it does not."""
        return read_address(self.data)

    def start(self) -> None:
        """Start the process on a free port; :meth:`poll` tells when it answers."""
        if self.state in ("starting", "running"):
            return
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            address_file(self.data).unlink(missing_ok=True)
            with self.log.open("wb") as log:
                self._process = self._spawn(log)
        except OSError as error:
            self._fail(f"The backend could not be started: {error}.")
            return
        self.state, self.problem, self._started = "starting", None, time.monotonic()

    def poll(self) -> BackendState:
        """Look after the process without waiting."""
        if self._process is None:
            return self.state
        status = self._process.poll()
        if status is not None:
            self._process = None
            self._fail(f"The backend ended with status {status}: {self._last_words()}")
        elif self.state == "starting":
            self._await_address()
        return self.state

    def stop(self) -> None:
        """End the process, kindly first; what it was doing goes on from its checkpoint later."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.state = "stopped"

    def _spawn(self, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        place = ["--bind", FREE_PORT, "--data", str(self.data)]
        return subprocess.Popen(
            [*self.record.command(), "serve", *place],
            cwd=self.record.root,
            env=stripped_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def _await_address(self) -> None:
        if self.address:
            self.state = "running"
        elif time.monotonic() - self._started > START_SECONDS:
            self.stop()
            self._fail(f"The backend did not answer within {START_SECONDS:.0f} seconds.")

    def _fail(self, message: str) -> None:
        self.state = "failed"
        self.problem = Problem(
            code="backend_start", message=message, hint=f"Its log is {self.log}.",
            fix=Fix(action="open_preferences", label="Open preferences"),
        )

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it said nothing."


def find_record(python: str = "") -> BackendRecord:
    """The installed backend: of this interpreter (in ``ROOT/.venv/bin``), or the recorded one.

    Raises :class:`DistilleryError` where there is none.
    """
    if python:
        path = Path(python)
        roots = [folder for folder in path.parents if (folder / "backend").is_dir()]
        if path.is_file() and roots:
            return BackendRecord(python=python, root=str(roots[0]))
    elif record := read_record():
        return record
    where = f"at {python}" if python else "on this computer"
    raise DistilleryError(
        "backend_absent", f"No Distillery backend was found {where}.",
        "Run `python build.py extension` in Distillery's folder once, or enter the Python of its "
        ".venv, or the address of a backend elsewhere, in the preferences.",
        Fix(action="open_preferences", label="Open preferences"),
    )


def address_file(data: Path) -> Path:
    """The file in which a running backend says where it listens."""
    return data / "address"


def read_address(data: Path) -> str:
    """The address of the backend that works in ``data``, or "" where none listens."""
    try:
        address = address_file(data).read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    return address if _listens(address) else ""


def is_loopback(address: str) -> bool:
    """True where an address does not leave this computer."""
    parts = urlsplit(address)
    return parts.scheme == "ipc" or (parts.hostname or "") in ("127.0.0.1", "localhost", "::1")


def stripped_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what points at Blender's own Python."""
    return {name: value for name, value in environ.items() if not name.startswith("PYTHON")}


def _listens(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme != "tcp":
        return bool(address)
    try:
        with socket.create_connection((parts.hostname, parts.port), timeout=0.2):
            return True
    except (OSError, ValueError):
        return False
