"""Generations: the published table of weights, and what anchors charge for."""

import pytest
import torch

from backend.editing.anchors import Anchors, GenerationWeights
from backend.representations.gaussians import Gaussians
from backend.representations.points import Points


def gaussians(count: int = 4) -> Gaussians:
    generator = torch.Generator().manual_seed(0)
    return Gaussians.from_points(
        Points(torch.rand(count, 3, generator=generator), torch.full((count, 3), 0.5)), 0.5
    )


@pytest.mark.parametrize(
    ("densifications", "wanted"),
    [(0, [1]), (1, [2, 0]), (2, [4, 0.1, 0]), (3, [8, 0.2, 0.1, 0]), (4, [10, 0.4, 0.2, 0.1, 0])],
)
def test_weights_of_generations(densifications: int, wanted: list[float]) -> None:
    generations = torch.arange(densifications + 1)
    age = (densifications - generations).float()
    weights = GenerationWeights().of(age, generations == 0)
    assert torch.allclose(weights, torch.tensor(wanted, dtype=torch.float32))


def test_children_are_free_until_the_next_densification() -> None:
    parents = gaussians()
    anchors = Anchors(parents, GenerationWeights())
    rows = torch.tensor([0, 1, 2, 3, 3])
    parents.replace_rows(rows, torch.tensor([False] * 4 + [True]))
    anchors.renew()
    with torch.no_grad():
        parents.means += 1
    only_child = torch.tensor([False] * 4 + [True])
    assert anchors.losses(only_child)["means"] == 0
    assert torch.allclose(anchors.losses(~only_child)["means"], torch.tensor(2.0))
    anchors.renew()
    with torch.no_grad():
        parents.means += 1
    assert torch.allclose(anchors.losses(only_child)["means"], torch.tensor(0.1))


def test_what_is_not_asked_for_costs_nothing() -> None:
    moved = gaussians()
    anchors = Anchors(moved, GenerationWeights())
    with torch.no_grad():
        moved.colors[0] += 3
    assert anchors.losses(torch.tensor([False, True, True, True]))["colors"] == 0
    assert anchors.losses(torch.tensor([True, False, False, False]))["colors"] == 9
