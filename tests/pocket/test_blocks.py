"""Attention that neither saturates nor drowns what tells tokens apart."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backend.pocket.blocks import (
    NEARNESS_UNIT,
    REACHES,
    SHARPEST,
    Block,
    Summary,
    _segment_distance,
    modulated,
    nearness,
)
from backend.pocket.network import ray_map
from backend.pocket.sampling import rig

KNOWN = torch.ones(1, 4, dtype=torch.bool)


def test_attention_stays_soft_however_large_its_projections_grow() -> None:
    block = Block(32, 2, 16).requires_grad_(False)
    q, k = (torch.randn(1, 2, 7, 16, generator=torch.Generator().manual_seed(i)) for i in (0, 1))
    logits = block._logits(q, k)
    torch.testing.assert_close(block._logits(1000 * q, 1000 * k), logits)
    block.sharpness += 100
    assert block._logits(q, k).abs().max() <= SHARPEST


def test_what_all_tokens_share_does_not_drown_their_differences() -> None:
    """A large bias before what is added, beside which a normalization would shrink all else."""
    torch.manual_seed(0)
    block = Block(32, 2, 16).requires_grad_(False)
    x, condition = torch.randn(1, 64, 32), torch.zeros(1, 1, 16)
    mask, near = torch.zeros(1, 1, 1, 64), torch.zeros(1, len(REACHES), 64, 64)

    def varying() -> float:
        added = block(x, condition, mask, near) - x
        return float((added - added.mean(1, keepdim=True)).square().mean())

    before = varying()
    for layer in (block.out, block.mlp[2]):
        layer.bias += 30.0 * torch.randn(32)
    assert varying() > 0.1 * before


def test_a_fresh_head_finds_the_same_place_in_another_view() -> None:
    """Two views of one camera, tokens of no content: a place's two tokens share its attention."""
    rays = ray_map(rig(1))[None].expand(1, 2, -1, -1, -1)
    near = nearness(rays, KNOWN[:, :2])
    block = Block(32, 4, 16).requires_grad_(False)
    share = torch.einsum("hr,brnm->bhnm", NEARNESS_UNIT * block.nearness, near).softmax(-1)[0, 0]
    place = 27
    assert share[place, place] == pytest.approx(float(share[place, place + 64]), rel=1e-4)
    assert share[place].topk(2).indices.sort().values.tolist() == [place, place + 64]
    assert share[place, place] > 0.25


def test_rays_that_cross_inside_the_ball_are_near() -> None:
    """The middle of one view meets a column of the view from its side, and not its edges."""
    near = nearness(ray_map(rig(4, elevation_degrees=0.0))[None], KNOWN)[0, 1]
    assert near.shape == (256, 256) and near.min() >= 0 and near.max() <= 1
    torch.testing.assert_close(near, near.T)
    middle = near[28, 64:128].reshape(8, 8)
    assert (middle[3, 2:6] > 0.8).all() and (middle[[0, 7]] < 0.1).all()


def test_an_unknown_camera_is_near_nothing() -> None:
    near = nearness(ray_map(rig(4))[None], torch.tensor([[True, True, False, True]]))[0]
    assert not near[:, 128:192].any() and not near[:, :, 128:192].any()
    assert near[:, :64, 64:128].any()


@given(st.integers(0, 10_000))
def test_distances_of_segments_are_those_of_their_points(seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    direction = torch.nn.functional.normalize(torch.randn(1, 4, 3, generator=g), dim=-1)
    point = 0.4 * torch.randn(1, 4, 3, generator=g)
    point = point - (point * direction).sum(-1, keepdim=True) * direction
    half = (1 - point.square().sum(-1, keepdim=True)).clamp_min(0).sqrt()
    steps = torch.linspace(-1, 1, 201)[:, None]
    lines = point[0, :, None] + steps * half[0, :, None] * direction[0, :, None]
    wanted = torch.stack([torch.cdist(lines[i], lines).amin((1, 2)) for i in range(4)])
    found = _segment_distance(point, direction, half)[0].sqrt()
    torch.testing.assert_close(found, wanted, atol=0.02, rtol=0)


def test_film_leaves_the_text_alone() -> None:
    tokens, film = torch.ones(1, 64 + 3, 8), torch.ones(1, 1, 16)
    found = modulated(tokens, film)
    assert (found[:, :64] == 3).all() and (found[:, 64:] == 1).all()


def test_a_summary_begins_as_nothing_and_weighs_all_tokens_alike() -> None:
    torch.manual_seed(0)
    summary = Summary(32, 4, 16).requires_grad_(False)
    x, condition = torch.randn(2, 3 * 64, 32), torch.randn(2, 3, 16)
    assert not summary(x, condition).any()
    summary.out.weight.normal_()
    mean = summary.value(summary.norm(x)).mean(1)
    torch.testing.assert_close(summary(x, condition), summary.out(mean), atol=1e-5, rtol=1e-4)


def test_a_summary_attends_to_the_view_that_its_condition_points_out() -> None:
    """Scores that read only what FiLM adds: one view counts, the other may show anything."""
    torch.manual_seed(0)
    summary = Summary(32, 4, 16).requires_grad_(False)
    summary.out.weight.normal_()
    summary.film.weight[32:] = 30.0  # the shift of a view whose condition is 1
    summary.score.weight.fill_(1.0)
    condition = torch.tensor([0.0, 1.0])[None, :, None].expand(1, 2, 16)
    x = torch.randn(1, 2 * 64, 32)
    other = torch.cat([torch.randn(1, 64, 32), x[:, 64:]], 1)
    torch.testing.assert_close(summary(x, condition), summary(other, condition))
