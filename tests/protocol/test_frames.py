"""Any message round-trips; any damage gives a message or ProtocolError, never more memory."""

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import ProtocolError
from protocol.frames import (
    FRAME_BYTES,
    FRAMES,
    HEADER_BYTES,
    MARK,
    MESSAGE_BYTES,
    NAME,
    decode,
    encode,
)
from protocol.messages import GetChunk, Hello, JobSpec, PutChunk, Submit
from tests.protocol.strategies import packets

BLOB = "0" * 64


@given(packets())
def test_any_message_round_trips(packet: tuple[Any, list[bytes]]) -> None:
    message, arrays = packet
    frames = [bytes(frame) for frame in encode(message, arrays)]
    found = decode(frames)
    assert found.message == message
    assert [bytes(array) for array in found.arrays] == arrays


@given(packets(), st.data())
@settings(max_examples=300)
def test_a_mutated_header_gives_a_message_or_a_protocol_error(
    packet: tuple[Any, list[bytes]], data: st.DataObject
) -> None:
    message, arrays = packet
    header = bytearray(encode(message, arrays)[0])
    for _ in range(data.draw(st.integers(1, 4))):
        mutate(header, data)
    decode_bounded([bytes(header), *arrays])


@given(st.binary(max_size=400))
@settings(max_examples=300)
def test_any_bytes_after_the_mark_are_survived(body: bytes) -> None:
    decode_bounded([MARK + body])


@pytest.mark.parametrize(
    "opening", [b"\x91", b"\x81\xa1a", b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"]
)
def test_deep_or_boastful_headers_are_refused(opening: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode([MARK + opening * 50_000])


def mutate(header: bytearray, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, max(len(header) - 1, 0)))
    kind = data.draw(st.sampled_from(["set", "cut", "insert", "drop"]))
    if kind == "cut":
        del header[place:]
    elif kind == "insert":
        header[place:place] = data.draw(st.binary(min_size=1, max_size=5))
    elif kind == "drop":
        del header[place : place + 1]
    elif header:
        header[place] = data.draw(st.integers(0, 255))


def decode_bounded(frames: list[bytes]) -> None:
    """Decode, or be refused; memory stays in proportion to what came in."""
    tracemalloc.start()
    try:
        decode(frames)
    except ProtocolError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 200 * sum(map(len, frames)) + 50_000


def test_arrays_are_not_copied() -> None:
    array = memoryview(bytearray(1000))
    frames = encode(PutChunk(request=1, blob=BLOB, size=1000, offset=0), [array])
    assert frames[1] is array
    received = decode(frames).arrays[0]
    array[3] = 7
    assert received[3] == 7


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [b""],
        [MARK + b"\x80"] * (FRAMES + 1),
        [MARK + bytes(HEADER_BYTES)],
        [MARK + b"\x80", bytes(FRAME_BYTES + 1)],
        [MARK + b"\x80", *[bytes(FRAME_BYTES)] * (MESSAGE_BYTES // FRAME_BYTES)],
    ],
)
def test_sizes_above_the_limits_are_refused_before_decoding(frames: list[bytes]) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(frames)
    assert caught.value.problem.code in ("message_malformed", "not_distillery")


def test_what_the_other_side_would_refuse_is_not_sent() -> None:
    spec = JobSpec(recipe="x", prompt="x" * HEADER_BYTES)
    with pytest.raises(ProtocolError):
        encode(Submit(request=1, spec=spec, token="t"))


@pytest.mark.parametrize(
    ("mark", "code"),
    [(NAME + b"\xff", "wrong_version"), (b"HTTP/", "not_distillery"), (b"D", "not_distillery")],
)
def test_strangers_and_other_versions_are_told_apart(mark: bytes, code: str) -> None:
    body = bytes(encode(Hello(request=1, client="c"))[0])[len(MARK) :]
    with pytest.raises(ProtocolError) as caught:
        decode([mark + body])
    assert caught.value.problem.code == code
    assert caught.value.problem.hint


def test_a_blob_is_named_by_a_digest_and_nothing_else() -> None:
    good = bytes(encode(GetChunk(request=1, blob=BLOB, offset=0))[0])
    decode([good])
    for wrong in (b"../" + b"0" * 61, b"0" * 63 + b"\n", b"G" * 64):
        with pytest.raises(ProtocolError):
            decode([good.replace(BLOB.encode(), wrong)])


def test_a_chunk_carries_one_frame() -> None:
    with pytest.raises(ProtocolError):
        decode(encode(PutChunk(request=1, blob=BLOB, size=1, offset=0), []))
