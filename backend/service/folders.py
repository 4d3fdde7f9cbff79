"""Where a server's data lies."""

from pathlib import Path

from protocol.blobs import disk_error


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
