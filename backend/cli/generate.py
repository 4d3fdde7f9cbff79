"""Make an asset from an order, by a server or in this process, and write it down."""

import hashlib
import json
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from backend.cli.remote import connect
from backend.cli.show import OnStep, err, progress_bar
from protocol.assets import Asset
from protocol.blobs import digest
from protocol.codec import Array, array_ref, as_bytes, encode_asset
from protocol.errors import DistilleryError, InputError
from protocol.messages import ArrayRef, Event, JobSpec

if TYPE_CHECKING:
    from backend.service.run import Run


def order(
    recipe: str, prompt: str, negative: str, preset: str, options: list[str], seed: int
) -> JobSpec:
    """What the command line was told, as an order; ``options`` are ``name=value``."""
    return JobSpec(
        recipe=recipe, prompt=prompt, negative_prompt=negative, preset=preset,
        options=parse_options(options), seed=seed, client="command-line",
    )


def make(spec: JobSpec, inputs: dict[str, Asset], server: str, data: Path, out: Path) -> None:
    """Run the order at ``server`` (or here where that is "") and write the result into ``out``.
    ``inputs``: assets by name."""
    began = time.monotonic()
    with progress_bar() as show:
        if server:
            asset = make_remotely(spec, inputs, server, show)
        else:
            asset = make_here(spec, inputs, data, show)
    for path in write(asset, out, time.monotonic() - began):
        print(path)


def make_remotely(
    spec: JobSpec, inputs: dict[str, Asset], server: str, show: OnStep
) -> Asset:
    """Order the job, follow it and fetch the result; the job runs on if this is interrupted."""

    def tell(event: Event) -> None:
        if event.progress is not None:
            show(event.progress)

    with connect(server) as remote:
        job = remote.submit(spec, inputs).id
        try:
            end = remote.follow(job, tell)
        except (KeyboardInterrupt, DistilleryError):
            err.print(f"Fetch it later: python -m backend jobs fetch {job} --server {server}")
            raise
        if end.state == "cancelled":
            raise DistilleryError("job_cancelled", "The job was cancelled.")
        if end.problem is not None:
            raise DistilleryError.of(end.problem)
        return remote.fetch(job)


def make_here(spec: JobSpec, inputs: dict[str, Asset], data: Path, show: OnStep) -> Asset:
    """Run the job in this process; interrupted, the same order goes on from its checkpoint."""
    from backend.service.failures import explain
    from backend.service.folders import Folders
    from backend.service.inputs import check_order
    from backend.service.run import Run

    folders = Folders(data)
    folders.create()
    spec, arrays = pack(spec, inputs)
    check_order(spec, arrays.__getitem__)
    folder = folders.job(hashlib.sha256(msgspec.msgpack.encode(spec)).hexdigest()[:16])
    try:
        run = Run(spec, inputs, folder, folders.cache)
        asset = _drive(run, show)
    except DistilleryError:
        raise
    except Exception as error:
        raise DistilleryError.of(explain(error, spec)) from error
    shutil.rmtree(folder, ignore_errors=True)
    folders.trim_cache()
    return asset


def pack(spec: JobSpec, inputs: dict[str, Asset]) -> tuple[JobSpec, dict[str, memoryview]]:
    """The order as a server would keep it, which names its inputs by their content, and the bytes
    of their arrays by those names."""
    arrays: dict[str, memoryview] = {}

    def add(array: Array) -> ArrayRef:
        data = as_bytes(array)
        blob = digest(data)
        arrays[blob] = data
        return array_ref(array, blob=blob)

    encoded = {name: encode_asset(asset, add) for name, asset in inputs.items()}
    return msgspec.structs.replace(spec, inputs=encoded), arrays


def _drive(run: "Run", show: OnStep) -> Asset:
    reports = run.reports()
    while True:
        try:
            show(next(reports).progress)
        except StopIteration as end:
            asset: Asset = end.value
            return asset
        except KeyboardInterrupt:
            run.save()
            err.print("The same command goes on from where this one stopped.")
            raise


def write(asset: Asset, out: Path, seconds: float) -> list[Path]:
    """Write GLB, contact sheet and report; give their paths."""
    from backend.meshing.export import export

    report = {"provenance": asdict(asset.provenance), "seconds": seconds, **asset.report}
    try:
        written = export(asset, out, ("glb",))
        written.append(out / "report.json")
        written[-1].write_text(json.dumps(report, indent=1, default=float))
    except OSError as error:
        raise InputError(
            "out_not_writable", f"{out} cannot be written: {error.strerror or error}.",
            "Choose another folder with --out.",
        ) from error
    return written


def parse_options(pairs: list[str]) -> dict[str, Any]:
    """``name=value`` pairs; a value is a number, true, false, or else text."""
    options = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise InputError(
                "option_invalid", f"{pair!r} is no option.", "Write it as --option name=value."
            )
        try:
            options[name] = json.loads(text)
        except json.JSONDecodeError:
            options[name] = text
    return options
