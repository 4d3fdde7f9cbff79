"""A region from the command line, as the input of a job."""

import numpy as np

from protocol.assets import Asset, Region
from protocol.errors import InputError


def read_region(box: str, word: str) -> Asset:
    """The input ``region``: a ``box`` "x0,y0,z0,x1,y1,z1" between two corners, in the unit ball
    that the mesh is scaled into, or a ``word``. Raises :class:`InputError` unless it is one."""
    if bool(box) == bool(word):
        raise InputError(
            "region_invalid", "A region is one box or one word.",
            "Give --region-box x0,y0,z0,x1,y1,z1 or --region-word hat.",
        )
    if word:
        return Asset(word, region=Region(word=word))
    return Asset("box", region=Region(box=_between(box)))


def _between(box: str) -> np.ndarray:
    """From the cube [-1, 1]^3 to the box, (4, 4)."""
    try:
        corners = np.array([float(number) for number in box.split(",")], np.float32).reshape(2, 3)
    except ValueError as error:
        raise InputError(
            "region_invalid", f"{box!r} is no box.", "Write six numbers: -1,-1,0,1,1,1."
        ) from error
    low, high = corners.min(0), corners.max(0)
    matrix = np.diag(np.append((high - low) / 2, 1)).astype(np.float32)
    matrix[:3, 3] = (low + high) / 2
    return matrix
