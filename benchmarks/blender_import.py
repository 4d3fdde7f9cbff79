"""How long does a textured mesh of a million triangles take into Blender?

The same object twice: from the arrays that the wire delivers through the add-on (placed, with
material and packed texture), and from a GLB file of it through Blender's own importer. Reading the
file is in the latter, receiving the arrays is not in the former: the wire has its own benchmark.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .timing import Timing, best_seconds

PACKAGE = "bl_ext.user_default.distillery"
SIDE = 708
TEXTURE = 1024


def measure() -> list[Timing]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BLENDER_USER_RESOURCES"] = folder
        return _measure(Path(folder))


def _measure(folder: Path) -> list[Timing]:
    import bpy

    _install(bpy)
    from importlib import import_module

    objects = import_module(f"{PACKAGE}.addon.scene.objects")
    placement = import_module(f"{PACKAGE}.addon.core.jobs").Placement()
    asset = _relief(import_module(f"{PACKAGE}.protocol.assets"))

    def place() -> None:
        _empty(bpy)
        objects.add_asset(asset, placement, bpy.context.collection)

    place()
    file = folder / "relief.glb"
    bpy.ops.export_scene.gltf(filepath=str(file))

    def load() -> None:
        _empty(bpy)
        bpy.ops.import_scene.gltf(filepath=str(file))

    load()
    assert sum(len(mesh.polygons) for mesh in bpy.data.meshes) == len(asset.mesh.faces)
    triangles, size = f"{len(asset.mesh.faces)} triangles", f"{file.stat().st_size / 1e6:.0f} MB"
    return [
        Timing("arrays, by the add-on", best_seconds(place, 5), triangles),
        Timing("GLB, by Blender", best_seconds(load, 3, 0), size),
    ]


def _install(bpy: Any) -> None:
    built = sorted((Path(__file__).parents[1] / "dist").glob("distillery-*.zip"))
    extension = os.environ.get("DISTILLERY_EXTENSION") or str(built[-1])
    bpy.ops.extensions.package_install_files(
        filepath=extension, repo="user_default", enable_on_install=True
    )


def _empty(bpy: Any) -> None:
    bpy.ops.wm.read_homefile(use_empty=True, app_template="")


def _relief(assets: Any) -> Any:
    """A wavy square with UVs and a noisy texture, which compresses badly, as bakes do."""
    u, v = np.meshgrid(*[np.linspace(0, 1, SIDE, dtype=np.float32)] * 2, indexing="ij")
    positions = np.stack([u, v, 0.1 * np.sin(9 * u) * np.cos(7 * v)], -1).reshape(-1, 3)
    index = np.arange(SIDE * SIDE, dtype=np.int32).reshape(SIDE, SIDE)
    a, b, c, d = (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:])
    corners = [np.stack(side, -1).reshape(-1, 3) for side in ((a, b, c), (a, c, d))]
    faces = np.concatenate(corners)
    texture = np.random.default_rng(0).integers(0, 255, (TEXTURE, TEXTURE, 3), dtype=np.uint8)
    material = assets.Material(base_color_map=assets.Image(texture))
    mesh = assets.Mesh(positions, faces, positions[faces][..., :2].copy(), material=material)
    return assets.Asset("relief", mesh=mesh)
