import numpy as np
import pytest
import torch
import trimesh

from backend.evaluation.geometry import (
    chamfer,
    novel_view_psnr,
    psnr,
    seen,
    spread_points,
    unseen,
    volume_iou,
)
from backend.evaluation.looking import sphere
from backend.rendering.cameras import orbit_cameras
from protocol.assets import Mesh


def as_mesh(thing):
    return Mesh(np.asarray(thing.vertices, np.float32), np.asarray(thing.faces, np.int32))


def ball(radius=0.5, center=(0, 0, 0)):
    thing = trimesh.creation.icosphere(subdivisions=4, radius=radius)
    return as_mesh(thing.apply_translation(center))


def box(size, center=(0, 0, 0)):
    return as_mesh(trimesh.creation.box(size).apply_translation(center))


def test_chamfer_of_concentric_balls_is_the_gap_over_the_diameter():
    assert chamfer(ball(0.55), ball(0.5)) == pytest.approx(0.05, abs=2e-3)
    assert chamfer(ball(0.25), ball(0.5)) == pytest.approx(0.25, abs=2e-3)


def test_chamfer_is_the_mean_of_both_ways():
    """Half of a box's surface is that of its half, but for the cut."""
    whole, thin = box((2, 1, 1)), box((2, 1, 0.02), (0, 0, 0.49))
    there = np.mean(0.5 - np.abs(spread_points(thin, 20_000)[:, 2]))
    assert chamfer(thin, whole) > there / 2
    assert chamfer(thin, whole) == pytest.approx(chamfer(whole, thin), rel=0.02)


def test_only_what_a_camera_sees_counts():
    front = orbit_cameras([0.0], 0.0, 6.0, 30.0, 32)
    points = spread_points(ball(), 20_000, front)
    assert 0.3 < len(points) / 20_000 < 0.5
    assert points[:, 1].max() < 0.02
    behind = Mesh(
        np.concatenate([ball(0.5).positions, ball(0.2, (0, 0.3, 0)).positions]),
        np.concatenate([ball().faces, ball().faces + len(ball().positions)]),
    )
    assert chamfer(behind, ball(), front) < 0.01
    assert chamfer(behind, ball()) > 0.01


def test_points_behind_other_parts_are_not_seen():
    cameras = orbit_cameras([0.0], 0.0, 6.0, 30.0, 32)
    points = np.array([[0, -0.5, 0], [0, 0.5, 0], [9, 0, 0]], float)
    assert seen(ball(), points, cameras).tolist() == [True, False, False]


def test_iou_of_boxes_is_that_of_their_volumes():
    assert volume_iou(box((1, 1, 1)), box((1, 1, 1))) == 1
    assert volume_iou(box((0.5, 1, 1)), box((1, 1, 1))) == pytest.approx(0.5, abs=0.03)
    assert volume_iou(box((1, 1, 1), (0.5, 0, 0)), box((1, 1, 1))) == pytest.approx(1 / 3, abs=0.05)
    assert volume_iou(box((1, 1, 1), (3, 0, 0)), box((1, 1, 1))) == 0


def test_iou_of_balls():
    assert volume_iou(ball(0.4), ball(0.5)) == pytest.approx(0.8**3, abs=0.02)


def test_psnr_of_a_known_error():
    truth = torch.full((2, 4, 4, 3), 0.5)
    found = truth + torch.tensor([0.1, 0.01]).reshape(2, 1, 1, 1)
    assert torch.allclose(psnr(found, truth), torch.tensor([20.0, 40.0]), atol=1e-3)


def test_psnr_of_novel_views_looks_inside_the_union_of_the_masks():
    truth, found = torch.full((1, 4, 4, 3), 0.5), torch.full((1, 4, 4, 3), 0.5)
    one, two = torch.zeros(1, 4, 4, 1), torch.zeros(1, 4, 4, 1)
    one[:, 0], two[:, :, 0] = 1, 1
    found[:, 0] += 0.1
    expected = -10 * np.log10(0.01 * 4 / 7)
    assert float(novel_view_psnr(found, one, truth, two)) == pytest.approx(expected, abs=1e-3)


def test_crossing_and_open_parts_hide_the_inside_all_the_same():
    two = Mesh(
        np.concatenate([ball(0.4, (0.2, 0, 0)).positions, ball(0.4, (-0.2, 0, 0)).positions]),
        np.concatenate([ball().faces, ball().faces + len(ball().positions)]),
    )
    axes = [np.linspace(-1, 1, 40)] * 3
    lattice = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    inside = (np.linalg.norm(np.abs(lattice) - [0.2, 0, 0], axis=-1) < 0.4)
    found = unseen(two, axes, sphere())
    assert (found & inside).sum() / (found | inside).sum() > 0.93
    assert volume_iou(two, two, 32, sphere()) == 1


def test_a_bowl_is_not_full():
    half = ball(0.8)
    half.faces = half.faces[half.positions[half.faces][..., 2].max(1) < 0.05]
    axes = [np.linspace(-1, 1, 40)] * 3
    assert unseen(half, axes, sphere()).mean() < 0.1 * unseen(ball(0.8), axes, sphere()).mean()
