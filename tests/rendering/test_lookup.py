"""Pictures looked up where points appear in them."""

import torch

from backend.rendering.cameras import orbit_cameras
from backend.rendering.lookup import look_up, places_of


def test_a_picture_is_read_where_a_point_appears() -> None:
    cameras = orbit_cameras([0.0, 180.0], 0.0, 2.0, 0.0, 4).orthographic(2.0)
    image = torch.arange(32.0).view(2, 4, 4)
    # The middle of the second pixel of the first row, seen from in front, and from behind.
    points = torch.tensor([[-0.25, 0, 0.75], [0, 0, 0], [0, 0, 3.0]])
    places, depth = places_of(points, cameras)
    assert torch.allclose(places[0], torch.tensor([[-0.25, -0.75], [0, 0], [0, -3.0]]), atol=1e-6)
    assert torch.allclose(depth, torch.full((2, 3), 2.0), atol=1e-6)
    found = look_up(image, places)
    assert torch.allclose(found, torch.tensor([[1, 7.5, 0], [18, 23.5, 0]]), atol=1e-4)
    assert look_up(image, places[:, :1] + 0.1, "nearest").tolist() == [[1], [18]]
