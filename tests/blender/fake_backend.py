"""A backend that computes nothing: the real protocol, answers by script. Run by the backend's
Python: ``python fake_backend.py ADDRESS_FILE [--version N]``.

The prompt says what happens: "slow …" runs until cancelled, "fail …" fails with a fix that retries,
"broken …" gives a mesh that is not finite; anything else gives a textured cube.

Recipes that take more than words answer with what they were given: ``picture`` bakes the image onto
the cube, ``recolor`` paints the region red and lifts it, ``echo`` gives the mesh back as it came,
``cut`` leaves faces out, ``bend`` puts handles exactly on their targets, ``sway`` moves the mesh
sideways over five frames.
"""

import argparse
import itertools
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import zmq

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from protocol import frames
from protocol.assets import (
    Asset,
    Attribute,
    Image,
    Material,
    Mesh,
    Motion,
    Provenance,
    Region,
    Splats,
)
from protocol.codec import Packer, decode_asset, encode_asset, frame_getter
from protocol.errors import Fix, Problem
from protocol.messages import (
    CHUNK_BYTES,
    Accepted,
    BlobState,
    Chunk,
    Control,
    Describe,
    Description,
    DeviceInfo,
    Event,
    Failure,
    FetchResult,
    GetChunk,
    HasBlob,
    Hello,
    JobInfo,
    Jobs,
    JobSpec,
    ListJobs,
    Option,
    Progress,
    PutChunk,
    RecipeInfo,
    Result,
    Submit,
    Unwatch,
    Watch,
    Welcome,
)

OPTIONS = (
    Option(name="steps", kind="int", default=100, help="Optimization steps.", low=1, high=1000),
    Option(name="fov_degrees", kind="float", default=40.0, help="View.", unit="degrees", low=10.0,
           high=90.0),
    Option(name="learning_rate", kind="float", default=2e-4, help="Rate.", low=0.0, advanced=True),
    Option(name="shading", kind="choice", default="lambert", help="Light.",
           choices=("lambert", "albedo"), advanced=True),
    Option(name="textured", kind="bool", default=True, help="Bake a texture."),
    Option(name="style", kind="str", default="", help="Words added to every prompt."),
)
RECIPES = tuple(
    RecipeInfo(
        id=name, title=name.title(), task="text_to_3d", summary=f"Makes a cube, {name}.",
        citation="", capabilities=("text",), inputs=inputs, options=OPTIONS,
        presets={"draft": {"steps": 10}, "standard": {}, "high": {"steps": 900}},
    )
    for name, inputs in (
        ("cube", ("prompt", "negative_prompt")),
        ("other", ("prompt",)),
        ("needs_sound", ("prompt", "sound")),
    )
)
ON_INPUTS = tuple(
    RecipeInfo(
        id=name, title=name.title(), task=task, summary=f"{name}.", citation="",
        capabilities=(), inputs=inputs, options=(), presets={"draft": {}, "standard": {}},
        optional=optional,
    )
    for name, task, inputs, optional in (
        ("picture", "image_to_3d", ("image",), ()),
        ("recolor", "edit", ("prompt", "mesh", "region"), ()),
        ("echo", "edit", ("prompt", "mesh", "region"), ("prompt", "region")),
        ("cut", "edit", ("prompt", "mesh", "region"), ("prompt", "region")),
        ("bend", "deform", ("prompt", "mesh", "handles"), ("prompt",)),
        ("sway", "animate", ("prompt", "mesh"), ()),
    )
)
FRAMES = 5


def chosen_vertices(region: Region, mesh: Mesh) -> np.ndarray:
    """Which vertices a region holds, (n,) bool; a word holds the upper half."""
    points = mesh.positions
    if region.vertices is not None:
        return region.vertices > 0
    if region.faces is not None:
        return np.isin(np.arange(len(points)), mesh.faces[region.faces])
    if region.box is not None:
        local = (points - region.box[:3, 3]) @ np.linalg.inv(region.box[:3, :3]).T
        return (np.abs(local) <= 1).all(axis=1)
    if region.mesh is not None:
        inside = region.mesh.positions
        return ((points >= inside.min(axis=0)) & (points <= inside.max(axis=0))).all(axis=1)
    return points[:, 2] > 0


def recolor(mesh: Mesh, inputs: dict[str, Asset]) -> Asset:
    chosen = chosen_vertices(inputs["region"].region, mesh)
    colors = np.full((len(mesh.positions), 4), 0.8, np.float32)
    colors[:, 3] = 1
    if "color" in mesh.attributes:
        colors = mesh.attributes["color"].values.copy()
    colors[chosen] = (1, 0, 0, 1)
    positions = mesh.positions.copy()
    positions[chosen, 2] += 0.25
    material = replace(mesh.material, base_color_map=None)
    return Asset("recolored", mesh=replace(
        mesh, positions=positions, attributes={"color": Attribute("point", colors)},
        material=material))


def bend(mesh: Mesh, inputs: dict[str, Asset]) -> Asset:
    handles = inputs["handles"].handles
    positions = mesh.positions.copy()
    positions[handles.vertices] = handles.targets
    return Asset("bent", mesh=replace(mesh, positions=positions))


def sway(mesh: Mesh, inputs: dict[str, Asset]) -> Asset:
    positions = np.repeat(mesh.positions[None], FRAMES, axis=0)
    positions[..., 0] += np.linspace(0, 0.5, FRAMES, dtype=np.float32)[:, None]
    count = 10
    splats = Splats(
        np.zeros((count, 3), np.float32), np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1)),
        np.full((count, 3), 0.1, np.float32), np.ones(count, np.float32),
        np.zeros((count, 3), np.float32))
    rising = np.zeros((FRAMES, count, 3), np.float32)
    rising[..., 2] += np.linspace(0, 0.5, FRAMES, dtype=np.float32)[:, None]
    return Asset("swaying", mesh=mesh, splats=splats, motion=Motion(positions, 12.0),
                 splat_motion=Motion(rising, 12.0))


def picture(inputs: dict[str, Asset], spec: JobSpec) -> Asset:
    made = cube("Pictured", spec)
    made.mesh.material.base_color_map = inputs["image"].images["image"]
    return made


def answer_inputs(spec: JobSpec, inputs: dict[str, Asset]) -> Asset:
    """What a recipe makes of its inputs."""
    if spec.recipe == "picture":
        return picture(inputs, spec)
    mesh = inputs["mesh"].mesh
    made = {"recolor": recolor, "bend": bend, "sway": sway}.get(spec.recipe)
    if made is not None:
        asset = made(mesh, inputs)
    elif spec.recipe == "cut":
        asset = Asset("cut", mesh=replace(mesh, faces=mesh.faces[:-2], uvs=None, attributes={}))
    else:
        asset = Asset("echo", mesh=mesh)
    if spec.prompt.startswith("broken"):
        asset.mesh.positions = np.full_like(asset.mesh.positions, np.nan)
    asset.provenance = Provenance(recipe=spec.recipe, prompt=spec.prompt, seed=spec.seed)
    return asset


def cube(name: str, spec: JobSpec) -> Asset:
    """A textured cube of edge 1, taller than wide for larger seeds."""
    corners = np.array(list(itertools.product((-0.5, 0.5), repeat=3)), np.float32)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([[q[0], q[i], q[i + 1]] for q in quads for i in (1, 2)], np.int32)
    uvs = np.tile(np.array([[0, 0], [1, 0], [1, 1]], np.float32), (12, 1, 1))
    texture = np.zeros((256, 256, 3), np.uint8)
    texture[..., 0] = 200
    if spec.prompt.startswith("broken"):
        corners[0] = np.nan
    mesh = Mesh(
        corners, faces, uvs, attributes={"weight": Attribute("point", corners[:, 0])},
        material=Material(base_color_map=Image(texture), roughness=0.4),
    )
    origin = Provenance(recipe=spec.recipe, prompt=spec.prompt, options=dict(spec.options),
                        seed=spec.seed, prior="none", versions={"backend": "fake"})
    return Asset(name=name, mesh=mesh, contact_sheet=Image(texture), provenance=origin)


class FakeBackend:
    """Jobs advance one event per turn of the loop, for whoever watches them."""

    def __init__(self, socket: zmq.Socket, pace_seconds: float) -> None:
        self.socket = socket
        self.pace_seconds = pace_seconds
        self.jobs: dict[str, JobInfo] = {}
        self.scripts: dict[str, Iterator[Event]] = {}
        self.held: dict[str, Iterator[Event]] = {}
        self.told: dict[str, list[tuple[Event, list]]] = {}
        self.watchers: dict[str, bytes] = {}
        self.blobs: dict[str, memoryview] = {}
        self.uploads: dict[str, bytearray] = {}
        self.arrays: dict[str, list] = {}

    def serve(self) -> None:
        """For ever."""
        while True:
            while self.socket.poll(int(self.pace_seconds * 1000)):
                sender, *parts = self.socket.recv_multipart()
                received = frames.decode(parts)
                self.answer(sender, received.message, received.arrays)
            for job in list(self.scripts):
                self.advance(job)

    def send(self, to: bytes, message, arrays=()) -> None:
        self.socket.send_multipart([to, *frames.encode(message, arrays)])

    def answer(self, to: bytes, message, arrays=()) -> None:
        number = message.request
        match message:
            case Hello():
                self.send(to, Welcome(request=number, server="fake 1", session="s"))
            case Describe():
                device = DeviceInfo(id="cpu", name="CPU", memory_bytes=1)
                self.send(to, Description(request=number, recipes=RECIPES + ON_INPUTS,
                                          capabilities={}, devices=(device,)))
            case Submit():
                self.submit(to, message, arrays)
            case HasBlob() | PutChunk():
                self.receive(to, message, arrays)
            case Watch():
                self.watchers[message.job] = to
                self.send(to, Accepted(request=number, job=self.jobs[message.job]))
                for event, arrays in self.told[message.job][message.since:]:
                    self.send(to, event, arrays)
            case Control():
                self.control(to, message)
            case ListJobs():
                mine = tuple(j for j in self.jobs.values() if j.spec.client == message.client)
                self.send(to, Jobs(request=number, jobs=mine))
            case FetchResult():
                packer = Packer()
                data = encode_asset(self.make(self.jobs[message.job]), packer.add)
                self.blobs |= packer.blobs
                self.send(to, Result(request=number, job=message.job, asset=data), packer.frames)
            case GetChunk():
                data = self.blobs[message.blob]
                part = data[message.offset : message.offset + CHUNK_BYTES]
                self.send(to, Chunk(request=number, blob=message.blob, size=len(data),
                                    offset=message.offset), [part])
            case Unwatch():
                self.watchers.pop(message.job, None)

    def make(self, job: JobInfo) -> Asset:
        """The result of a job: a cube, or what its recipe makes of its inputs."""
        if not job.spec.inputs:
            return cube("Cube", job.spec)
        get = frame_getter(self.arrays.get(job.id, ()), lambda blob: self.uploads[blob])
        inputs = {name: decode_asset(data, get) for name, data in job.spec.inputs.items()}
        return answer_inputs(job.spec, inputs)

    def receive(self, to: bytes, message, arrays) -> None:
        """Take a piece of what is uploaded, and say how much is there."""
        kept = self.uploads.setdefault(message.blob, bytearray())
        if isinstance(message, PutChunk) and message.offset == len(kept):
            kept += bytes(arrays[0])
        self.send(to, BlobState(request=message.request, blob=message.blob, received=len(kept),
                                complete=len(kept) == message.size))

    def submit(self, to: bytes, message: Submit, arrays) -> None:
        wants_words = any(info.id == message.spec.recipe and "prompt" in info.inputs
                          and "prompt" not in info.optional for info in RECIPES + ON_INPUTS)
        if wants_words and not message.spec.prompt:
            problem = Problem(code="prompt_empty", message="The prompt is empty.", hint="Write.")
            self.send(to, Failure(request=message.request, problem=problem))
            return
        job = secrets.token_hex(8)
        now = time.time()
        self.jobs[job] = JobInfo(id=job, spec=message.spec, state="queued", created=now,
                                 updated=now)
        self.told[job] = []
        self.arrays[job] = list(arrays)
        self.scripts[job] = self.script(job, message.spec)
        self.send(to, Accepted(request=message.request, job=self.jobs[job]))

    def control(self, to: bytes, message: Control) -> None:
        job = self.jobs[message.job]
        if message.action == "cancel":
            self.scripts.pop(job.id, None)
            self.tell(job.id, self.event(job.id, "cancelled"))
        if message.action == "pause":
            self.held[job.id] = self.scripts.pop(job.id)
            self.tell(job.id, self.event(job.id, "paused"))
        if message.action == "resume":
            self.scripts[job.id] = self.held.pop(job.id)
        if message.action == "delete":
            self.jobs.pop(job.id)
        self.send(to, Accepted(request=message.request, job=job))

    def script(self, job: str, spec: JobSpec) -> Iterator[Event]:
        steps = 10_000 if spec.prompt.startswith("slow") else 4
        for step in range(steps):
            progress = Progress(stage="fit", step=step, steps=steps, fraction=step / steps,
                                seconds_left=float(steps - step), loss=1 / (step + 1))
            yield self.event(job, "running", progress)
            if spec.prompt.startswith("fail") and spec.preset != "standard":
                fix = Fix(action="retry", label="Try the standard preset",
                          options={"preset": "standard"})
                yield self.event(job, "failed", problem=Problem(
                    code="memory", message="There was not enough memory.", hint="Less.", fix=fix))
                return
        yield self.event(job, "done")

    def event(self, job: str, state, progress=None, problem=None) -> Event:
        return Event(job=job, number=len(self.told[job]), time=time.time(), state=state,
                     progress=progress, problem=problem)

    def advance(self, job: str) -> None:
        event = next(self.scripts[job], None)
        if event is None:
            self.scripts.pop(job)
        else:
            self.tell(job, event)

    def tell(self, job: str, event: Event) -> None:
        self.jobs[job] = msgspec.structs.replace(self.jobs[job], state=event.state)
        packer = Packer()
        if event.progress is not None:
            data = encode_asset(cube("preview", self.jobs[job].spec), packer.add)
            self.blobs |= packer.blobs
            event = msgspec.structs.replace(event, preview=data)
        self.told[job].append((event, packer.frames))
        if job in self.watchers:
            self.send(self.watchers[job], event, packer.frames)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address_file", type=Path)
    parser.add_argument("--bind", default="tcp://127.0.0.1:*")
    parser.add_argument("--version", type=int, default=0)
    parser.add_argument("--pace", type=float, default=0.02)
    options = parser.parse_args()
    if options.version:
        frames.MARK = frames.NAME + bytes([options.version])
        frames._check_mark = lambda mark: None
    socket = zmq.Context().socket(zmq.ROUTER)
    socket.bind(options.bind)
    unfinished = options.address_file.with_suffix(".part")
    unfinished.write_text(socket.getsockopt_string(zmq.LAST_ENDPOINT))
    unfinished.replace(options.address_file)
    FakeBackend(socket, options.pace).serve()


if __name__ == "__main__":
    main()
