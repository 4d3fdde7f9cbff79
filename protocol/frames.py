"""A message and its arrays as ZeroMQ frames, and back: strict, bounded and without copies.

Frame 0 is a five-byte mark (name and version of the protocol) and the MessagePack header; frame n
is array n's raw bytes. Everything is checked against the limits before anything is allocated for
it; bytes that are not a message of this version raise :class:`ProtocolError` and nothing else.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from .errors import ProtocolError
from .messages import CHUNK_BYTES, VERSION, Chunk, Message, PutChunk

NAME = b"DSTL"
MARK = NAME + bytes([VERSION])
HEADER_BYTES = 1024 * 1024
FRAME_BYTES = CHUNK_BYTES
FRAMES = 256
MESSAGE_BYTES = 8 * 1024 * 1024

Buffer = bytes | memoryview

_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)
_encoder = msgspec.msgpack.Encoder()


class Packet(NamedTuple):
    """A message and the raw bytes that came with it: ``arrays[n - 1]`` is frame n."""

    message: Message
    arrays: list[memoryview]


def encode(message: Message, arrays: Sequence[Buffer] = ()) -> list[Buffer]:
    """The frames of a message; arrays are passed on as they are.

    Raises ProtocolError where the message is larger than the other side would take.
    """
    frames: list[Buffer] = [MARK + _encoder.encode(message), *arrays]
    _check_sizes(frames)
    return frames


def decode(frames: Sequence[Buffer]) -> Packet:
    """The message that the frames carry, its arrays as views of them; or ProtocolError."""
    _check_sizes(frames)
    header = memoryview(frames[0])
    _check_mark(bytes(header[: len(MARK)]))
    try:
        message = _decoder.decode(header[len(MARK) :])
    except (msgspec.MsgspecError, RecursionError, ValueError, OverflowError) as error:
        raise _malformed(f"its header cannot be read ({error})") from error
    if isinstance(message, (PutChunk, Chunk)) and len(frames) != 2:
        raise _malformed("a chunk must carry exactly one frame of bytes")
    return Packet(message, [memoryview(frame) for frame in frames[1:]])


def _check_sizes(frames: Sequence[Buffer]) -> None:
    if not 0 < len(frames) <= FRAMES:
        raise _malformed(f"it has {len(frames)} frames; 1 to {FRAMES} are allowed")
    sizes = [memoryview(frame).nbytes for frame in frames]
    if sizes[0] > HEADER_BYTES:
        raise _malformed(f"its header has {sizes[0]} bytes; at most {HEADER_BYTES} are allowed")
    if max(sizes) > FRAME_BYTES:
        raise _malformed(f"it has a frame of {max(sizes)} bytes; the limit is {FRAME_BYTES}")
    if sum(sizes) > MESSAGE_BYTES:
        raise _malformed(f"it has {sum(sizes)} bytes; at most {MESSAGE_BYTES} are allowed")


def _check_mark(mark: bytes) -> None:
    if not mark.startswith(NAME) or len(mark) != len(MARK):
        raise ProtocolError(
            "not_distillery",
            "The other side does not speak Distillery's protocol.",
            "Check the address: another program may listen there.",
        )
    if mark != MARK:
        raise ProtocolError(
            "wrong_version",
            f"The other side speaks version {mark[-1]} of the protocol, this one {VERSION}.",
            "Install the add-on and the backend from the same release of Distillery.",
        )


def _malformed(complaint: str) -> ProtocolError:
    return ProtocolError(
        "message_malformed",
        f"A message was refused: {complaint}.",
        "Update the add-on and the backend to the same release of Distillery.",
    )
