"""The guarantee, row by row: outside a region nothing changes, moments included."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import Parameter

from backend.regions.gate import Gate

WEIGHTS = torch.tensor([0.0, 1.0, 0.5, 0.0])


def rows() -> Parameter:
    return Parameter(torch.randn(4, 3, generator=torch.Generator().manual_seed(0)))


def optimizers() -> list[Callable[[Parameter], torch.optim.Optimizer]]:
    return [
        lambda p: torch.optim.Adam([{"params": [p], "name": "rows"}], lr=0.1),
        lambda p: torch.optim.AdamW([{"params": [p], "name": "rows"}], lr=0.1, weight_decay=0.3),
        lambda p: torch.optim.SGD([{"params": [p], "name": "rows"}], lr=0.1, momentum=0.9),
    ]


@pytest.mark.parametrize("make", optimizers())
def test_rows_outside_keep_their_bits_also_with_momentum_and_decay(
    make: Callable[[Parameter], torch.optim.Optimizer],
) -> None:
    parameter = rows()
    optimizer = make(parameter)
    # Moments from before the region: they would go on moving the rows.
    parameter.sum().backward()
    optimizer.step()
    before = parameter.detach().clone()
    memory = {k: v.clone() for k, v in optimizer.state[parameter].items()}
    Gate(optimizer, lambda: {"rows": WEIGHTS})
    for _ in range(5):
        optimizer.zero_grad()
        (parameter**2).sum().backward()
        optimizer.step()
    outside = WEIGHTS == 0
    assert torch.equal(parameter[outside], before[outside])
    assert (parameter[~outside] != before[~outside]).all()
    for name, value in optimizer.state[parameter].items():
        if value.shape == parameter.shape:
            assert torch.equal(value[outside], memory[name][outside])
            assert (value[~outside] != memory[name][~outside]).any()


def test_gradients_that_are_not_finite_stay_outside() -> None:
    parameter = rows()
    optimizer = torch.optim.SGD([{"params": [parameter], "name": "rows"}], lr=1.0)
    Gate(optimizer, lambda: {"rows": WEIGHTS})
    before = parameter.detach().clone()
    parameter.grad = torch.full((4, 3), 2.0)
    parameter.grad[0] = float("nan")
    optimizer.step()
    moved = before - parameter.detach()
    expected = torch.tensor([[0.0], [2], [1], [0]]).expand(4, 3)
    assert torch.allclose(moved, expected)


def test_weights_may_change_with_the_rows() -> None:
    """After densification the parameter is another object with more rows."""
    optimizer = torch.optim.Adam([{"params": [rows()], "name": "rows"}], lr=0.1)
    weights = {"rows": WEIGHTS}
    Gate(optimizer, lambda: weights)
    grown = Parameter(torch.ones(6, 3))
    optimizer.param_groups[0]["params"] = [grown]
    weights["rows"] = torch.tensor([0.0, 0, 0, 0, 0, 1])
    grown.sum().backward()
    optimizer.step()
    assert torch.equal(grown[:5], torch.ones(5, 3)) and (grown[5] != 1).all()


def test_what_has_no_place_may_not_be_optimized() -> None:
    parameter = rows()
    optimizer = torch.optim.Adam([{"params": [parameter], "name": "network"}], lr=0.1)
    Gate(optimizer, lambda: {"rows": WEIGHTS})
    parameter.sum().backward()
    with pytest.raises(ValueError, match="network"):
        optimizer.step()


@settings(max_examples=30, deadline=None)
@given(
    weights=st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=1, max_size=8),
    bad=st.sampled_from([0.0, float("nan"), float("inf"), 1e30]),
    make=st.sampled_from(optimizers()), steps=st.integers(1, 4), seed=st.integers(0, 10**6),
)
def test_whatever_the_gradients_rows_outside_keep_their_bits(
    weights: list[float], bad: float, make: Callable[[Parameter], torch.optim.Optimizer],
    steps: int, seed: int,
) -> None:
    """Also where those outside are not finite."""
    generator, inside = torch.Generator().manual_seed(seed), torch.tensor(weights)
    parameter = Parameter(torch.randn(len(weights), 2, generator=generator))
    before, optimizer = parameter.detach().clone(), make(parameter)
    Gate(optimizer, lambda: {"rows": inside})
    for _ in range(steps):
        parameter.grad = torch.randn(parameter.shape, generator=generator)
        parameter.grad[inside == 0] += bad
        optimizer.step()
    assert torch.equal(parameter.detach()[inside == 0], before[inside == 0])
    for kept in optimizer.state[parameter].values():
        if isinstance(kept, torch.Tensor) and kept.shape == parameter.shape:
            assert not kept[inside == 0].any()
    assert torch.isfinite(parameter).all()
