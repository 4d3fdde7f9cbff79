"""Outlines become labels: of what is in front, not of what it hides."""

import numpy as np
import pytest
import torch
import trimesh

from backend.editing.locating import Found
from backend.editing.tracing import (
    label,
    labels,
    outlines,
    shown_labels,
    trace,
    trace_region,
    trace_word,
    where_labelled,
)
from backend.regions.placed import place_region
from backend.rendering.cameras import orbit_cameras
from backend.representations.gaussians import Gaussians
from backend.representations.points import Points
from protocol.assets import Mesh, Region
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


def nested() -> tuple[Mesh, np.ndarray]:
    """A ball with another just below its surface, as a neck ends in a head; which faces are the
    outer one's."""
    outer, inner = (trimesh.creation.icosphere(3, radius) for radius in (0.8, 0.76))
    both = trimesh.util.concatenate([outer, inner])
    mesh = Mesh(both.vertices.astype(np.float32), both.faces.astype(np.int32))
    return mesh, np.arange(len(both.faces)) < len(outer.faces)


def shell(radius: float) -> Gaussians:
    places = trimesh.creation.icosphere(3, radius).vertices.astype(np.float32)
    points = Points(torch.from_numpy(places), torch.full((len(places), 3), 0.5))
    made = Gaussians.from_points(points, 0.999)
    with torch.no_grad():
        made.scales.fill_(-2.7)
    return made


def test_gaussians_belong_to_the_faces_that_they_draw_not_to_the_nearest() -> None:
    mesh, chosen = nested()
    placed, below = place_region(Region(faces=chosen), mesh), shell(0.77)
    assert placed.at_points(below.means.detach().numpy()).mean() < 0.1
    assert trace_region(below, placed, 0.5).mean() > 0.99


def test_a_region_that_others_hide_is_where_its_faces_are() -> None:
    mesh, chosen = nested()
    joined = Gaussians.join([shell(0.8), shell(0.2)])
    weights = trace_region(joined, place_region(Region(faces=~chosen), mesh), 0.5)
    assert weights[: len(joined) // 2].mean() < 0.05
    assert weights[len(joined) // 2 :].mean() > 0.95


def test_weights_of_vertices_stay_weights() -> None:
    mesh, _ = nested()
    upper = mesh.positions[:, 2] > 0
    placed = place_region(Region(vertices=np.where(upper, 0.3, 0.0).astype(np.float32)), mesh)
    made = shell(0.8)
    weights, height = trace_region(made, placed, 0.5), made.means.detach()[:, 2]
    assert torch.allclose(weights[height > 0.1], torch.tensor(0.3))
    assert weights[height < -0.1].max() == 0


def test_a_region_too_small_for_coarse_gaussians_is_where_they_stand() -> None:
    mesh, chosen = nested()
    small, coarse = np.arange(len(chosen)) < 4, shell(0.8)
    with torch.no_grad():
        coarse.scales.fill_(-1.0)
    assert trace_region(coarse, place_region(Region(faces=small), mesh), 0.5).any()


def test_outlines_are_of_what_is_seen() -> None:
    mesh, chosen = nested()
    seen = outlines(place_region(Region(faces=chosen), mesh), FRONT)
    hidden = outlines(place_region(Region(faces=~chosen), mesh), FRONT)
    assert seen.mean() > 0.1 and not hidden.any()


def test_a_volume_holds_what_stands_in_it() -> None:
    mesh, _ = nested()
    box = np.diag([0.4, 1.0, 1.0, 1.0]).astype(np.float32)
    box[0, 3] = 0.5
    made = shell(0.8)
    weights = trace_region(made, place_region(Region(box=box), mesh), 0.5)
    across = made.means.detach()[:, 0]
    assert weights.tolist() == ((across >= 0.1) & (across <= 0.9)).float().tolist()
