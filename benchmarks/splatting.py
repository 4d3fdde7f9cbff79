"""What do Gaussians cost on the CPU: a picture, its gradients, a mesh, and growing their number?

Ten thousand Gaussians on a ball, as wide as the way to their neighbors, drawn at 128 x 128; and
the same four times as wide. `busy` says how many processes wanted a core meanwhile; processor time
is summed over threads and does not wait for one.
"""

import os
import time
from collections.abc import Callable

import torch
from torch import Tensor

from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.splatting import splat
from backend.representations.densify import Densifier, DensityRule
from backend.representations.gaussians import Gaussians
from backend.representations.points import Points

from .timing import Timing, best_seconds

COUNT = 10_000


def measure() -> list[Timing]:
    cameras = orbit_cameras([20.0], 15.0, 3.0, 40.0, 128)
    step = orbit_cameras([0.0, 90, 180, 270], 15.0, 3.0, 40.0, 64)
    gaussians, wide = some_gaussians(), some_gaussians(4.0)
    both = best_seconds(lambda: _both(gaussians, cameras))
    milliseconds = 1e3 * _processor_seconds(lambda: _both(gaussians, cameras))
    detail = f"{milliseconds:.0f} ms of processor time; busy: {os.getloadavg()[0]:.1f}"
    return [
        Timing("forward and backward, 128²", both, detail),
        Timing("forward", best_seconds(lambda: _forward(gaussians, cameras))),
        Timing("four times as wide, both", best_seconds(lambda: _both(wide, cameras))),
        Timing("four views of 64², both", best_seconds(lambda: _both(gaussians, step))),
        Timing("densify to 20 000", best_seconds(_densify)),
        Timing("textured mesh", best_seconds(gaussians.to_mesh, 1, 0), "128³, 1024² texels"),
    ]


def some_gaussians(width: float = 1.0) -> Gaussians:
    """On a ball, of all opacities, ``width`` times as wide as the way to their neighbors."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.nn.functional.normalize(torch.randn(COUNT, 3, generator=generator), dim=-1)
    gaussians = Gaussians.from_points(Points(0.7 * directions, (directions + 1) / 2))
    gaussians.opacities.data = torch.randn(COUNT, generator=generator)
    gaussians.scales.data += torch.tensor(width).log()
    return gaussians


def _processor_seconds(action: Callable[[], object], repeats: int = 10) -> float:
    found = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        found.append(time.process_time() - start)
    return min(found)


def _forward(gaussians: Gaussians, cameras: Cameras) -> Tensor:
    return splat(
        gaussians.means, gaussians.quats, gaussians.scales.exp(), gaussians.opacities.sigmoid(),
        gaussians.albedo(), cameras,
    ).images


def _both(gaussians: Gaussians, cameras: Cameras) -> None:
    _forward(gaussians, cameras).square().sum().backward()


def _densify() -> None:
    gaussians = some_gaussians()
    densifier = Densifier(gaussians, (64, 64))
    gaussians.channels["view gradient"] += 1.0
    densifier.densify(DensityRule(gradient=0.5), torch.Generator().manual_seed(0))
