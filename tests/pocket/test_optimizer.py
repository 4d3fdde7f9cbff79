"""Muon: orthogonal steps, what it moves, the same whoever does the work."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from backend.pocket.optimizer import ADAM_SCALE, Muon, Optimizer, orthogonalized


@given(st.integers(1, 48), st.integers(1, 48), st.floats(1e-6, 1e6), st.integers(0, 99))
def test_singular_values_are_about_one_and_directions_kept(
    rows: int, columns: int, scale: float, seed: int
) -> None:
    g = torch.Generator().manual_seed(seed)
    left = torch.linalg.qr(torch.randn(rows, rows, generator=g))[0]
    right = torch.linalg.qr(torch.randn(columns, columns, generator=g))[0]
    rank = min(rows, columns)
    values = scale * torch.linspace(0.2, 1, rank)
    found = orthogonalized(left[:, :rank] * values @ right[:, :rank].T).float()
    turned = left.T @ found @ right
    inside = turned.diagonal()[:rank]
    assert ((inside > 0.6) & (inside < 1.3)).all()
    assert (turned[:rank, :rank] - inside.diag()).abs().max() < 0.1


def test_no_gradient_gives_no_update_but_decay() -> None:
    weight = nn.Parameter(torch.ones(40, 50))
    weight.grad = torch.zeros(40, 50)
    Muon([weight], 0.1, weight_decay=0.5).step()
    assert torch.allclose(weight, torch.full((40, 50), 0.95))


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = (nn.Conv2d(8, 40, 3), nn.GroupNorm(4, 40), nn.Conv2d(40, 64, 3), nn.Conv2d(64, 4, 1))
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def advance(net: nn.Module, optimizer: Optimizer, steps: range, workers: int = 1) -> None:
    for step in steps:
        g = torch.Generator().manual_seed(step)
        net(torch.randn(2, 8, 9, 9, generator=g)).square().mean().backward()
        optimizer.step(0.01, workers)


def test_wide_matrices_are_muons_and_the_rest_adams() -> None:
    net = network()
    parts = Optimizer(net, 0.01).parts
    moved = {name: part.param_groups[0]["params"] for name, part in parts.items()}
    assert [id(p) for p in moved["muon"]] == [id(net[0].weight), id(net[2].weight)]
    assert len(moved["adam"]) == len(list(net.parameters())) - 2


def test_an_update_is_as_large_as_adams() -> None:
    weight = nn.Parameter(torch.zeros(64, 40, 3, 3))
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    Muon([weight], 0.01).step()
    size = float(weight.detach().square().mean().sqrt())
    assert size == pytest.approx(0.01 * ADAM_SCALE, rel=0.2)


def test_workers_change_nothing_and_a_kept_state_goes_on() -> None:
    alone, shared = network(), network()
    first, second = Optimizer(alone, 0.01), Optimizer(shared, 0.01)
    advance(alone, first, range(3))
    advance(shared, second, range(1))
    resumed = Optimizer(shared, 0.01)
    resumed.load_state_dict(second.state_dict())
    advance(shared, resumed, range(1, 3), workers=3)
    pairs = zip(alone.parameters(), shared.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_it_lowers_a_loss() -> None:
    net = network()
    optimizer = Optimizer(net, 0.01)
    x = torch.randn(4, 8, 9, 9, generator=torch.Generator().manual_seed(1))
    before = float(net(x).square().mean().detach())
    for _ in range(30):
        net(x).square().mean().backward()
        optimizer.step(0.01)
    assert float(net(x).square().mean().detach()) < 0.3 * before
    assert all(p.grad is None for p in net.parameters())
