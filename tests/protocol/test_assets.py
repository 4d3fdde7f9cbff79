"""What an asset refuses to be."""

import numpy as np
import pytest

from protocol.assets import Asset, Handles, Mesh, Region
from protocol.errors import InputError

TRIANGLE = Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.int32))


def handles(count: int = 2, targets: int = 2, anchors: int = 1) -> Handles:
    return Handles(
        np.arange(count, dtype=np.int32), np.zeros((targets, 3), np.float32),
        np.arange(anchors, dtype=np.int32),
    )


@pytest.mark.parametrize(
    ("region", "code"),
    [
        (Region(), "region_invalid"),
        (Region(box=np.eye(4, dtype=np.float32), word="hat"), "region_invalid"),
        (Region(vertices=np.zeros(3, np.float32)), "region_empty"),
        (Region(faces=np.zeros(3, np.bool_)), "region_empty"),
        (Region(mesh=Mesh(TRIANGLE.positions, np.zeros((0, 3), np.int32))), "mesh_empty"),
    ],
)
def test_a_region_that_says_no_one_place_is_refused(region: Region, code: str) -> None:
    with pytest.raises(InputError) as caught:
        Asset("region", region=region).check()
    assert caught.value.problem.code == code and caught.value.problem.hint


@pytest.mark.parametrize(
    "region",
    [
        Region(box=np.eye(4, dtype=np.float32)), Region(mesh=TRIANGLE), Region(word="hat"),
        Region(vertices=np.array([0, 0.5], np.float32)), Region(faces=np.array([True, False])),
    ],
)
def test_a_region_said_in_one_way_passes(region: Region) -> None:
    Asset("region", region=region).check()


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (handles(count=0, targets=0), "handles_empty"),
        (handles(targets=1), "handle_without_target"),
        (handles(anchors=0), "anchors_empty"),
    ],
)
def test_handles_that_cannot_be_followed_are_refused(broken: Handles, code: str) -> None:
    with pytest.raises(InputError) as caught:
        Asset("handles", handles=broken).check()
    assert caught.value.problem.code == code and caught.value.problem.hint


def test_handles_with_targets_and_anchors_pass() -> None:
    Asset("handles", handles=handles()).check()
