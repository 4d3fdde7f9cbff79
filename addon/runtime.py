"""What is running now: the session with the backend, and the backend that Blender started.

Nothing here is saved in a .blend file; everything ends with the add-on.
"""

import time
import uuid
from functools import cache
from pathlib import Path

import bpy

from ..protocol import folders
from ..protocol.assets import Asset
from ..protocol.client import Client
from ..protocol.errors import DistilleryError, Fix, Problem
from .core import backend
from .core.jobs import Job, Placement, Target
from .core.session import Session
from .package import ROOT_PACKAGE, preferences


class Runtime:
    """``results`` keeps the newest result, and ``targets`` the object that it is for, so that
    placing it can be undone and adjusted; ``placements`` says where results go that are still to
    come, ``placed`` the session's number of the object that a job's result is in."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.backend: backend.LocalBackend | None = None
        self.results: dict[str, Asset] = {}
        self.targets: dict[str, Target] = {}
        self.placements: dict[str, Placement] = {}
        self.placed: dict[str, int] = {}
        self.problem: Problem | None = None
        self.address = ""

    def connect(self, address: str = "") -> Session:
        """Open a session with ``address``, or with the one that the preferences mean.

        Raises :class:`DistilleryError` where Blender may not go online.
        """
        self.disconnect()
        self.address = address or self._chosen_address()
        if not backend.is_loopback(self.address) and not bpy.app.online_access:
            raise _offline_problem(self.address)
        # Imported here: libzmq starts its own thread, not before it is used.
        from ..protocol.transport import Dealer

        client = Client(Dealer(self.address), time.monotonic, client_id())
        self.session = Session(client, client_id(), self.placements)
        self.problem = None
        return self.session

    def disconnect(self) -> None:
        """Close the session; jobs run on in the backend."""
        if self.session is not None:
            self.session.close()
        self.session = None
        self.results.clear()

    def start_backend(self) -> None:
        """Start a backend on this computer, unless one works in the data folder already.

        Raises :class:`DistilleryError` where none is installed.
        """
        if address := backend.read_address(data_folder()):
            self.connect(address)
        elif self.backend is None or self.backend.state in ("failed", "stopped"):
            record = backend.find_record(preferences().backend_python)
            self.backend = backend.LocalBackend(record, data_folder())
            self.backend.start()

    def stop_backend(self) -> None:
        """Stop the backend that Blender started, if it did."""
        if self.backend is not None:
            self.backend.stop()
        self.backend = None

    def close(self) -> None:
        """End everything; called when the add-on goes or Blender quits."""
        self.disconnect()
        self.stop_backend()

    def keep_result(self, job: Job, asset: Asset) -> None:
        """Keep this result and no other, with the object that it is for."""
        target = Target.of(job.spec)
        self.results = {job.id: asset}
        self.targets = {job.id: target} if target is not None else {}

    def _chosen_address(self) -> str:
        chosen = str(preferences().address)
        return chosen or backend.read_address(data_folder()) or backend.DEFAULT_ADDRESS


def data_folder() -> Path:
    """Where a backend started from this Blender keeps its data."""
    return Path(preferences().data_folder or folders.data_folder())


@cache
def client_id() -> str:
    """A name for this user's Blender that survives restarts, by which jobs are found again.

    Where the user's folder cannot be written, it holds until Blender ends.
    """
    fresh = uuid.uuid4().hex
    try:
        file = Path(bpy.utils.extension_path_user(ROOT_PACKAGE, create=True)) / "client"
        if not file.is_file():
            file.write_text(fresh, encoding="utf-8")
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return fresh


def _offline_problem(address: str) -> DistilleryError:
    return DistilleryError(
        "online_access", f"Blender is set to stay offline, and {address} is another computer.",
        "Allow online access in Preferences > System > Network.",
        Fix(action="open_preferences", label="Open preferences"),
    )


runtime = Runtime()
