"""A prompt into a Blender file, through the installed extension. `build.py demo` runs this.

    python examples/demo_scene.py --extension ZIP --address tcp://… --prompt "…" --out DIR
    blender --background --factory-startup --python examples/demo_scene.py -- …

Writes demo.blend, demo.glb, contact_sheet.png, render.png and demo.json (seconds a stage).
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parent))
import photograph

PACKAGE = "bl_ext.user_default.distillery"
SIZE_METERS = 0.5


def main() -> None:
    """Install the extension, generate, and keep and photograph what came."""
    options = _options()
    seconds: dict[str, float] = {}
    with timed(seconds, "extension installed"):
        install(options.extension)
    with timed(seconds, "generated and imported"):
        subject = generate(options)
    with timed(seconds, "contact sheet"):
        camera = photograph.set_up_studio(subject)
        photograph.contact_sheet(options.out / "contact_sheet.png", camera, subject)
    with timed(seconds, "render"):
        photograph.aim(camera, subject, azimuth=30.0, elevation=20.0)
        photograph.render(options.out / "render.png", pixels=512, samples=16)
    with timed(seconds, "files written"):
        write_files(options.out, subject)
    report = {"seconds": seconds, "object": describe(subject)}
    (options.out / "demo.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def install(extension: Path) -> None:
    """Install and enable the zip as a user would, into an empty scene."""
    bpy.ops.wm.read_homefile(use_empty=True, app_template="")
    bpy.ops.extensions.package_install_files(
        filepath=str(extension), repo="user_default", enable_on_install=True
    )


def generate(options: argparse.Namespace) -> bpy.types.Object:
    """Generate through the add-on, telling each stage as it begins; return the new object."""
    batch = importlib.import_module(f"{PACKAGE}.addon.batch")
    stages: list[str] = []

    def show(job: Any) -> None:
        if job.stage and job.stage not in stages:
            stages.append(job.stage)
            print(f"• {job.stage}", flush=True)

    return batch.generate(
        options.prompt,
        recipe=options.recipe,
        preset=options.preset,
        seed=options.seed,
        size_meters=SIZE_METERS,
        server=options.address,
        on_change=show,
    )


def write_files(out: Path, subject: bpy.types.Object) -> None:
    """Write the object as GLB and the whole scene as a .blend file."""
    bpy.ops.object.select_all(action="DESELECT")
    subject.select_set(True)
    bpy.ops.export_scene.gltf(filepath=str(out / "demo.glb"), use_selection=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "demo.blend"), compress=True)


def describe(subject: bpy.types.Object) -> dict[str, Any]:
    """Return what the object is and where the add-on says that it came from."""
    mesh = subject.data
    kept = {name: value for name, value in subject.items() if name.startswith("distillery_")}
    size = [round(length, 4) for length in subject.dimensions]
    return {
        "faces": len(mesh.polygons),
        "images": len(bpy.data.images),
        "size_meters": size,
        **kept,
    }


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Note how long the block took."""
    start = time.monotonic()
    yield
    seconds[stage] = time.monotonic() - start


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extension", type=Path, required=True)
    parser.add_argument("--address", default="")
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="")
    parser.add_argument("--preset", default="")
    parser.add_argument("--seed", type=int, default=7)
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
