"""Any asset round-trips through frames and blobs; what does not fit is refused."""

import copy
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given

from protocol.assets import Asset, Attribute, Image, Mesh
from protocol.blobs import digest
from protocol.codec import (
    ARRAY_BYTES,
    Packer,
    as_bytes,
    decode_asset,
    encode_asset,
    frame_getter,
    refs,
    replace_refs,
)
from protocol.errors import InputError, ProtocolError
from protocol.messages import INLINE_BYTES, ArrayRef
from tests.protocol.strategies import ASSETS


def through_the_wire(asset: Asset) -> Asset:
    packer = Packer()
    data = msgspec.msgpack.decode(msgspec.msgpack.encode(encode_asset(asset, packer.add)))
    return decode_asset(data, frame_getter(packer.frames, packer.blobs.__getitem__))


def same(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and (
            left.tobytes() == right.tobytes()
        )
    if is_dataclass(left):
        return all(same(getattr(left, f.name), getattr(right, f.name)) for f in fields(left))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


@given(ASSETS)
def test_any_asset_round_trips(asset: Asset) -> None:
    assert same(through_the_wire(asset), asset)


def textured_mesh() -> Asset:
    positions = np.arange(30_000, dtype=np.float32).reshape(-1, 3)
    faces = np.arange(9, dtype=np.int32).reshape(-1, 3)
    return Asset(name="m", mesh=Mesh(positions, faces))


def test_small_arrays_ride_along_and_large_ones_are_blobs() -> None:
    packer = Packer()
    mesh = encode_asset(textured_mesh(), packer.add)["mesh"]
    assert mesh["faces"]["frame"] == 1
    assert list(packer.blobs) == [mesh["positions"]["blob"]]
    assert packer.blobs[mesh["positions"]["blob"]].nbytes > INLINE_BYTES


def test_a_long_report_is_no_part_of_the_header() -> None:
    report = {"curve": [{"step": step, "loss": step / 7} for step in range(50_000)]}
    packer = Packer()
    data = encode_asset(Asset(name="r", report=report), packer.add)
    assert len(msgspec.msgpack.encode(data)) < 1000
    found = decode_asset(data, frame_getter(packer.frames, packer.blobs.__getitem__))
    assert found.report == report


def test_a_message_never_overflows_with_small_arrays() -> None:
    images = {str(n): Image(np.full((100, 100, 4), n % 250, np.uint8)) for n in range(400)}
    packer = Packer()
    encode_asset(Asset(name="many", images=images), packer.add)
    assert len(packer.frames) < 256 and packer.blobs
    assert sum(memoryview(frame).nbytes for frame in packer.frames) <= 7 * 1024 * 1024


def test_rows_in_any_order_and_bytes_in_any_order_arrive_alike() -> None:
    values = np.asfortranarray(np.arange(12, dtype=">f4").reshape(3, 4))
    mesh = Mesh(np.zeros((3, 3), np.float32), np.zeros((1, 3), np.int32))
    mesh.attributes["odd"] = Attribute("point", values)
    found = through_the_wire(Asset(name="odd", mesh=mesh))
    assert found.mesh is not None
    assert (found.mesh.attributes["odd"].values == values).all()


def test_inlining_takes_a_small_array_out_of_its_blob() -> None:
    small, large = bytes(range(12)), bytes(INLINE_BYTES + 1)
    packer = Packer()
    blobs = {digest(small): small, digest(large): large}
    data = {name: msgspec.to_builtins(ArrayRef(dtype="uint8", shape=(len(raw),), blob=digest(raw)))
            for name, raw in (("small", small), ("large", large))}
    moved = replace_refs(data, lambda ref: packer.inline(ref, blobs.__getitem__))
    assert moved["small"]["frame"] == 1 and packer.frames == [small]
    assert moved["large"] == data["large"]


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "float64"}, {"dtype": "object"}, {"shape": [10_000, 4]}, {"shape": [-1, 3]},
        {"blob": None}, {"frame": 9}, {"shape": [ARRAY_BYTES, 3]}, {"shape": "3"},
    ],
)
def test_an_array_that_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    packer = Packer()
    data = copy.deepcopy(encode_asset(textured_mesh(), packer.add))
    data["mesh"]["positions"].update(change)
    with pytest.raises(ProtocolError):
        list(refs(data))
        decode_asset(data, frame_getter(packer.frames, packer.blobs.__getitem__))


@pytest.mark.parametrize(
    "data", [{}, {"name": 3}, {"name": "x", "mesh": []}, {"name": "x", "views": 1}]
)
def test_data_that_is_no_asset_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        decode_asset(data, lambda ref: b"")


def test_only_plain_arrays_can_be_sent() -> None:
    asset = Asset(name="x", images={"x": Image(np.array([object()]))})
    with pytest.raises(InputError):
        encode_asset(asset, Packer().add)


def test_a_contiguous_array_is_not_copied() -> None:
    array = np.zeros(10, np.float32)
    view = as_bytes(array)
    array[0] = 1.0
    assert view[3] == 0x3F
