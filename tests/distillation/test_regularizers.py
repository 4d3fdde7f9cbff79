import math

import pytest
import torch

from backend.distillation.regularizers import entropy, opacity, orientation, total_variation

INTO = torch.tensor([[0.0, 1.0, 0.0]])  # a ray that flies toward +y


@pytest.mark.parametrize(
    ("normal", "loss"),
    [((0, -1, 0), 0.0), ((1, 0, 0), 0.0), ((0, 1, 0), 0.5), ((0, 0.6, 0.8), 0.18)],
)
def test_orientation_punishes_normals_that_face_away(
    normal: tuple[float, ...], loss: float
) -> None:
    found = orientation(torch.tensor([0.5]), torch.tensor([normal]), INTO, rays=1)
    assert float(found) == pytest.approx(loss)


def test_orientation_turns_normals_and_leaves_weights_alone() -> None:
    weights = torch.tensor([0.5], requires_grad=True)
    normals = torch.tensor([[0.0, 1.0, 0.0]], requires_grad=True)
    orientation(weights, normals, INTO, rays=2).backward()
    assert weights.grad is None
    assert normals.grad[0].tolist() == [0.0, 0.5, 0.0]


def test_opacity_and_entropy() -> None:
    assert float(opacity(torch.tensor([0.0, 1.0]))) == pytest.approx((0.1 + math.sqrt(1.01)) / 2)
    assert float(entropy(torch.tensor([0.5]))) == pytest.approx(math.log(2))
    assert float(entropy(torch.tensor([0.0, 1.0]))) < 2e-4


def test_total_variation_of_a_ramp() -> None:
    ramp = torch.arange(5.0).expand(2, 4, 3, 5)
    assert float(total_variation(ramp)) == pytest.approx(1.0)
    assert float(total_variation(torch.ones(1, 3, 3, 3))) == 0
