"""Any message, any asset: strategies drawn from the types themselves."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from protocol.assets import (
    Asset,
    Attribute,
    Handles,
    Image,
    Material,
    Mesh,
    Motion,
    Provenance,
    Region,
    View,
)
from protocol.messages import Chunk, Digest, Message, PutChunk, Shape

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
TEXT = st.text(max_size=20)
FLOATS = st.floats(allow_nan=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ATOMS = {int: st.integers(0, 2**53), float: FLOATS, str: TEXT, bool: st.booleans(), Any: PLAIN}


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type annotation, as the messages use them."""
    if kind == Digest:
        return DIGESTS
    if kind == Shape:
        return st.lists(st.integers(0, 2**40), max_size=8).map(tuple)
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return of_type(args[0])
    if origin is Literal:
        return st.sampled_from(args)
    if origin in (Union, types.UnionType):
        return st.one_of([st.none() if arg is type(None) else of_type(arg) for arg in args])
    if origin is tuple:
        return st.lists(of_type(args[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(TEXT, of_type(args[1]), max_size=3)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return structs(kind)
    return ATOMS[kind]


def structs(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Instances of a struct, every field drawn."""
    fields = msgspec.structs.fields(kind)
    return st.builds(kind, **{field.encode_name: of_type(field.type) for field in fields})


MESSAGES = st.one_of([structs(kind) for kind in get_args(Message)])
BYTES = st.binary(max_size=200)


@st.composite
def packets(draw: st.DrawFn) -> tuple[Any, list[bytes]]:
    """A message and the arrays that may come with it."""
    message = draw(MESSAGES)
    one = isinstance(message, (PutChunk, Chunk))
    return message, draw(st.lists(BYTES, min_size=int(one), max_size=1 if one else 4))


def arrays(dtype: Any, *shape: Any) -> st.SearchStrategy[Any]:
    return st.tuples(*(st.just(n) if isinstance(n, int) else n for n in shape)).flatmap(
        lambda found: npst.arrays(dtype, found, elements=npst.from_dtype(np.dtype(dtype)))
    )


COUNT = st.integers(0, 5)
IMAGES = st.builds(
    Image, arrays(np.uint8, COUNT, COUNT, st.sampled_from([1, 3, 4])), st.booleans()
)
MATERIALS = st.builds(Material, base_color_map=st.none() | IMAGES, roughness=FLOATS)
ATTRIBUTES = st.builds(
    Attribute, st.sampled_from(["point", "face", "corner"]),
    st.sampled_from([np.float32, np.int64, np.bool_, np.float16]).flatmap(
        lambda dtype: arrays(dtype, COUNT, COUNT)
    ),
)
MESHES = st.builds(
    Mesh, arrays(np.float32, COUNT, 3), arrays(np.int32, COUNT, 3),
    uvs=st.none() | arrays(np.float32, COUNT, 3, 2),
    attributes=st.dictionaries(TEXT, ATTRIBUTES, max_size=2), material=st.none() | MATERIALS,
)
REGIONS = st.builds(
    Region, box=st.none() | arrays(np.float32, 4, 4), mesh=st.none() | MESHES,
    vertices=st.none() | arrays(np.float32, COUNT), faces=st.none() | arrays(np.bool_, COUNT),
    word=TEXT,
)
HANDLES = st.builds(
    Handles, arrays(np.int32, COUNT), arrays(np.float32, COUNT, 3), arrays(np.int32, COUNT)
)
ASSETS = st.builds(
    Asset, name=TEXT, mesh=st.none() | MESHES, contact_sheet=st.none() | IMAGES,
    region=st.none() | REGIONS, handles=st.none() | HANDLES,
    motion=st.none() | st.builds(Motion, arrays(np.float32, COUNT, COUNT, 3), FLOATS),
    views=st.lists(
        st.builds(View, arrays(np.float32, 4, 4), FLOATS, st.none() | IMAGES), max_size=2
    ),
    images=st.dictionaries(TEXT, IMAGES, max_size=2),
    provenance=st.builds(Provenance, TEXT, TEXT, st.dictionaries(TEXT, PLAIN, max_size=2)),
    report=st.dictionaries(TEXT, PLAIN, max_size=2),
)
