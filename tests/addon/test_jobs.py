import pytest
from distillery.addon.core.jobs import Job, readable_seconds, status_line
from distillery.protocol.messages import JobSpec


def row(**words) -> Job:
    return Job(id="j", spec=JobSpec(recipe="dream", prompt="a mug"), created=0.0,
               **({"state": "running"} | words))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (7500, "2 h 5 min")],
)
def test_seconds_read_well(seconds, text):
    assert readable_seconds(seconds) == text


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (row(stage="fit", fraction=0.426, seconds_left=12.2), "fit · 43 % · 12 s left"),
        (row(stage="fit", fraction=0.01), "fit · 1 %"),
        (row(), "Starting · 0 %"),
        (row(state="queued"), "Queued"),
        (row(state="done", fetched=0.5), "Receiving the result · 50 %"),
        (row(state="cancelled"), "Cancelled"),
    ],
)
def test_status_says_stage_share_and_time(job, text):
    assert status_line(job) == text


def test_a_job_without_words_is_known_by_its_recipe():
    assert row().title == "a mug"
    assert Job(id="j", spec=JobSpec(recipe="dream"), state="done", created=0.0).title == "dream"
