"""Scenes moved to where their cut-out pictures say."""

import numpy as np
import pytest

from backend.pocket.framing import centered, reach
from backend.pocket.render import View, orbit, render_views
from backend.pocket.world import build


@pytest.mark.parametrize(
    "view", [View(orbit(40, 25, 3.0), 1.05, True), View(orbit(40, 25, 3.0), 0.36)]
)
def test_the_outline_is_in_the_middle_and_fills_its_part(view: View) -> None:
    scene = centered(build("giraffe", "red", 2), view, 0.75)
    solid = render_views(scene, [view], size=256)["rgba"][0, ..., 3] > 0.5
    rows, columns = (np.flatnonzero(solid.any(axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(0.75 * 256, abs=2)
    for found in (rows, columns):
        assert found[0] + found[-1] == pytest.approx(255, abs=2)


def test_how_far_a_scene_reaches() -> None:
    scene = build("dice", "red", 1)
    doubled = scene.moved(np.concatenate([2 * np.eye(3), np.zeros((3, 1))], 1))
    assert reach(doubled) == pytest.approx(2 * reach(scene)) and 0.8 < reach(scene) <= 1
