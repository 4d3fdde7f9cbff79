"""How far, how long, and how often that is said."""

from backend.service.progress import EVENT_SECONDS, PREVIEW_SECONDS, Meter, Throttle
from backend.studio import Progress as Step


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_follows_the_pace_of_the_stage() -> None:
    clock = Clock()
    meter = Meter(clock)
    assert meter.read(Step(0, 10, stage="a", fraction=0.0)).seconds_left is None
    clock.now = 2.0
    assert meter.read(Step(2, 10, stage="a", fraction=0.1)).seconds_left == 2.0 / 0.1 * 0.9
    assert meter.read(Step(0, 10, stage="b", fraction=0.5)).seconds_left is None
    clock.now = 3.0
    assert meter.read(Step(5, 10, stage="b", fraction=0.75)).seconds_left == 1.0


def test_the_fraction_never_falls_nor_passes_one() -> None:
    meter = Meter(Clock())
    fractions = [meter.read(Step(1, 1, fraction=f)).fraction for f in (0.2, 0.1, 0.7, 1.3)]
    assert fractions == [0.2, 0.2, 0.7, 1.0]


def test_the_loss_is_the_total_where_there_is_one() -> None:
    meter = Meter(Clock())
    assert meter.read(Step(1, 2, losses={"sds": 1.0, "total": 3.0})).loss == 3.0
    assert meter.read(Step(1, 2, losses={"sds": 1.0})).loss == 1.0
    assert meter.read(Step(1, 2)).loss is None


def test_events_and_previews_are_rare() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    events = previews = 0
    for _ in range(1000):
        events += throttle.event_due()
        if throttle.preview_due():
            previews += 1
            throttle.preview_took(0.01)
        clock.now += 0.01
    assert 10.0 / EVENT_SECONDS * 0.9 <= events <= 10.0 / EVENT_SECONDS + 1
    assert previews <= 10.0 / PREVIEW_SECONDS + 1


def test_dear_previews_are_rarer() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    throttle.preview_took(5.0)
    clock.now = 90.0
    assert not throttle.preview_due()
    clock.now = 100.0
    assert throttle.preview_due()
