"""A mesh that follows its handles: the part of a deformation that asks no prior."""

from collections.abc import Callable, Generator

import torch

from backend.deformation.fields import DeformedMesh
from backend.deformation.handles import Drag
from backend.distillation.loop import State, distill
from backend.rendering.cameras import Cameras, framing_radius, orbit_cameras
from backend.studio import Progress, Studio
from protocol.assets import Asset

FOV_DEGREES, FILL = 53.13, 0.8
USUAL_PULL = 0.25
"""Of a handle, that a learning rate is meant for: farther ones go faster."""


def follow_handles(
    mesh: DeformedMesh, drag: Drag, steps: int, rate: float, preview: Callable[[], Asset],
    studio: Studio,
) -> Generator[Progress, None, None]:
    """The stage "follow handles": a shape such that the handles come to their targets; at its end
    they are there."""
    rates = {"shape": rate * max(1.0, drag.pull / USUAL_PULL)}
    yield from studio.stage(
        "follow handles", State.create(mesh, rates, fused=True),
        lambda state: distill(
            state, steps, lambda step: {"handles": drag.loss(mesh.field())}, {"handles": 1.0},
            preview=preview,
        ),
    )
    mesh.field.settle()


def four_cameras(drag: Drag, resolution: int) -> Cameras:
    """In front, right, behind and left; far enough for the targets too."""
    reach = max(1.0, float(drag.rest.norm(dim=-1).max()), float(drag.targets.norm(dim=-1).max()))
    radius = reach * framing_radius(torch.tensor(FOV_DEGREES), FILL)
    return orbit_cameras([0.0, 90.0, 180.0, 270.0], 0.0, radius, FOV_DEGREES, resolution)
