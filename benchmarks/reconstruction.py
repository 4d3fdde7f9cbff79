"""How long does a surface take from 24 views of a real mesh, and how far is it off?

Blender's monkey, subdivided twice, and two meshes that the wheel of pybullet 3.2.7 carries: a duck
and a coarse Stanford bunny. Each is seen at 128 x 128 from all around with color, mask and normals
by the project's rasterizer, and fitted as Wonder3D fits its views. Chamfer is over the points that
the cameras see, in units of the mesh's longest side; nothing is committed of the meshes.
"""

import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import torch
import trimesh
from torch import Tensor
from torch.nn.functional import avg_pool2d

from backend.evaluation.geometry import chamfer, volume_iou
from backend.evaluation.looking import sphere
from backend.meshing.normals import vertex_normals
from backend.multiview.surfaces import SurfaceSize, SurfaceTargets, reconstruct
from backend.recipes.volumes import preview
from backend.rendering.cameras import Cameras
from backend.rendering.rasterize import interpolate_corners, rasterize
from backend.representations.sdf import Sdf
from backend.studio import Studio
from protocol.assets import Mesh

from .timing import Timing

VIEWS, PIXELS, SUPERSAMPLES = 24, 128, 3
RESOLUTION, STEPS = 96, 300
ROOT = Path(__file__).parent.parent
WHEEL = "pybullet==3.2.7"
MONKEY = """
import bpy, numpy, sys
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_monkey_add()
bpy.context.object.modifiers.new("smooth", "SUBSURF").levels = 2
evaluated = bpy.context.object.evaluated_get(bpy.context.evaluated_depsgraph_get())
mesh = evaluated.to_mesh()
mesh.calc_loop_triangles()
numpy.savez(
    sys.argv[-1], positions=[tuple(v.co) for v in mesh.vertices],
    faces=[tuple(t.vertices) for t in mesh.loop_triangles],
)
"""


def measure() -> list[Timing]:
    with tempfile.TemporaryDirectory() as folder:
        return [_reconstruct(name, mesh) for name, mesh in _meshes(Path(folder)).items()]


def _meshes(folder: Path) -> dict[str, Mesh]:
    """By name, inside the unit ball."""
    blender = ROOT / ".venv-blender" / "bin" / "python"
    subprocess.run([blender, "-c", MONKEY, folder / "monkey.npz"], check=True, capture_output=True)
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "-d", folder, WHEEL], check=True, capture_output=True)
    monkey = np.load(folder / "monkey.npz")
    found = {"monkey": _normalized(monkey["positions"], monkey["faces"])}
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        for name in ("duck", "bunny"):
            path = wheel.extract(f"pybullet_data/{name}.obj", folder)
            solid = trimesh.load(path, force="mesh")
            found[name] = _normalized(solid.vertices, solid.faces)
    return found


def _normalized(positions: np.ndarray, faces: np.ndarray) -> Mesh:
    middle = (positions.min(0) + positions.max(0)) / 2
    centered = positions - middle
    scaled = 0.95 * centered / np.linalg.norm(centered, axis=1).max()
    return Mesh(scaled.astype(np.float32), faces.astype(np.int32))


def _reconstruct(name: str, mesh: Mesh) -> Timing:
    cameras = sphere(PIXELS, VIEWS)
    targets = _photograph(mesh, cameras)
    began = time.perf_counter()
    found = _fit(targets)
    seconds = time.perf_counter() - began
    off, shared = chamfer(found, mesh, cameras), volume_iou(found, mesh)
    return Timing(name, seconds, f"Chamfer {off:.4f}, IoU {shared:.3f}, {len(mesh.faces)} faces")


def _photograph(mesh: Mesh, cameras: Cameras) -> SurfaceTargets:
    """Position as color, mask and smooth normals, antialiased."""
    fine = cameras.resized(PIXELS * SUPERSAMPLES, PIXELS * SUPERSAMPLES)
    positions, faces = torch.from_numpy(mesh.positions), torch.from_numpy(mesh.faces).long()
    fragments = rasterize(positions, faces, fine)
    normals = torch.from_numpy(vertex_normals(mesh.positions, mesh.faces))
    images = (
        interpolate_corners(positions[faces] / 2 + 0.5, fragments),
        fragments.covered[..., None].float(),
        interpolate_corners(normals[faces], fragments),
    )
    return SurfaceTargets(cameras, *map(_shrink, images))


def _shrink(image: Tensor) -> Tensor:
    return avg_pool2d(image.permute(0, 3, 1, 2), SUPERSAMPLES).permute(0, 2, 3, 1)


def _fit(targets: SurfaceTargets) -> Mesh:
    """With nothing left out: these views agree."""
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder), Path(folder), 0, _no_prior, {})
        fitting = reconstruct(targets, SurfaceSize(STEPS, RESOLUTION), 0.0, studio, preview)
        try:
            while True:
                next(fitting)
        except StopIteration as done:
            sdf: Sdf = done.value
    return sdf.to_mesh(RESOLUTION, 512, 100_000)


def _no_prior(capability: str) -> None:
    raise LookupError(f"no prior is needed here, not even for {capability}")
