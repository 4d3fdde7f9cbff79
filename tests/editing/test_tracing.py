"""Outlines become labels: of what is in front, not of what it hides."""

import pytest
import torch

from backend.editing.locating import Found
from backend.editing.tracing import label, labels, shown_labels, trace, trace_word, where_labelled
from backend.rendering.cameras import orbit_cameras
from backend.representations.gaussians import Gaussians
from backend.representations.points import Points
from protocol.errors import InputError

FRONT = orbit_cameras([0.0], 0.0, 4.0, 40.0, 32)


def balls(*centers: tuple[float, float, float]) -> Gaussians:
    """Opaque little balls of 50 Gaussians each."""
    generator = torch.Generator().manual_seed(0)
    places = torch.nn.functional.normalize(torch.randn(50, 3, generator=generator), dim=-1) * 0.3
    positions = torch.cat([places + torch.tensor(center) for center in centers])
    made = Gaussians.from_points(Points(positions, torch.full_like(positions, 0.5)), 0.999)
    with torch.no_grad():
        made.scales.fill_(-2.0)
    return made


def test_each_ball_gets_what_its_own_outline_says() -> None:
    both = balls((-0.5, 0, 0), (0.5, 0, 0))
    mask = torch.zeros(1, 32, 32)
    mask[..., :16] = 1
    traced = trace(both, FRONT, mask)
    left, right = traced.weights[:50], traced.weights[50:]
    assert (left[traced.seen[:50] > 0] > 0.5).float().mean() > 0.95
    assert (right[traced.seen[50:] > 0] < 0.5).float().mean() > 0.95
    named = trace_word(both, Found(FRONT, mask, mask), 0.5)
    assert named[:50].mean() > 0.95
    assert named[50:].mean() < 0.05


def test_what_is_hidden_is_not_traced() -> None:
    both = balls((0, -0.5, 0), (0, 1.2, 0))
    mask = torch.ones(1, 32, 32)
    traced = trace(both, FRONT, mask)
    assert (traced.weights[:50] > 0.99).float().mean() > 0.4
    assert traced.weights[50:].max() == 0
    assert traced.seen[50:].max() == 0
    assert trace_word(both, Found(FRONT, mask, mask), 0.5).tolist() == [1] * 50 + [0] * 50


def test_weights_are_shares_of_what_is_drawn() -> None:
    one = balls((0, 0, 0))
    half = trace(one, FRONT, torch.full((1, 32, 32), 0.5))
    shown = half.seen > 0
    assert torch.allclose(half.weights[shown], torch.tensor(0.5), atol=1e-5)
    with torch.no_grad():
        total = one.render(FRONT).alpha.sum()
    assert 0.9 * total < half.seen.sum() <= total


def test_labels_go_to_children_and_empty_ones_are_refused() -> None:
    one = balls((0, 0, 0))
    label(one, (torch.arange(50) < 5).float())
    one.replace_rows(torch.tensor([0, 7, 0]), torch.tensor([False, False, True]))
    assert labels(one).tolist() == [1, 0, 1]
    with pytest.raises(InputError, match="region"):
        label(one, torch.zeros(3))


def test_what_pictures_show_of_the_region_and_not_what_is_behind() -> None:
    """The left ball and one behind the right one."""
    made = balls((-0.5, 0, 0), (0.5, 0, 0), (0.5, 1.0, 0))
    label(made, torch.cat([torch.full((50,), 0.4), torch.zeros(50), torch.full((50,), 0.4)]))
    shown, place = shown_labels(made, FRONT), where_labelled(made, FRONT)
    assert shown.shape == place.shape == (1, 32, 32)
    assert 0.3 < shown.max() < 0.41
    assert place[..., :16].mean() > 0.02 and not place[..., 16:].any()
    assert set(place.unique().tolist()) == {0.0, 1.0}
