"""What a render gives: named images of one set of views."""

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Buffers:
    """Images (views, height, width, channels), float32; those not asked for are None.

    ``color``: [0, 1], display-encoded, premultiplied by nothing: composited over the background
    that the render was given (black where none was). ``alpha``: [0, 1]. ``depth``: along the view
    axis, world units, 0 where nothing is hit. ``normals``: unit length in world space (shorter
    where coverage is partial). ``coords``: object coordinates of the visible surface.
    ``channels``: any further image by name. ``samples``: per-sample values that losses want
    (weights, points, normals), by name, in whatever layout the renderer uses.
    """

    color: Tensor | None = None
    alpha: Tensor | None = None
    depth: Tensor | None = None
    normals: Tensor | None = None
    coords: Tensor | None = None
    channels: dict[str, Tensor] = field(default_factory=dict)
    samples: dict[str, Tensor] = field(default_factory=dict)
