"""The Poisson system against closed forms, and its adjoint against differences."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from backend.deformation import factors
from backend.deformation.poisson import PoissonSystem, double_areas, gradient_operator

from .shapes import ellipsoid

MESH = ellipsoid()
REST, FACES = MESH.positions.astype(np.float64), MESH.faces
FIXED = np.flatnonzero(REST[:, 2] < -0.5)
TURN = Rotation.from_rotvec([0.3, -1.1, 0.7]).as_matrix()


@pytest.fixture(scope="module", params=["cholespy", "scipy"])
def system(request: pytest.FixtureRequest) -> PoissonSystem:
    return PoissonSystem(REST, FACES, FIXED, request.param)


def shape(system: PoissonSystem, jacobians: torch.Tensor, moved: np.ndarray) -> np.ndarray:
    return system.positions(jacobians, torch.from_numpy(moved[system.fixed])).numpy()


def test_gradients_of_a_linear_function_are_its_slope_within_the_face() -> None:
    slope = np.array([0.3, -2.0, 0.7])
    found = (gradient_operator(REST, FACES) @ (REST @ slope + 4)).reshape(-1, 3)
    a, b, c = (REST[FACES[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a) / double_areas(REST, FACES)[:, None]
    within = slope - (normals @ slope)[:, None] * normals
    assert np.abs(found - within).max() < 1e-12


def test_its_own_jacobians_give_the_shape_back(system: PoissonSystem) -> None:
    assert np.abs(shape(system, system.jacobians(REST), REST) - REST).max() < 1e-9


def test_the_identity_in_every_face_is_as_good(system: PoissonSystem) -> None:
    identity = torch.eye(3, dtype=torch.float64).expand(len(FACES), 3, 3)
    assert np.abs(shape(system, identity, REST) - REST).max() < 1e-9


def test_turned_jacobians_and_moved_anchors_are_a_rigid_motion(system: PoissonSystem) -> None:
    moved = REST @ TURN.T + [0.4, 0.1, -2.0]
    turned = system.jacobians(REST) @ torch.from_numpy(TURN.T)
    assert np.abs(shape(system, turned, moved) - moved).max() < 1e-9


def test_jacobians_of_any_shape_give_that_shape(system: PoissonSystem) -> None:
    bent = REST + 0.2 * np.sin(3 * REST[:, [1, 2, 0]])
    assert np.abs(shape(system, system.jacobians(bent), bent) - bent).max() < 1e-9


def test_the_adjoint_agrees_with_differences(system: PoissonSystem) -> None:
    held = torch.from_numpy(REST[system.fixed])
    generator = torch.Generator().manual_seed(0)
    pattern = torch.randn(REST.shape, generator=generator, dtype=torch.float64)
    way = torch.randn(len(FACES), 3, 3, generator=generator, dtype=torch.float64)

    def value(jacobians: torch.Tensor) -> torch.Tensor:
        return (pattern * system.positions(jacobians, held).sin()).sum()

    start = system.jacobians(REST).requires_grad_()
    (gradient,) = torch.autograd.grad(value(start), start)
    step = 1e-5
    with torch.no_grad():
        slope = (value(start + step * way) - value(start - step * way)) / (2 * step)
    assert float((gradient * way).sum()) == pytest.approx(float(slope), rel=1e-6)


def test_anchors_are_exact_and_every_run_has_the_same_bits(system: PoissonSystem) -> None:
    field = system.jacobians(REST) * 1.3
    held = torch.from_numpy(REST[system.fixed])
    first, second = (system.positions(field, held) for _ in range(2))
    assert torch.equal(first[system.fixed], held)
    assert torch.equal(first, second)


def test_scipy_answers_where_cholespy_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(matrix: object) -> None:
        raise ImportError("cholespy")

    monkeypatch.setattr(factors, "_by_cholespy", missing)
    system = PoissonSystem(REST, FACES, FIXED)
    assert np.abs(shape(system, system.jacobians(REST), REST) - REST).max() < 1e-9
