"""What pictures show where points of the world appear in them."""

from typing import Literal

from torch import Tensor
from torch.nn.functional import grid_sample

from backend.rendering.cameras import Cameras


def places_of(points: Tensor, cameras: Cameras) -> tuple[Tensor, Tensor]:
    """Where ``points`` (n, 3) fall in each picture, (views, n, 2) as (x, y), -1 to 1 from border to
    border; depth (views, n), as :meth:`Cameras.project`."""
    pixels, depth = cameras.project(points)
    return pixels / pixels.new_tensor([cameras.width, cameras.height]) * 2 - 1, depth


def look_up(
    images: Tensor, places: Tensor, mode: Literal["bilinear", "nearest"] = "bilinear"
) -> Tensor:
    """(views, n), of ``images`` (views, height, width) at ``places`` (views, n, 2), each view's
    own; zero outside of the frame."""
    found = grid_sample(images[:, None], places[:, :, None], mode=mode, align_corners=False)
    return found[:, 0, :, 0]
