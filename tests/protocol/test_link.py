"""A connection that comes, breaks, is silent, or leads to somebody else."""

import pytest

from protocol.errors import Problem
from protocol.frames import MARK, NAME
from protocol.messages import Failure, Hello, Jobs, ListJobs
from tests.protocol.script import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def ask(bench: Bench) -> None:
    bench.client.list_jobs(bench.answers.append, bench.problems.append)


def answer_lists(bench: Bench) -> None:
    bench.wire.answers[ListJobs] = lambda m, _: Jobs(request=m.request, jobs=())


def test_it_comes_online_and_says_who_answers(bench: Bench) -> None:
    bench.pump()
    assert bench.client.state == "online"
    assert bench.client.problem is None
    assert bench.client.server == "test 1"


def test_an_absent_backend_is_said_with_a_way_out(bench: Bench) -> None:
    bench.wire.connected = False
    ask(bench)
    bench.pump(10.0)
    assert bench.client.state == "offline"
    problem = bench.client.problem
    assert problem is not None and problem.fix is not None
    assert problem.code == "backend_absent" and problem.fix.action == "start_backend"
    assert bench.problems == [problem]
    assert not bench.client.busy


def test_what_was_asked_offline_is_sent_when_it_answers(bench: Bench) -> None:
    bench.wire.connected = False
    answer_lists(bench)
    ask(bench)
    bench.pump(2.0)
    bench.wire.connected = True
    bench.pump(2.0)
    assert bench.answers == [()] and not bench.problems


def test_a_mute_peer_is_said(bench: Bench) -> None:
    bench.wire.silent = True
    bench.pump(1.0)
    assert bench.client.state == "connecting"
    bench.pump(4.0)
    problem = bench.client.problem
    assert problem is not None and problem.code == "backend_silent"


def test_a_server_that_dies_is_noticed_and_asked_again(bench: Bench) -> None:
    bench.pump()
    bench.wire.silent = True
    ask(bench)
    bench.pump(1.0)
    bench.wire.connected = False
    bench.pump(3.0)
    assert bench.client.state == "offline"
    answer_lists(bench)
    bench.wire.silent, bench.wire.connected, bench.wire.session = False, True, "two"
    bench.pump(2.0)
    assert bench.client.state == "online"
    assert bench.answers == [()]


def test_a_request_ends_once(bench: Bench) -> None:
    bench.pump()
    ask(bench)
    bench.pump()
    request = bench.wire.of(ListJobs)[0].request
    bench.wire.say(Jobs(request=request, jobs=()))
    bench.wire.say(Jobs(request=request, jobs=()))
    bench.wire.say(Failure(request=request, problem=Problem(code="x", message="late")))
    bench.pump()
    assert bench.answers == [()] and not bench.problems


def test_a_lost_answer_is_asked_for_again(bench: Bench) -> None:
    bench.pump()
    answer_lists(bench)
    bench.wire.lose = lambda message: (
        isinstance(message, ListJobs) and len(bench.wire.of(ListJobs)) == 1
    )
    ask(bench)
    bench.pump(12.0)
    assert bench.answers == [()]


def test_a_request_that_is_never_answered_ends_in_a_problem(bench: Bench) -> None:
    bench.pump()
    ask(bench)
    bench.pump(60.0)
    assert [problem.code for problem in bench.problems] == ["backend_silent"]
    assert bench.client.state == "online"


def test_a_failure_reaches_the_asker(bench: Bench) -> None:
    problem = Problem(code="asked_for", message="No.", hint="Do not.")
    bench.wire.answers[ListJobs] = lambda m, _: Failure(request=m.request, problem=problem)
    ask(bench)
    bench.pump()
    assert bench.problems == [problem]


@pytest.mark.parametrize(
    ("mark", "code"), [(NAME + b"\x63", "wrong_version"), (b"HTTP/", "not_distillery")]
)
def test_another_version_and_a_stranger_are_told(bench: Bench, mark: bytes, code: str) -> None:
    bench.wire.silent = True
    ask(bench)
    bench.pump()
    bench.wire.inbox.append([mark + b"\x80"])
    bench.pump()
    assert bench.client.state == "wrong_version"
    assert bench.client.problem is not None and bench.client.problem.code == code
    bench.pump(10.0)
    assert [problem.code for problem in bench.problems] == [code]


def test_it_heals_when_the_right_version_answers(bench: Bench) -> None:
    bench.wire.silent = True
    bench.wire.inbox.append([NAME + b"\x63" + b"\x80"])
    bench.client.pump()
    assert bench.client.state == "wrong_version"
    bench.wire.silent = False
    bench.pump(4.0)
    assert bench.client.state == "online"


def test_damaged_messages_are_dropped(bench: Bench) -> None:
    bench.pump()
    bench.wire.inbox.extend([[MARK + b"\xff"], [MARK], [MARK + b"\x80", b"x"]])
    bench.pump()
    assert bench.client.state == "online"


def test_a_pause_of_the_program_is_no_silence_of_the_server(bench: Bench) -> None:
    bench.pump()
    bench.clock.now += 600.0
    bench.client.pump()
    assert bench.client.state == "online"


def test_it_asks_whether_the_server_lives_when_all_is_quiet(bench: Bench) -> None:
    bench.pump(20.0)
    assert bench.client.state == "online"
    assert 5 <= len(bench.wire.of(Hello)) <= 12


def test_silence_in_the_middle_is_noticed(bench: Bench) -> None:
    bench.pump()
    bench.wire.silent = True
    bench.pump(12.0)
    assert bench.client.state != "online"
    assert bench.client.problem is not None and bench.client.problem.code == "backend_silent"


def test_close_lets_go(bench: Bench) -> None:
    ask(bench)
    bench.client.close()
    assert bench.wire.closed and not bench.client.busy
