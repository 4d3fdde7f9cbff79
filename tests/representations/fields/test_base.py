import torch
from torch.nn.functional import softplus

from backend.representations.fields.base import (
    activate_density,
    dreamfusion_blob,
    magic3d_blob,
    soft_blob,
    truncated_exp,
)


def test_truncated_exp_is_exp_with_its_gradient_where_nothing_overflows():
    raw = torch.linspace(-14, 14, 29, dtype=torch.float64).requires_grad_()
    value = truncated_exp(raw)
    assert torch.allclose(value, raw.exp())
    assert torch.autograd.gradcheck(truncated_exp, (raw,))


def test_beyond_the_cut_values_and_gradients_stay_finite_and_do_not_vanish():
    raw = torch.tensor([-100.0, 100.0], requires_grad=True)
    value = truncated_exp(raw)
    value.sum().backward()
    cut = torch.tensor(15.0)
    assert torch.allclose(value, torch.stack([torch.tensor(0.0), cut.exp()]))
    assert torch.allclose(raw.grad, torch.stack([(-cut).exp(), cut.exp()]))


def test_softplus_is_the_other_activation():
    raw = torch.randn(10)
    assert torch.equal(activate_density(raw, "softplus"), softplus(raw))
    assert torch.equal(activate_density(raw, "exp"), truncated_exp(raw))


def test_blobs_in_closed_form():
    points = torch.tensor([[0.0, 0, 0], [0, 0.2, 0], [0, 0, -0.5]])
    exponents = torch.tensor([0.0, -0.5, -3.125])
    assert torch.allclose(dreamfusion_blob(points), 5 * exponents.exp())
    assert torch.allclose(magic3d_blob(points), torch.tensor([10.0, 6, 0]))
    assert torch.allclose(soft_blob(points), torch.tensor([2.0, 1.2, 0]))
