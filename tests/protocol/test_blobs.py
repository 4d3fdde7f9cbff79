"""Blobs on disk: whole or not at all, resumed at the byte where they stopped."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.blobs import BLOB_BYTES, BlobStore, digest
from protocol.errors import DistilleryError, ProtocolError
from protocol.messages import CHUNK_BYTES

DATA = os.urandom(2 * CHUNK_BYTES + 1000)
BLOB = digest(DATA)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path)


def upload(store: BlobStore, data: bytes, blob: str, start: int = 0, stop: int = 99) -> None:
    for number in range(start, min(stop, -(-len(data) // CHUNK_BYTES))):
        offset = number * CHUNK_BYTES
        store.write_chunk(blob, len(data), offset, data[offset : offset + CHUNK_BYTES])


def test_chunks_become_a_blob(store: BlobStore) -> None:
    upload(store, DATA, BLOB, stop=2)
    assert not store.has(BLOB) and store.received(BLOB) == 2 * CHUNK_BYTES
    upload(store, DATA, BLOB, start=2)
    assert store.has(BLOB)
    assert bytes(store.read(BLOB)) == DATA
    assert store.read_chunk(BLOB, 2 * CHUNK_BYTES) == DATA[2 * CHUNK_BYTES :]


def test_a_broken_upload_goes_on_after_a_restart(tmp_path: Path) -> None:
    upload(BlobStore(tmp_path), DATA, BLOB, stop=1)
    again = BlobStore(tmp_path)
    assert again.received(BLOB) == CHUNK_BYTES
    upload(again, DATA, BLOB, start=1)
    assert bytes(again.read(BLOB)) == DATA


def test_chunks_twice_or_out_of_order_change_nothing(store: BlobStore) -> None:
    upload(store, DATA, BLOB, start=1)
    assert store.received(BLOB) == 0
    upload(store, DATA, BLOB, stop=2)
    upload(store, DATA, BLOB, stop=2)
    upload(store, DATA, BLOB)
    assert bytes(store.read(BLOB)) == DATA


@given(place=st.integers(0, len(DATA) - 1), flip=st.integers(1, 255))
@settings(max_examples=10, deadline=None)
def test_a_mutated_blob_fails_its_hash(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    store = BlobStore(tmp_path_factory.mktemp("blobs"))
    damaged = bytearray(DATA)
    damaged[place] ^= flip
    with pytest.raises(ProtocolError) as caught:
        upload(store, bytes(damaged), BLOB)
    assert caught.value.problem.code == "blob_corrupt"
    assert store.received(BLOB) == 0
    upload(store, DATA, BLOB)
    assert store.has(BLOB)


def test_sizes_are_checked_before_anything_is_written(store: BlobStore) -> None:
    with pytest.raises(ProtocolError):
        store.write_chunk(BLOB, BLOB_BYTES + 1, 0, b"x")
    for size, data in ((10, b"x" * 11), (CHUNK_BYTES + 5, b"x" * 5)):
        with pytest.raises(ProtocolError):
            store.write_chunk(BLOB, size, 0, data)
    assert not list(store.names())


def test_put_keeps_bytes_once(store: BlobStore) -> None:
    blob = store.put(DATA)
    assert blob == BLOB
    before = store.path(blob).stat().st_ino
    assert store.put(DATA) == blob
    assert store.path(blob).stat().st_ino == before
    assert not [path for path in store.folder.rglob("*") if path.suffix]


def test_a_full_disk_is_said_and_leaves_what_had_arrived(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(store, DATA, BLOB, stop=1)
    part = next(store.folder.rglob("*.part"))
    kept = part.read_bytes()
    part.unlink()
    part.symlink_to("/dev/full")
    monkeypatch.setattr(store, "received", lambda blob: CHUNK_BYTES)
    with pytest.raises(DistilleryError) as caught:
        upload(store, DATA, BLOB, start=1, stop=2)
    assert caught.value.problem.code == "disk_full"
    assert "space" in caught.value.problem.hint
    assert kept == DATA[:CHUNK_BYTES]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DistilleryError) as caught:
        BlobStore(tmp_path / "file").put(b"x")
    assert caught.value.problem.code == "folder_not_writable"


def test_a_missing_blob_is_said(store: BlobStore) -> None:
    for call in (store.read, store.size, lambda blob: store.read_chunk(blob, 0)):
        with pytest.raises(DistilleryError) as caught:
            call(BLOB)
        assert caught.value.problem.code == "blob_missing"


def test_names_by_age_and_touch(store: BlobStore) -> None:
    blob = store.put(b"old")
    hour_ago = time.time() - 3600
    os.utime(store.path(blob), (hour_ago, hour_ago))
    assert list(store.names(older_than_seconds=600)) == [blob]
    assert store.touch(blob)
    assert not list(store.names(older_than_seconds=600))
    store.delete(blob)
    assert not store.touch(blob)


def test_an_empty_blob(store: BlobStore) -> None:
    assert bytes(store.read(store.put(b""))) == b""
