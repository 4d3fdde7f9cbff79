"""The messages: one small typed header each; arrays travel beside it as frames or blobs.

Requests carry ``request``, a number that the answer repeats. A header names the arrays of its
message as :class:`ArrayRef`; an array of at most ``INLINE_BYTES`` is a frame of the same message,
anything larger is a blob, named by the SHA-256 of its bytes and fetched (or put) in chunks.
"""

from typing import Annotated, Any, Literal

import msgspec

from .errors import Problem

VERSION = 2
INLINE_BYTES = 64 * 1024
CHUNK_BYTES = 1024 * 1024

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Shape = Annotated[tuple[Count, ...], msgspec.Meta(max_length=8)]

JobState = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
FINAL: frozenset[JobState] = frozenset({"done", "failed", "cancelled"})
"""States after which nothing more comes of a job."""


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of all messages."""


DType = Literal[
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64",
]


class ArrayRef(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="$", tag="array"
):
    """One array: in frame number ``frame`` of its message (frame 0 is the header), or, where
    that is 0, in the blob ``blob``. Row-major, little-endian."""

    dtype: DType
    shape: Shape
    frame: Count = 0
    blob: Digest | None = None


class Option(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One option of a recipe, enough to draw it and to check it."""

    name: str
    kind: Literal["int", "float", "bool", "str", "choice"]
    default: Any
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    advanced: bool = False


class RecipeInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a backend says of a recipe. ``inputs`` names what it takes: prompt, negative_prompt,
    image, mesh, region, handles; those in ``optional`` it can do without."""

    id: str
    title: str
    task: Literal["text_to_3d", "image_to_3d", "edit", "deform", "animate"]
    summary: str
    citation: str
    capabilities: tuple[str, ...]
    inputs: tuple[str, ...]
    options: tuple[Option, ...]
    presets: dict[str, dict[str, Any]]
    optional: tuple[str, ...] = ()
    version: int = 1


class DeviceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A place where jobs run: ``cpu`` or ``cuda:0``; memory in bytes."""

    id: str
    name: str
    memory_bytes: int


class JobSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order: recipe, inputs and options. ``inputs`` holds encoded assets by name."""

    recipe: str
    prompt: str = ""
    negative_prompt: str = ""
    preset: str = "draft"
    options: dict[str, Any] = {}
    seed: int = 0
    inputs: dict[str, dict[str, Any]] = {}
    client: str = ""


class JobInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of a job; times are seconds since the epoch."""

    id: str
    spec: JobSpec
    state: JobState
    created: float
    updated: float
    stage: str = ""
    fraction: float = 0.0
    events: int = 0
    problem: Problem | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a job is: stage by name, its step of how many, whole fraction in [0, 1]."""

    stage: str
    step: int
    steps: int
    fraction: float
    seconds_left: float | None = None
    message: str = ""
    loss: float | None = None


# Requests of a client ---------------------------------------------------------------------------


class Hello(Header, frozen=True, kw_only=True, tag="hello"):
    """The greeting, and later the question whether the other side is still there."""

    request: Count
    client: str


class Describe(Header, frozen=True, kw_only=True, tag="describe"):
    request: Count


class Submit(Header, frozen=True, kw_only=True, tag="submit"):
    """Order a job; the same ``token`` twice gives the same job, so a lost answer costs nothing."""

    request: Count
    spec: JobSpec
    token: str


class Watch(Header, frozen=True, kw_only=True, tag="watch"):
    """Send the job's events from number ``since`` on, the past ones first."""

    request: Count
    job: str
    since: Count = 0


class Unwatch(Header, frozen=True, kw_only=True, tag="unwatch"):
    request: Count
    job: str


class Control(Header, frozen=True, kw_only=True, tag="control"):
    request: Count
    job: str
    action: Literal["cancel", "pause", "resume", "delete"]


class ListJobs(Header, frozen=True, kw_only=True, tag="list_jobs"):
    """Ask for the newest jobs, of one client or (where it is empty) of all."""

    request: Count
    client: str = ""


class FetchResult(Header, frozen=True, kw_only=True, tag="fetch_result"):
    request: Count
    job: str


class HasBlob(Header, frozen=True, kw_only=True, tag="has_blob"):
    """Which part of a blob has arrived? Answered by :class:`BlobState`."""

    request: Count
    blob: Digest
    size: Count


class GetChunk(Header, frozen=True, kw_only=True, tag="get_chunk"):
    request: Count
    blob: Digest
    offset: Count


class PutChunk(Header, frozen=True, kw_only=True, tag="put_chunk"):
    """``frame 1`` holds the bytes from ``offset`` on."""

    request: Count
    blob: Digest
    size: Count
    offset: Count


# Answers and events of the server ---------------------------------------------------------------


class Welcome(Header, frozen=True, kw_only=True, tag="welcome"):
    """``server``: name and version. ``session``: changes when the server starts anew."""

    request: Count
    server: str
    session: str


class Description(Header, frozen=True, kw_only=True, tag="description"):
    request: Count
    recipes: tuple[RecipeInfo, ...]
    capabilities: dict[str, str]
    devices: tuple[DeviceInfo, ...]


class Accepted(Header, frozen=True, kw_only=True, tag="accepted"):
    """The job after a submit or control request; for a watch, its state at the start."""

    request: Count
    job: JobInfo


class Jobs(Header, frozen=True, kw_only=True, tag="jobs"):
    request: Count
    jobs: tuple[JobInfo, ...]


class Result(Header, frozen=True, kw_only=True, tag="result"):
    """An encoded asset (see ``codec``)."""

    request: Count
    job: str
    asset: dict[str, Any]


class BlobState(Header, frozen=True, kw_only=True, tag="blob_state"):
    request: Count
    blob: Digest
    received: Count
    complete: bool


class Chunk(Header, frozen=True, kw_only=True, tag="chunk"):
    """``frame 1`` holds the bytes from ``offset`` on."""

    request: Count
    blob: Digest
    size: Count
    offset: Count


class Event(Header, frozen=True, kw_only=True, omit_defaults=True, tag="event"):
    """Event ``number`` of a job (counted from 0): progress, a preview, or a change of state.

    ``preview`` is an encoded asset: a picture (contact_sheet) and perhaps a growing mesh.
    """

    job: str
    number: Count
    time: float
    state: JobState
    progress: Progress | None = None
    preview: dict[str, Any] | None = None
    problem: Problem | None = None


class Failure(Header, frozen=True, kw_only=True, tag="failure"):
    """The answer to a request that could not be met."""

    request: Count
    problem: Problem


Message = (
    Hello | Describe | Submit | Watch | Unwatch | Control | ListJobs | FetchResult
    | HasBlob | GetChunk | PutChunk
    | Welcome | Description | Accepted | Jobs | Result | BlobState | Chunk | Event | Failure
)
