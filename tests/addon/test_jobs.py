import pytest
from distillery.addon.core.jobs import IDENTITY, Job, Target, readable_seconds, status_line
from distillery.protocol.assets import Asset
from distillery.protocol.codec import Packer, encode_asset
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


def test_a_target_is_read_from_the_order_it_went_with():
    target = Target("abc", "edit", (0.1, *IDENTITY[1:]))
    mesh = encode_asset(Asset("mesh", provenance=target.origin()), Packer().add)
    assert Target.of(JobSpec(recipe="edit", inputs={"mesh": mesh})) == target


@pytest.mark.parametrize(
    "told", [{}, {"id": "abc"}, {"id": "a", "task": "edit", "to_object": [1.0]},
             {"id": "a", "task": "edit", "to_object": "nonsense"}],
)
def test_orders_of_others_have_no_target(told):
    assert Target.of(JobSpec(recipe="dream")) is None
    mesh = {"provenance": {"options": told}}
    assert Target.of(JobSpec(recipe="edit", inputs={"mesh": mesh})) is None
