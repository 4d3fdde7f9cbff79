import pytest

from backend.diffusion.annealing import Schedule, scaled, value_at


def test_values_at_named_steps() -> None:
    """MVDream's t_max: .98 to .5 within 8000 of 10000 steps."""
    t_max = Schedule(0.98, 0.5, end=0.8)
    assert [value_at(t_max, step / 10000) for step in (0, 4000, 8000, 10000)] == pytest.approx(
        [0.98, 0.74, 0.5, 0.5]
    )


@pytest.mark.parametrize(
    ("shape", "middle"), [("linear", 0.505), ("cosine", 0.505), ("exponential", 0.1),
                          ("sqrt", 0.01 + 0.99 * 0.5**0.5)]
)
def test_shapes(shape: str, middle: float) -> None:
    schedule = Schedule(0.01, 1.0, begin=0.2, end=0.6, shape=shape)
    assert [schedule.at(x) for x in (0.0, 0.2, 0.6, 1.0)] == [0.01, 0.01, 1.0, 1.0]
    assert schedule.at(0.4) == pytest.approx(middle)


def test_the_cosine_is_flat_at_its_ends() -> None:
    schedule = Schedule(0.0, 1.0, shape="cosine")
    assert schedule.at(0.01) < 0.001
    assert schedule.at(0.99) > 0.999


def test_a_number_stays_where_it_is() -> None:
    assert value_at(0.3, 0.0) == value_at(0.3, 1.0) == 0.3


def test_a_jump() -> None:
    jump = Schedule(0.0, 1.0, begin=0.5, end=0.5)
    assert (jump.at(0.5), jump.at(0.501)) == (0.0, 1.0)


@pytest.mark.parametrize(
    "wrong", [{"begin": 0.6, "end": 0.5}, {"end": 2.0}, {"shape": "wavy"},
              {"start": 0.0, "shape": "exponential"}]
)
def test_wrong_schedules_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="schedule"):
        Schedule(**{"start": 1.0, "stop": 2.0, **wrong})


def test_scaled_numbers_keep_their_course() -> None:
    course = Schedule(0.01, 1.0, begin=0.2, end=0.6, shape="exponential")
    for x in (0.0, 0.3, 0.5, 1.0):
        assert value_at(scaled(course, 3.0), x) == pytest.approx(3 * course.at(x))
    assert scaled(0.5, 3.0) == 1.5
