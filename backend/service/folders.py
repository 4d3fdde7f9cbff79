"""Where a server's data lies."""

import sqlite3
import time
from pathlib import Path

from protocol.blobs import disk_error
from protocol.errors import DistilleryError

CACHE_BYTES = 4 * 1024**3
STALE_SECONDS = 3600.0


class Folders:
    """The data folder: ``jobs.sqlite``, blobs, checkpoints by job, finished stages, the address."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.blobs = data / "blobs"
        self.cache = data / "cache"
        self.jobs = data / "jobs"
        self.database = data / "jobs.sqlite"
        self.address = data / "address"

    def job(self, job: str) -> Path:
        """The checkpoints of one job."""
        return self.jobs / job

    def lock(self) -> sqlite3.Connection:
        """Take the folder for this process until the connection is closed or the process ends.

        Raises DistilleryError where another server has it. (SQLite's lock is one that every
        system has and that no crash leaves behind.)
        """
        connection = sqlite3.connect(self.data / "lock", isolation_level=None, timeout=0.5)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            connection.close()
            raise DistilleryError(
                "data_in_use",
                f"Another backend works in {self.data}.",
                "Use that one, stop it, or choose another folder with --data.",
            ) from error
        return connection

    def write_address(self, address: str) -> None:
        """Tell whoever started the server where it listens; a reader never sees half of it."""
        partial = self.data / "address.partial"
        partial.write_text(address)
        partial.replace(self.address)

    def trim_cache(self, limit_bytes: int = CACHE_BYTES) -> None:
        """Delete the oldest finished stages until the rest fits the limit."""
        stages = [(path.stat(), path) for path in self.cache.glob("*.pt")]
        for status, path in sorted(stages, key=lambda stage: -stage[0].st_mtime):
            limit_bytes -= status.st_size
            if limit_bytes < 0:
                path.unlink(missing_ok=True)
        for path in self.cache.glob("*.partial"):  # left behind by workers that were killed
            if path.stat().st_mtime < time.time() - STALE_SECONDS:
                path.unlink(missing_ok=True)

    def create(self) -> None:
        """Make the folders; DistilleryError where that is not possible."""
        try:
            for folder in (self.blobs, self.cache, self.jobs):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.data / ".probe"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise disk_error(error, self.data) from error
