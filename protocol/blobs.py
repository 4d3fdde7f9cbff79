"""Content-addressed bytes on disk: whole blobs under their SHA-256, parts beside them.

A blob appears under its name only when all its bytes are there and their hash is right, so a crash
leaves either a whole blob or a part that an upload goes on with.
"""

import errno
import hashlib
import mmap
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import DistilleryError, ProtocolError
from .messages import CHUNK_BYTES

BLOB_BYTES = 4 * 1024**3
PART_SUFFIX = ".part"


def digest(data: bytes | memoryview) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class BlobStore:
    """Blobs below a folder, two hexadecimal digits a subfolder. Names are trusted to be digests
    (:data:`protocol.messages.Digest` is checked when a message is decoded)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hashes: dict[str, Any] = {}

    def path(self, blob: str) -> Path:
        """Where the whole blob lies, or will lie."""
        return self.folder / blob[:2] / blob

    def has(self, blob: str) -> bool:
        """Whether the whole blob is there."""
        return self.path(blob).exists()

    def touch(self, blob: str) -> bool:
        """Whether the whole blob is there; if so it counts as new (see :meth:`names`)."""
        with suppress(OSError):
            os.utime(self.path(blob))
        return self.has(blob)

    def size(self, blob: str) -> int:
        """Bytes of a whole blob; DistilleryError where it is not there."""
        try:
            return self.path(blob).stat().st_size
        except FileNotFoundError as error:
            raise _missing(blob) from error

    def put(self, data: bytes | memoryview) -> str:
        """Keep bytes and give their hash; nothing is written where they are kept already."""
        blob = digest(data)
        if not self.touch(blob):
            own_part = self._part(blob).with_suffix(f".{os.getpid()}{PART_SUFFIX}")
            _write(own_part, data, offset=0)
            own_part.replace(self.path(blob))
        return blob

    def received(self, blob: str) -> int:
        """How many bytes of the blob have arrived, whole or in part."""
        for path in (self.path(blob), self._part(blob)):
            if path.exists():
                return path.stat().st_size
        return 0

    def write_chunk(self, blob: str, size: int, offset: int, data: bytes | memoryview) -> int:
        """Append a chunk if it is the next one and give how many bytes have arrived.

        Chunks before or after the next one change nothing, so they may be sent twice. The last
        one verifies the hash: where it is wrong the part is dropped and ProtocolError raised.
        """
        self.check_size(size)
        received = self.received(blob)
        if self.has(blob) or offset != received:
            return received
        end = offset + memoryview(data).nbytes
        if end > size or (end < size and memoryview(data).nbytes != CHUNK_BYTES):
            raise ProtocolError("chunk_invalid", f"A chunk at {offset} has the wrong length.")
        running = self._running_hash(blob, offset)
        _write(self._part(blob), data, offset)
        running.update(data)
        if end == size:
            self._finish(blob)
        return end

    def read(self, blob: str) -> memoryview:
        """All bytes of a blob, mapped rather than read; DistilleryError where it is missing."""
        if self.size(blob) == 0:
            return memoryview(b"")
        with open(self.path(blob), "rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def read_chunk(self, blob: str, offset: int) -> bytes:
        """At most ``CHUNK_BYTES`` bytes from ``offset`` on; DistilleryError where it is missing."""
        try:
            with open(self.path(blob), "rb") as file:
                file.seek(offset)
                return file.read(CHUNK_BYTES)
        except FileNotFoundError as error:
            raise _missing(blob) from error

    def delete(self, blob: str) -> None:
        """Forget a blob, whole or in part."""
        self._hashes.pop(blob, None)
        for path in self.folder.glob(f"{blob[:2]}/{blob}*"):
            path.unlink(missing_ok=True)

    def names(self, older_than_seconds: float = 0.0) -> Iterator[str]:
        """The blobs (whole or in part) that were last written before then."""
        limit = time.time() - older_than_seconds
        for path in self.folder.glob("??/*"):
            if path.stat().st_mtime <= limit:
                yield path.name.split(".")[0]

    def check_size(self, size: int) -> None:
        """Raise ProtocolError where a blob of that size is refused."""
        if size > BLOB_BYTES:
            raise ProtocolError(
                "blob_too_large",
                f"{size} bytes are too many for one array; the limit is {BLOB_BYTES}.",
                "Simplify the mesh or make the image smaller.",
            )

    def _part(self, blob: str) -> Path:
        return self.path(blob).with_suffix(PART_SUFFIX)

    def _running_hash(self, blob: str, offset: int) -> Any:
        """The hash of the part so far, kept between chunks so that no chunk waits for all."""
        if offset == 0:
            self._hashes[blob] = hashlib.sha256()
        elif blob not in self._hashes:
            with open(self._part(blob), "rb") as file:
                self._hashes[blob] = hashlib.file_digest(file, "sha256")
        return self._hashes[blob]

    def _finish(self, blob: str) -> None:
        part = self._part(blob)
        if self._hashes.pop(blob).hexdigest() != blob:
            part.unlink()
            raise ProtocolError(
                "blob_corrupt", "Bytes were damaged on their way.", "Send them again."
            )
        part.replace(self.path(blob))


def disk_error(error: OSError, folder: Path) -> DistilleryError:
    """What to say when a folder takes no more bytes."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DistilleryError(
            "disk_full",
            f"The disk that holds {folder} is full.",
            "Free some space, or delete old jobs, and try again; finished results are kept.",
        )
    return DistilleryError(
        "folder_not_writable",
        f"{folder} cannot be written: {error.strerror or error}.",
        "Choose another folder with --data, or change the folder's permissions.",
    )


def _write(path: Path, data: bytes | memoryview, offset: int) -> None:
    """Write at ``offset``; on a full disk the file keeps the length that it had before."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "r+b" if offset else "wb") as file:
            try:
                file.seek(offset)
                file.write(data)
                file.flush()
            except OSError:
                with suppress(OSError):
                    file.truncate(offset)
                raise
    except OSError as error:
        raise disk_error(error, path.parent) from error


def _missing(blob: str) -> DistilleryError:
    return DistilleryError(
        "blob_missing", f"The backend does not hold the data {blob[:12]}.", "Send it again."
    )
