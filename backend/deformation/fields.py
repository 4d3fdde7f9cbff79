"""What of a shape is optimized: its Jacobians, through the Poisson system, or its vertices."""

from collections.abc import Set
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import Parameter

from backend.deformation.handles import Drag
from backend.deformation.poisson import Faces, PoissonSystem
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import Cameras
from backend.rendering.shading import Shading
from backend.representations.base import Want
from backend.representations.mesh import MeshRepresentation, smooth_normals
from protocol.assets import Mesh


class JacobianField(nn.Module):
    """A Jacobian a face, (m, 3, 3) float64; anchors are held exactly, and what one face does its
    neighbors follow smoothly."""

    def __init__(self, drag: Drag, faces: Faces) -> None:
        super().__init__()
        rest = drag.rest.numpy()
        self.drag, self.faces = drag, faces
        self.system = PoissonSystem(rest, faces, drag.fixed)
        self.held = drag.rest[self.system.fixed]
        self.jacobians = Parameter(self.system.jacobians(rest))

    def forward(self) -> Tensor:
        """The shape, (n, 3) float64."""
        return self.system.positions(self.jacobians, self.held)

    @torch.no_grad()
    def settle(self) -> None:
        """Take the handles the rest of their way: to the field of the shape that fits this one best
        (by area, as always) among those that have each handle at its target."""
        drag = self.drag
        places = drag.rest.index_copy(0, drag.pulled, drag.targets)
        held = PoissonSystem(
            drag.rest.numpy(), self.faces, np.union1d(drag.fixed, drag.pulled.numpy())
        )
        shape = held.positions(self.jacobians, places[held.fixed])
        self.jacobians.copy_(self.system.jacobians(shape.numpy()))


class VertexField(nn.Module):
    """Vertices on their own, (n, 3) float64, of which anchors do not move: what a deformation by
    Jacobians is compared with."""

    def __init__(self, drag: Drag, faces: Faces) -> None:
        super().__init__()
        self.drag, self.rest = drag, drag.rest
        self.moves = torch.ones(len(drag.rest), 1, dtype=torch.float64)
        self.moves[drag.fixed] = 0
        self.offsets = Parameter(torch.zeros_like(drag.rest))

    def forward(self) -> Tensor:
        """The shape, (n, 3) float64."""
        return self.rest + self.moves * self.offsets

    @torch.no_grad()
    def settle(self) -> None:
        """Put the handles where they go."""
        drag = self.drag
        self.offsets[drag.pulled] = drag.targets - drag.rest[drag.pulled]


class DeformedMesh(MeshRepresentation):
    """A mesh whose shape is a field's, and whose colors stay; one parameter group, "shape"."""

    def __init__(self, mesh: Mesh, field: JacobianField | VertexField) -> None:
        super().__init__(mesh)
        del self.positions
        self.requires_grad_(False)
        self.field = field.requires_grad_(True)

    def render(
        self,
        cameras: Cameras,
        *,
        want: Set[Want] = frozenset({"color", "alpha"}),
        shading: Shading | None = None,
        background: Tensor | None = None,
        jitter: Tensor | None = None,
    ) -> Buffers:
        """See :class:`backend.representations.base.Representation`; solves for the shape first."""
        self.positions = self.field().float()
        return super().render(
            cameras, want=want, shading=shading, background=background, jitter=jitter
        )

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        """The field's, as "shape"."""
        return {"shape": list(self.field.parameters())}

    def state(self) -> dict[str, Tensor]:
        """Copies of the field's parameters, by name."""
        return {name: value.detach().clone() for name, value in self.field.named_parameters()}

    @torch.no_grad()
    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up a saved state of the same field."""
        for name, parameter in self.field.named_parameters():
            parameter.copy_(state[name])

    @torch.no_grad()
    def to_mesh(self, resolution: int = 0, texture_size: int = 0, faces: int = 0) -> Mesh:
        """The mesh with other positions and normals, and all else as it was."""
        positions = self.field().float()
        normals = smooth_normals(positions, self.faces)
        return replace(self.mesh, positions=positions.numpy(), normals=normals.numpy())

