"""A collapse is noticed, undone with lower rates, and at last an error."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter

from backend.distillation.loop import State, distill
from backend.distillation.watchdog import Watchdog
from protocol.errors import DistilleryError


class Fog:
    """One opacity."""

    def __init__(self) -> None:
        self.alpha = Parameter(torch.tensor(0.5))

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        return {"alpha": [self.alpha]}

    def state(self) -> dict[str, Tensor]:
        return {"alpha": self.alpha.detach().clone()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        self.alpha.data = state["alpha"].clone()


def run(steps: int, pull: Any, **words: Any) -> tuple[State, list]:
    """Distill with ``pull(step)`` as the direction that opacity is drawn to."""
    state = State.create(Fog(), {"alpha": 0.05})
    state.watchdog = Watchdog(patience=3, every=4, **words)

    def losses(step: int) -> dict[str, Tensor]:
        alpha = state.representation.alpha
        state.watchdog.see(alpha)
        return {"pull": -pull(step) * alpha}

    return state, list(distill(state, steps, losses, {"pull": 1.0}))


@pytest.mark.parametrize("direction", [-1.0, 1.0])
def test_an_empty_and_a_full_picture_come_back(direction: float) -> None:
    # Drawn away for 14 steps, which is once too far, then back.
    state, said = run(20, lambda step: direction if step < 14 else -direction)
    assert state.watchdog.recovered == 1
    assert state.pace == 0.5 and state.optimizer.param_groups[0]["lr"] == 0.025
    assert 0.005 <= state.representation.alpha.item() <= 0.98
    assert state.step == 20 and said[-1].step == 20
    assert "recovered from a collapse: 1" in said[-1].message


def test_a_sound_run_is_left_alone() -> None:
    state, said = run(20, lambda step: 1.0 if step % 2 else -1.0)
    assert state.watchdog.recovered == 0 and state.pace == 1.0 and said[-1].message == ""


def test_a_collapse_that_returns_is_an_error() -> None:
    with pytest.raises(DistilleryError, match="nothing was left") as caught:
        run(200, lambda step: -1.0)
    assert caught.value.problem.code == "collapsed"


def test_a_watchdog_resumes_from_a_checkpoint() -> None:
    state, _ = run(13, lambda step: -1.0, recoveries=5)
    again = State.create(Fog(), {"alpha": 0.05})
    again.watchdog = Watchdog(patience=3, every=4, recoveries=5)
    again.load_state(state.state())
    assert again.watchdog.state() == state.watchdog.state()
    assert again.pace == state.pace and again.step == 13
