"""Shapes from Jacobians: the gradient of a mesh's map, and the Poisson system that undoes it.

For vertices V (n, 3) the gradient operator G (3m x n) gives, a face, J = G V: row d of a block is
how position changes along the world's direction d within the face, (grad phi_i = n x e_i / 2A for
the hat function of a corner whose opposite edge is e_i; Aigerman et al., Neural Jacobian Fields,
arXiv 2205.02904, section 3; As-Plausible-As-Possible, arXiv 2311.16739, section 3.1). Of all
vertices with some held fixed, those fit a given field J best, by area, that solve

    (G^T A G) V = G^T A J,

where the fixed ones are eliminated: hard constraints, exact, and better conditioned than the
squared soft form of the released code.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from torch import Tensor

from backend.deformation.factors import Array, Library, factorize

Faces = NDArray[np.int32]


class PoissonSystem:
    """Of a mesh at rest, ``positions`` (n, 3) float64 and ``faces`` (m, 3), whose vertices
    ``fixed`` (a,) are given; each connected component needs one of them, and vertices in no face
    have to be among them. Factored here, once."""

    def __init__(
        self, positions: Array, faces: Faces, fixed: NDArray[np.int64],
        library: Library | None = None,
    ) -> None:
        count = len(positions)
        self.fixed = np.unique(fixed)
        self.free = np.setdiff1d(np.arange(count), self.fixed)
        self.gradient = gradient_operator(positions, faces)
        weights = np.repeat(double_areas(positions, faces) / 2, 3)
        divergence = (self.gradient.T @ diags(weights)).tocsr()
        stiffness = (divergence @ self.gradient).tocsr()[self.free]
        self._divergence = divergence[self.free]
        self._spread = self._divergence.T.tocsr()
        self._coupling = stiffness[:, self.fixed]
        self._solve = factorize(stiffness[:, self.free].tocsc(), library)

    def jacobians(self, positions: Array) -> Tensor:
        """Those of a shape of this mesh, (m, 3, 3) float64: (face, direction, coordinate)."""
        return torch.from_numpy((self.gradient @ positions).reshape(-1, 3, 3))

    def positions(self, jacobians: Tensor, held: Tensor) -> Tensor:
        """The shape (n, 3) that fits ``jacobians`` (m, 3, 3) best while the fixed vertices, in the
        order of their numbers, are at ``held`` (a, 3); float64. Differentiable in the Jacobians."""
        found: Tensor = _Poisson.apply(jacobians, held, self)
        return found

    def solve(self, field: Array, held: Array) -> Array:
        """As :meth:`positions`, without gradient; ``field`` (3m, 3)."""
        shape = np.empty((len(self.free) + len(self.fixed), 3))
        shape[self.free] = self._solve(self._divergence @ field - self._coupling @ held)
        shape[self.fixed] = held
        return shape

    def adjoint(self, gradient: Array) -> Array:
        """Of a value whose gradient to the shape is ``gradient`` (n, 3), that to the field, (3m,
        3): the matrix is symmetric, so it is the same solve."""
        return self._spread @ self._solve(gradient[self.free])


class _Poisson(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, jacobians: Tensor, held: Tensor, system: PoissonSystem) -> Tensor:
        ctx.system = system
        field = jacobians.detach().numpy().reshape(-1, 3)
        return torch.from_numpy(system.solve(field, held.numpy()))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        field = ctx.system.adjoint(gradients[0].numpy())
        return torch.from_numpy(field).view(-1, 3, 3), None, None


def double_areas(positions: Array, faces: Faces) -> Array:
    """Twice the area of each face, (m,)."""
    return np.linalg.norm(_across(positions, faces), axis=1)


def gradient_operator(positions: Array, faces: Faces) -> csr_matrix:
    """G (3m x n); faces must have area."""
    across = _across(positions, faces)
    scaled = across / (across * across).sum(1, keepdims=True)  # normal / 2A
    corners = positions[faces]
    columns = np.broadcast_to(faces[:, None, :], (len(faces), 3, 3))
    opposite = np.roll(corners, -2, 1) - np.roll(corners, -1, 1)
    values = np.cross(scaled[:, None], opposite)  # (m, corner, direction)
    rows = np.broadcast_to(np.arange(3 * len(faces)).reshape(-1, 3, 1), (len(faces), 3, 3))
    entries = (values.transpose(0, 2, 1).ravel(), (rows.ravel(), columns.ravel()))
    return csr_matrix(entries, shape=(3 * len(faces), len(positions)))


def _across(positions: Array, faces: Faces) -> Array:
    a, b, c = (positions[faces[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)
