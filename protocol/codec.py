"""Assets as plain data: a dict whose arrays are :class:`ArrayRef`, the bytes beside it.

At rest every array is a blob. On the wire small ones ride as frames of the message (:class:`Packer`
decides). Nothing is pickled: the dict holds numbers, text, lists and dicts alone.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from .assets import Asset
from .blobs import digest
from .errors import InputError, ProtocolError
from .frames import FRAMES, HEADER_BYTES, MESSAGE_BYTES, Buffer
from .messages import INLINE_BYTES, ArrayRef, DType

Array = NDArray[Any]
Data = dict[str, Any]

ARRAY_BYTES = 4 * 1024**3
INLINE_TOTAL_BYTES = MESSAGE_BYTES - HEADER_BYTES


def as_bytes(array: Array) -> memoryview:
    """The array's bytes, row-major and little-endian; a view where it already lies so.

    Raises InputError for objects and text.
    """
    _dtype_name(array)
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return plain.reshape(-1).view(np.uint8).data


def encode_asset(asset: Asset, add: Callable[[Array], ArrayRef]) -> Data:
    """The asset as plain data; ``add`` takes each array away and says where it went."""

    def encode(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return msgspec.to_builtins(add(value))
        if isinstance(value, np.generic):
            return value.item()
        raise InputError("asset_invalid", f"An asset cannot hold a {type(value).__name__}.")

    data: Data = msgspec.to_builtins(replace(asset, report={}), enc_hook=encode)
    if asset.report:  # as bytes: a curve of many steps would not fit into a header
        report = msgspec.msgpack.encode(asset.report, enc_hook=encode)
        data["report"] = msgspec.to_builtins(add(np.frombuffer(report, np.uint8)))
    return data


def decode_asset(data: Data, get: Callable[[ArrayRef], Buffer]) -> Asset:
    """The asset that ``data`` describes; ``get`` gives the bytes of each array.

    Arrays are read-only views of those bytes. Raises ProtocolError where anything does not fit.
    """

    def decode(hint: Any, value: Any) -> Any:
        ref = msgspec.convert(value, ArrayRef)
        expected = get_args(get_args(hint)[1])[0]
        if expected is not Any and np.dtype(expected) != np.dtype(ref.dtype):
            raise ValueError(f"an array is {ref.dtype}, not {np.dtype(expected)}")
        return as_array(get(ref), ref)

    try:
        asset = msgspec.convert({**data, "report": {}}, Asset, dec_hook=decode)
        if data.get("report"):
            report = get(msgspec.convert(data["report"], ArrayRef))
            asset.report = msgspec.msgpack.decode(report, type=dict[str, Any])
        return asset
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ProtocolError(
            "asset_malformed",
            f"An asset that arrived cannot be read: {error}.",
            "Update the add-on and the backend to the same release of Distillery.",
        ) from error


def array_bytes(ref: ArrayRef) -> int:
    """How many bytes the array has; raises ProtocolError above 4 GiB."""
    size = math.prod(ref.shape) * np.dtype(ref.dtype).itemsize
    if size > ARRAY_BYTES:
        raise ProtocolError(
            "array_too_large", f"An array of {size} bytes is above the limit of {ARRAY_BYTES}."
        )
    return size


def as_array(buffer: Buffer, ref: ArrayRef) -> Array:
    """The bytes as the array that ``ref`` says they are; a view. ValueError where it cannot be."""
    if memoryview(buffer).nbytes != array_bytes(ref):
        raise ValueError(f"an array {ref.shape} of {ref.dtype} came with too few or many bytes")
    dtype = np.dtype(ref.dtype).newbyteorder("<")
    if 0 in ref.shape:
        return np.empty(ref.shape, dtype)
    return np.frombuffer(buffer, dtype=dtype).reshape(ref.shape)


def array_ref(array: Array, *, frame: int = 0, blob: str | None = None) -> ArrayRef:
    """What an array is, and where its bytes lie; raises InputError for objects and text."""
    return ArrayRef(dtype=_dtype_name(array), shape=array.shape, frame=frame, blob=blob)


def _dtype_name(array: Array) -> DType:
    name = array.dtype.name
    if name not in get_args(DType):
        raise InputError("asset_invalid", f"An asset cannot hold an array of {array.dtype}.")
    return cast(DType, name)


def refs(data: Any) -> Iterator[ArrayRef]:
    """All array references in plain data, in order."""
    if isinstance(data, dict) and data.get("$") == "array":
        yield convert_ref(data)
    elif isinstance(data, (dict, list, tuple)):
        for value in data.values() if isinstance(data, dict) else data:
            yield from refs(value)


def replace_refs(data: Any, change: Callable[[ArrayRef], ArrayRef]) -> Any:
    """The same data with every array reference changed."""
    if isinstance(data, dict):
        if data.get("$") == "array":
            return msgspec.to_builtins(change(convert_ref(data)))
        return {key: replace_refs(value, change) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [replace_refs(value, change) for value in data]
    return data


def convert_ref(data: Data) -> ArrayRef:
    """An array reference out of plain data, or ProtocolError."""
    try:
        return msgspec.convert(data, ArrayRef)
    except msgspec.MsgspecError as error:
        raise ProtocolError("asset_malformed", f"An array reference is wrong: {error}.") from error


class Packer:
    """Gathers the arrays of one message: small ones in ``frames``, the rest in ``blobs``.

    ``digests`` knows the hashes of arrays by ``id`` already, so that they need not be computed.
    """

    def __init__(self, digests: dict[int, str] | None = None) -> None:
        self.frames: list[Buffer] = []
        self.blobs: dict[str, memoryview] = {}
        self._digests = digests or {}
        self._room = INLINE_TOTAL_BYTES

    def add(self, array: Array) -> ArrayRef:
        """Take one array; to be handed to :func:`encode_asset`."""
        if array.size == 0:
            return array_ref(array)
        data = as_bytes(array)
        if self.takes_inline(data.nbytes):
            self._room -= data.nbytes
            self.frames.append(data)
            return array_ref(array, frame=len(self.frames))
        blob = self._digests.get(id(array)) or digest(data)
        self.blobs[blob] = data
        return array_ref(array, blob=blob)

    def inline(self, ref: ArrayRef, get_blob: Callable[[str], Buffer]) -> ArrayRef:
        """The same array, moved from its blob into the message where it is small enough."""
        size = array_bytes(ref)
        if ref.blob is None or not self.takes_inline(size):
            return ref
        self._room -= size
        self.frames.append(get_blob(ref.blob))
        return ArrayRef(dtype=ref.dtype, shape=ref.shape, frame=len(self.frames))

    def takes_inline(self, size: int) -> bool:
        """Whether an array of that many bytes rides in the message itself."""
        return size <= min(INLINE_BYTES, self._room) and len(self.frames) < FRAMES - 1


def frame_getter(
    frames: Sequence[Buffer], get_blob: Callable[[str], Buffer]
) -> Callable[[ArrayRef], Buffer]:
    """How :func:`decode_asset` finds the arrays of a message: in its frames, or as blobs."""

    def get(ref: ArrayRef) -> Buffer:
        if 0 in ref.shape:
            return b""
        if ref.frame:
            if ref.frame > len(frames):
                raise ValueError(f"frame {ref.frame} is missing")
            return frames[ref.frame - 1]
        if ref.blob is None:
            raise ValueError("an array has neither frame nor blob")
        return get_blob(ref.blob)

    return get
