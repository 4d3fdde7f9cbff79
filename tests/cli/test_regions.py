"""Regions as the command line says them."""

import numpy as np
import pytest

from backend.cli.regions import read_region
from backend.regions.inside import inside_box
from protocol.errors import InputError


def test_a_box_lies_between_its_corners_in_any_order() -> None:
    region = read_region("1,0.5,-1, -1,0,1", "").region
    region.check()
    points = np.array([[0, 0.25, 0], [0.9, 0.4, -0.9], [0, -0.1, 0], [0, 0.6, 0]], np.float32)
    assert inside_box(region.box, points).tolist() == [True, True, False, False]


def test_a_word_is_a_region() -> None:
    assert read_region("", "hat").region.word == "hat"


@pytest.mark.parametrize(("box", "word"), [("", ""), ("1,2", ""), ("a", ""), ("0,0,0,1,1,1", "x")])
def test_anything_else_is_refused(box: str, word: str) -> None:
    with pytest.raises(InputError) as caught:
        read_region(box, word)
    assert caught.value.problem.code == "region_invalid"
