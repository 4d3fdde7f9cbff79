"""The session against a client that the test plays."""

import msgspec
import pytest
from distillery.addon.core.jobs import Placement
from distillery.addon.core.session import Session
from distillery.protocol.assets import Asset, Image
from distillery.protocol.errors import Fix, Problem
from distillery.protocol.messages import Description, Event, JobInfo, JobSpec, Progress

SPEC = JobSpec(recipe="dream-3d", prompt="a red mushroom", options={"steps": 5})


def info(job: str = "j1", state: str = "queued", created: float = 1.0) -> JobInfo:
    return JobInfo(id=job, spec=SPEC, state=state, created=created, updated=created)


def event(number: int, state: str = "running", **words) -> Event:
    return Event(job="j1", number=number, time=1.0, state=state, **words)


@pytest.fixture
def session(client):
    """Online, nothing known yet."""
    session = Session(client, "me", {})
    client.state = "online"
    session.pump()
    return session


@pytest.fixture
def job(session, client):
    """A job that the backend has accepted, with a place for its result."""
    session.submit(SPEC, Placement(2.0))
    client.last("submit")[2](info())
    return session.jobs["j1"]


def test_asks_who_is_there_each_time_the_backend_comes_back(session, client):
    assert client.count("describe") == client.count("list_jobs") == 1
    session.pump()
    client.state = "offline"
    session.pump()
    client.state = "online"
    session.pump()
    assert client.count("describe") == client.count("list_jobs") == 2


def test_asks_for_the_jobs_of_this_user_alone(session, client):
    assert client.asked[1][2] == {"client": "me"}


def test_orders_in_its_own_name(session, client):
    session.submit(SPEC, None)
    assert client.last("submit")[0] == msgspec.structs.replace(SPEC, client="me")
    assert session.sending == 1
    assert session.busy()


def test_an_accepted_job_is_followed_once(job, session, client):
    assert session.sending == 0
    assert client.count("watch") == 1
    client.last("list_jobs")[0]((info(),))
    assert client.count("watch") == 1


def test_a_refused_order_leaves_its_reason(session, client):
    problem = Problem(code="prompt_empty", message="The prompt is empty.")
    session.submit(SPEC, None)
    client.last("submit")[3](problem)
    assert session.problem is problem
    assert not session.busy()
    session.submit(SPEC, None)
    assert session.problem is None


def test_events_move_the_row(job, session, client):
    before = session.revision
    take_event = client.last("watch")[1]
    take_event(event(0, progress=Progress(stage="fit", step=1, steps=4, fraction=0.25,
                                          seconds_left=9.0, loss=0.5, message="warm")))
    assert (job.state, job.stage, job.fraction, job.seconds_left) == ("running", "fit", 0.25, 9.0)
    assert (job.loss, job.message) == (0.5, "warm")
    take_event(event(1, progress=Progress(stage="mesh", step=0, steps=1, fraction=0.9)))
    assert job.loss == 0.5
    assert session.revision > before


def test_previews_are_shown_while_it_runs_and_dropped_at_the_end(job, client):
    _, take_event, take_preview, _ = client.last("watch")
    picture = Image(None)
    take_preview(Asset("p", contact_sheet=picture))
    take_preview(Asset("p"))
    assert job.picture is picture
    assert job.previews == 2
    take_event(event(0, "cancelled"))
    assert job.picture is None
    take_preview(Asset("p", contact_sheet=picture))
    assert job.picture is None


def test_a_result_is_fetched_by_itself_and_waits_to_be_placed(job, session, client):
    client.last("watch")[1](event(0, "done"))
    assert client.last("fetch_result")[0] == "j1"
    client.last("fetch_result")[3](0.5)
    assert job.fetched == 0.5
    asset = Asset("mushroom")
    client.last("fetch_result")[1](asset)
    assert list(session.ready) == [(job, asset)]
    assert session.placements == {"j1": Placement(2.0)}
    assert job.fetched is None


@pytest.mark.parametrize("state", ["running", "done"])
def test_a_result_that_a_former_session_ordered_is_placed(client, state):
    client.state = "online"
    session = Session(client, "me", {"j1": Placement(2.0)})
    session.pump()
    client.last("list_jobs")[0]((info(state=state),))
    if state == "running":
        assert client.count("fetch_result") == 0
        client.last("watch")[1](event(0, "done"))
    assert client.count("fetch_result") == 1


def test_a_job_of_an_earlier_blender_is_not_placed_by_itself(session, client):
    client.last("list_jobs")[0]((info(state="running"),))
    client.last("watch")[1](event(0, "done"))
    assert client.count("fetch_result") == 0
    session.fetch(session.jobs["j1"], Placement())
    assert client.count("fetch_result") == 1


def test_a_download_that_fails_is_told_in_the_row_and_can_be_repeated(job, session, client):
    client.last("watch")[1](event(0, "done"))
    problem = Problem(code="blob_missing", message="Gone.")
    client.last("fetch_result")[2](problem)
    assert job.problem is problem
    assert job.fetched is None
    session.fetch(job, Placement())
    assert job.problem is None


def test_retry_lays_the_repair_over_the_order(job, session, client):
    fix = Fix(action="retry", label="Smaller", options={"preset": "standard", "faces": 10})
    client.last("watch")[1](event(0, "failed", problem=Problem(code="m", message="M", fix=fix)))
    session.retry(job)
    spec = client.last("submit")[0]
    assert spec.preset == "standard"
    assert spec.options == {"steps": 5, "faces": 10}
    assert spec.prompt == SPEC.prompt


def test_cancel_pause_and_delete_ask_the_backend(job, session, client):
    session.cancel(job)
    assert client.last("control")[:2] == ("j1", "cancel")
    session.pause(job)
    assert client.last("control")[:2] == ("j1", "pause")
    client.last("watch")[1](event(0, "paused"))
    session.pause(job)
    assert client.last("control")[:2] == ("j1", "resume")
    session.delete(job)
    assert client.last("control")[:2] == ("j1", "delete")
    client.last("control")[2](info())
    assert session.jobs == {}


def test_jobs_are_listed_newest_first(session, client):
    client.last("list_jobs")[0]((info("old", "done", 1), info("new", "running", 3),
                                 info("mid", "failed", 2)))
    assert [row.id for row in session.newest_jobs()] == ["new", "mid", "old"]
    assert [row.id for row in session.running_jobs()] == ["new"]


def test_offers_what_it_can_give_inputs_to(session, client, recipe):
    other = msgspec.structs.replace(recipe, id="edit", inputs=("prompt", "mesh", "sound"))
    without = msgspec.structs.replace(other, id="mute", optional=("sound",))
    offered = (recipe, other, without)
    client.last("describe")[0](Description(request=1, recipes=offered, capabilities={},
                                           devices=()))
    assert session.recipes() == (recipe, without)


def test_inputs_go_with_the_order(session, client):
    mesh = Asset("mesh")
    session.submit(SPEC, None, inputs={"mesh": mesh})
    assert client.last("submit")[1] == {"mesh": mesh}


def test_close_closes_the_connection(session, client):
    session.close()
    assert client.closed
