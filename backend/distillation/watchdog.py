"""Collapse: what is distilled vanishes, or fills every picture; noticed, undone, reported."""

from typing import Any, Protocol

from torch import Tensor

from protocol.errors import DistilleryError

CALM = 0.5
"""What learning rates are multiplied by after each recovery."""


class Recoverable(Protocol):
    """What a watchdog brings back: see :class:`backend.distillation.loop.State`."""

    step: int

    def snapshot(self) -> dict[str, Any]: ...

    def go_back(self, snapshot: dict[str, Any], pace: float) -> None: ...


class Watchdog:
    """Looks at the opacity of every step's renders.

    A step is ill where the mean of alpha over all views is below ``empty`` or above ``full``. After
    ``patience`` ill steps in a row a sound state comes back, with lower learning rates; the step
    number goes on. After ``recoveries`` of those a further collapse is an error. Sound states are
    kept every ``every`` steps, and the last but one is taken: the last may be on the brink.
    """

    def __init__(
        self, *, empty: float = 0.005, full: float = 0.98, patience: int = 20, every: int = 50,
        recoveries: int = 2,
    ) -> None:
        self.empty, self.full = empty, full
        self.patience, self.every, self.most = patience, every, recoveries
        self.recovered = 0
        self._ill = 0
        self._alpha = 0.5
        self._kept: list[dict[str, Any]] = []

    def see(self, alpha: Tensor) -> None:
        """Note the alpha of this step's renders, of any shape."""
        self._alpha = float(alpha.detach().mean())

    def guard(self, state: Recoverable) -> None:
        """Call after each step. Raises DistilleryError ``collapsed`` where no recovery helps."""
        if self.empty <= self._alpha <= self.full:
            self._ill = 0
            if state.step % self.every == 0 or not self._kept:
                self._kept = [*self._kept[-1:], state.snapshot()]
            return
        self._ill += 1
        if self._ill >= self.patience:
            self._bring_back(state)

    def _bring_back(self, state: Recoverable) -> None:
        if not self._kept or self.recovered >= self.most:
            raise self._error(state.step)
        self.recovered += 1
        self._ill = 0
        del self._kept[1:]
        state.go_back(self._kept[0], CALM**self.recovered)

    def _error(self, step: int) -> DistilleryError:
        what = "nothing was left to see" if self._alpha < self.empty else "it filled every picture"
        return DistilleryError(
            "collapsed",
            f"The shape collapsed at step {step}: {what}, also after {self.recovered} recoveries.",
            "Try another seed, or lower the guidance scale.",
        )

    def state(self) -> dict[str, Any]:
        """For a checkpoint, with the sound states that are kept."""
        return {"recovered": self.recovered, "ill": self._ill, "kept": list(self._kept)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.recovered, self._ill, self._kept = state["recovered"], state["ill"], state["kept"]
