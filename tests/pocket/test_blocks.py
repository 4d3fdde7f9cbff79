"""Attention that neither saturates nor drowns what tells tokens apart."""

import pytest
import torch

from backend.pocket.blocks import SHARPEST, Block, FormerBlock, Summary, modulated


def test_attention_stays_soft_however_large_its_projections_grow() -> None:
    block = Block(32, 2, 16).requires_grad_(False)
    q, k = (torch.randn(1, 2, 7, 16, generator=torch.Generator().manual_seed(i)) for i in (0, 1))
    logits = block._logits(q, k)
    torch.testing.assert_close(block._logits(1000 * q, 1000 * k), logits)
    block.sharpness += 100
    assert block._logits(q, k).abs().max() <= SHARPEST


@pytest.mark.parametrize(("kind", "kept"), [(Block, True), (FormerBlock, False)])
def test_what_all_tokens_share_does_not_drown_their_differences(
    kind: type[Block | FormerBlock], kept: bool
) -> None:
    """A large bias before what is added: the former block shrinks all else beside it."""
    torch.manual_seed(0)
    block = kind(32, 2, 16).requires_grad_(False)
    x, condition = torch.randn(1, 64, 32), torch.zeros(1, 1, 16)
    mask = torch.zeros(1, 1, 1, 64)

    def varying() -> float:
        added = block(x, condition, mask) - x
        return float((added - added.mean(1, keepdim=True)).square().mean())

    before = varying()
    for layer in (block.out, block.mlp[2]):
        layer.bias += 30.0 * torch.randn(32)
    assert (varying() > 0.1 * before) == kept


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
