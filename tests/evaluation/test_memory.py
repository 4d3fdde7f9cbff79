import sys

import numpy as np
import pytest

from backend.evaluation.memory import forget_peak, peak_bytes

MUCH = 200_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a peak begin anew")
def test_a_peak_is_seen_after_it_is_gone_and_can_be_forgotten() -> None:
    forget_peak()
    before = peak_bytes()
    np.ones(MUCH // 8)
    assert peak_bytes() > before + 0.9 * MUCH
    forget_peak()
    assert peak_bytes() < before + 0.5 * MUCH
