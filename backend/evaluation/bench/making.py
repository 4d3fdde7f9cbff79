"""Cases made into assets and measured. What was made is kept, so that an interrupted benchmark
goes on where it stopped, in the midst of a case as well."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from backend.evaluation.bench.cases import Bench, Case, Figures
from backend.evaluation.memory import forget_peak, peak_bytes
from backend.recipes import registry
from backend.studio import Studio
from protocol.assets import Asset
from protocol.blobs import digest
from protocol.codec import array_ref, as_bytes, decode_asset, encode_asset
from protocol.errors import DistilleryError
from protocol.messages import ArrayRef, JobSpec

MEASURES = 2
"""To be raised when a figure changes its meaning: what is kept is then measured again."""
COSTS = "bench"


@dataclass(frozen=True)
class Made:
    """What became of a case: its ``figures``, or the ``failure`` with the error's code first.

    ``seconds`` and ``processor_seconds`` (of all threads) are None where the case was interrupted
    and went on later, ``peak_memory_bytes`` where nothing was made.
    """

    case: str
    seed: int
    figures: Figures = field(default_factory=dict)
    failure: str = ""
    seconds: float | None = None
    processor_seconds: float | None = None
    peak_memory_bytes: int | None = None


def make_all(bench: Bench, cases: Iterable[Case], folder: Path) -> Iterator[Made]:
    """Make and measure each case; what ``folder`` holds already is only read. A case that fails is
    told as such, and tried again the next time; so are cases that cannot be told, for want of a
    prior."""
    try:
        for case in cases:
            yield make(bench, case, folder)
    except DistilleryError as error:
        yield Made("all cases", 0, failure=f"{error.problem.code}: {error}")


def make(bench: Bench, case: Case, folder: Path) -> Made:
    """One case, whatever becomes of it."""
    try:
        return _make(bench, case, folder)
    except DistilleryError as error:
        return Made(case.name, case.seed, failure=f"{error.problem.code}: {error}")
    except Exception as error:  # whatever a recipe raises belongs into the report
        return Made(case.name, case.seed, failure=f"{type(error).__name__}: {error}")


def _make(bench: Bench, case: Case, folder: Path) -> Made:
    studio, spec = _studio(bench, case, folder), bench.spec(case)
    record = studio.folder.with_suffix(f".{MEASURES}.json")
    kept = studio.folder.with_suffix(".npz")
    if record.exists():
        return Made(**json.loads(record.read_text()))
    if not kept.exists():
        keep(_run(spec, studio, case.assets), kept)
        shutil.rmtree(studio.folder, ignore_errors=True)
    asset = read(kept)
    figures = case.measure(asset)
    if strange := [name for name, value in figures.items() if not np.isfinite(value)]:
        raise ArithmeticError(f"no finite {', '.join(strange)}")
    made = Made(case.name, case.seed, figures, **asset.report[COSTS])
    _write(record, json.dumps(asdict(made), indent=1).encode())
    return made


def _studio(bench: Bench, case: Case, folder: Path) -> Studio:
    """In a folder of its own for everything that decides the result: another prior, preset or
    option is another case."""
    spec = msgspec.structs.replace(
        bench.spec(case), inputs={name: _digested(asset) for name, asset in case.assets.items()}
    )
    identity = registry.identity(spec, bench.find_prior)
    text = json.dumps([identity, case.seed], sort_keys=True, default=str)
    job = folder / f"{bench.recipe.id}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return Studio(job, job, case.seed, bench.find_prior, identity, bench.recipe.stages)


def _digested(asset: Asset) -> dict[str, Any]:
    """The asset with hashes for its arrays."""
    return encode_asset(asset, lambda array: array_ref(array, blob=digest(as_bytes(array))))


def _run(spec: JobSpec, studio: Studio, assets: dict[str, Asset]) -> Asset:
    """The finished asset, with what it cost in its report."""
    fresh = not studio.folder.exists()
    studio.folder.mkdir(parents=True, exist_ok=True)
    forget_peak()
    began, busy = time.perf_counter(), time.process_time()
    run = registry.start(spec, studio, assets)
    while True:
        try:
            next(run)
        except StopIteration as end:
            spent = time.perf_counter() - began, time.process_time() - busy
            seconds, processor_seconds = spent if fresh else (None, None)
            asset: Asset = end.value
            asset.report[COSTS] = {
                "seconds": seconds, "processor_seconds": processor_seconds,
                "peak_memory_bytes": peak_bytes(),
            }
            return asset
        except KeyboardInterrupt:
            studio.save_checkpoint()
            raise


def keep(asset: Asset, path: Path) -> None:
    """Write an asset into one file."""
    arrays: list[np.ndarray] = []

    def add(array: np.ndarray) -> ArrayRef:
        arrays.append(array)
        return array_ref(array, frame=len(arrays))

    header = msgspec.json.encode(encode_asset(asset, add))
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(partial, np.frombuffer(header, np.uint8), *arrays)
    partial.replace(path)


def read(path: Path) -> Asset:
    """The asset that :func:`keep` wrote."""
    stored = np.load(path)
    header = msgspec.json.decode(stored["arr_0"].tobytes())
    return decode_asset(header, lambda ref: as_bytes(stored[f"arr_{ref.frame}"]))


def _write(path: Path, data: bytes) -> None:
    partial = path.with_suffix(".partial")
    partial.write_bytes(data)
    partial.replace(path)
