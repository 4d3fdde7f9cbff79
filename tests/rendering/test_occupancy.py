import torch

from backend.rendering.occupancy import Occupancy


def ball(points):
    return (points.norm(dim=-1) < 0.4).float()


def test_everything_is_occupied_before_the_first_update():
    occupancy = Occupancy(8)
    assert occupancy.is_full()
    assert occupancy.contains(torch.rand(10, 3) * 2 - 1).all()


def test_all_dense_points_are_contained_and_far_ones_are_not():
    occupancy = Occupancy(24)
    occupancy.update(ball, threshold=0.5)
    points = torch.rand(20_000, 3) * 2 - 1
    contained = occupancy.contains(points)
    assert contained[ball(points) > 0].all()
    assert not contained[points.norm(dim=-1) > 0.4 + 3 * 2 / 24].any()
    assert not occupancy.is_full()


def test_axes_are_not_swapped():
    occupancy = Occupancy(16)
    occupancy.update(lambda points: (points - torch.tensor([0.5, 0, -0.7])).norm(dim=-1) < 0.1)
    assert occupancy.contains(torch.tensor([[0.5, 0, -0.7], [-0.7, 0, 0.5]])).tolist() == [
        True,
        False,
    ]
