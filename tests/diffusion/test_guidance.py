import pytest
import torch

from backend.diffusion.conversions import from_x0
from backend.diffusion.guidance import guide, guide_instruction, perp_neg, rescale_x0

UNCOND, COND, OTHER = (torch.randn(2, 4, 3, 5, 5, dtype=torch.float64) for _ in range(3))


def test_the_papers_other_form_is_one_scale_more() -> None:
    """cond + s (cond - uncond), as DreamFusion writes it, is scale s + 1 here."""
    assert torch.allclose(COND + 7.5 * (COND - UNCOND), guide(UNCOND, COND, 8.5))


def test_scales_zero_and_one() -> None:
    assert torch.equal(guide(UNCOND, COND, 0), UNCOND)
    assert torch.allclose(guide(UNCOND, COND, 1), COND)


def test_guiding_x0_is_guiding_eps() -> None:
    noisy, alpha, sigma = OTHER, torch.tensor(0.6), torch.tensor(0.8)
    by_x0 = from_x0(noisy, guide(UNCOND, COND, 5), alpha, sigma)[1]
    eps = [from_x0(noisy, x0, alpha, sigma)[1] for x0 in (UNCOND, COND)]
    assert torch.allclose(by_x0, guide(*eps, 5))


def test_instruction_guidance_with_equal_scales_is_plain() -> None:
    assert torch.allclose(
        guide_instruction(UNCOND, OTHER, COND, 3, 3), guide(UNCOND, COND, 3)
    )
    assert torch.allclose(
        guide_instruction(UNCOND, OTHER, COND, 3, 0), guide(UNCOND, OTHER, 3)
    )


def test_a_negative_along_the_positive_does_nothing() -> None:
    along = UNCOND + 0.7 * (COND - UNCOND)
    guided = perp_neg(UNCOND, COND, [along], [torch.ones(2)], 4)
    assert torch.allclose(guided, guide(UNCOND, COND, 4))


def test_a_negative_never_weakens_the_positive() -> None:
    guided = perp_neg(UNCOND, COND, [OTHER], [torch.tensor([0.5, 2.0])], 4)
    positive = COND - UNCOND
    moved = ((guided - UNCOND) * positive).flatten(1).sum(1)
    assert torch.allclose(moved, 4 * (positive**2).flatten(1).sum(1))
    across = ((guided - UNCOND) * (OTHER - UNCOND)).flatten(1).sum(1)
    plain = (4 * positive * (OTHER - UNCOND)).flatten(1).sum(1)
    assert (across < plain).all()


def test_full_rescale_restores_the_deviation_of_a_set() -> None:
    guided = guide(UNCOND, COND, 9)
    rescaled = rescale_x0(guided, COND, 1.0)
    assert torch.allclose(rescaled.flatten(1).std(1), COND.flatten(1).std(1))
    factor = rescaled / guided  # one factor for all views, channels and pixels of a set
    assert torch.allclose(factor, factor[:, :1, :1, :1, :1].expand_as(factor))
    assert float(factor[0, 0, 0, 0, 0]) != pytest.approx(float(factor[1, 0, 0, 0, 0]), rel=1e-6)


def test_rescale_blends() -> None:
    guided = guide(UNCOND, COND, 9)
    ends = [rescale_x0(guided, COND, strength) for strength in (0.0, 1.0)]
    assert torch.equal(ends[0], guided)
    assert torch.allclose(rescale_x0(guided, COND, 0.5), (ends[0] + ends[1]) / 2)
