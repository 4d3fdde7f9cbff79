"""From steps of a stage to what a person wants to know: how far, how long, and a picture."""

import time
from collections.abc import Callable

from backend.studio import Progress as Step
from protocol.messages import Progress

EVENT_SECONDS = 0.2
PREVIEW_SECONDS = 2.0
PREVIEW_SHARE = 0.05  # of the time at most goes into previews

Clock = Callable[[], float]


class Meter:
    """Turns the steps of one run into progress with the time left."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._stage = ""
        self._began = (0.0, 0.0)
        self._fraction = 0.0

    def read(self, step: Step) -> Progress:
        """How far the whole is after this step; never less than before."""
        now = self._clock()
        self._fraction = min(max(self._fraction, step.fraction), 1.0)
        if step.stage != self._stage:
            self._stage, self._began = step.stage, (now, self._fraction)
        return Progress(
            stage=step.stage, step=step.step, steps=step.steps, fraction=self._fraction,
            seconds_left=self._seconds_left(now), message=step.message,
            loss=step.losses.get("total", next(iter(step.losses.values()), None)),
        )

    def _seconds_left(self, now: float) -> float | None:
        """At the pace of this stage; unknown at its first step."""
        time_began, fraction_began = self._began
        if self._fraction <= fraction_began:
            return None
        return (now - time_began) / (self._fraction - fraction_began) * (1.0 - self._fraction)


class Throttle:
    """When the next event and the next preview are due."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._event_due = float("-inf")
        self._preview_due = clock() + PREVIEW_SECONDS / 2

    def event_due(self) -> bool:
        """True at most every ``EVENT_SECONDS``."""
        now = self._clock()
        if now < self._event_due:
            return False
        self._event_due = now + EVENT_SECONDS
        return True

    def preview_due(self) -> bool:
        """True when it is time for a picture; tell :meth:`preview_took` how long it took."""
        return self._clock() >= self._preview_due

    def preview_took(self, seconds: float) -> None:
        """Put the next preview off, the longer the more this one took."""
        self._preview_due = self._clock() + max(PREVIEW_SECONDS, seconds / PREVIEW_SHARE)
