"""Who runs what, and what becomes of jobs whose workers stop, hang or die."""

from pathlib import Path

import pytest

from backend.service.folders import Folders
from backend.service.jobs import JobStore
from backend.service.orders import (
    Done,
    Failed,
    FromServer,
    FromWorker,
    Order,
    Ready,
    Step,
    Stop,
    Stopped,
)
from backend.service.scheduler import CANCEL_SECONDS, HIRE_SECONDS, Scheduler
from protocol.errors import DistilleryError, InputError, Problem
from protocol.messages import JobSpec, Progress


class FakeWorker:
    """A worker whose words a test speaks."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.told: list[FromServer] = []
        self.says: list[FromWorker] = []
        self.code: int | None = None
        self.killed = False

    def send(self, message: FromServer) -> None:
        self.told.append(message)

    def receive(self) -> list[FromWorker]:
        said, self.says = self.says, []
        return said

    def fileno(self) -> int:
        return 0

    def exit_code(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.killed = True


class Shop:
    """A scheduler with fake workers and a clock that a test moves."""

    def __init__(self, data: Path, devices: tuple[str, ...] = ("cpu",)) -> None:
        self.folders = Folders(data)
        self.folders.create()
        self.store = JobStore(self.folders.database)
        self.now = 0.0
        self.hired: list[FakeWorker] = []
        self.scheduler = Scheduler(
            self.store, self.folders, devices, self.hire, lambda: self.now
        )

    def hire(self, device: str) -> FakeWorker:
        self.hired.append(FakeWorker(device))
        return self.hired[-1]

    @property
    def worker(self) -> FakeWorker:
        return self.hired[-1]

    def open(self) -> None:
        """Let the workers come and be ready."""
        self.scheduler.tick()
        for worker in self.hired:
            worker.says.append(Ready(capabilities={"text": "pocket"}))
        self.scheduler.tick()

    def order(self, preset: str = "draft") -> str:
        spec = JobSpec(recipe="counter", preset=preset)
        return self.store.add(spec, str(len(self.store.newest()))).id

    def say(self, *messages: FromWorker) -> None:
        self.worker.says += messages
        self.scheduler.tick()

    def die(self, code: int = -9) -> None:
        self.worker.code = code
        self.scheduler.tick()
        self.now += HIRE_SECONDS
        self.scheduler.tick()
        self.say(Ready())

    def state(self, job: str) -> str:
        return self.store.find(job).state


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.open()
    return shop


def step(job: str, fraction: float = 0.5) -> Step:
    return Step(job=job, progress=Progress(stage="s", step=1, steps=2, fraction=fraction))


def test_the_oldest_order_is_first_and_one_at_a_time(shop: Shop) -> None:
    first, second = shop.order(), shop.order()
    shop.scheduler.tick()
    assert [shop.state(first), shop.state(second)] == ["running", "queued"]
    shop.say(step(first), Done(job=first, asset={"name": "x"}))
    assert [shop.state(first), shop.state(second)] == ["done", "queued"]
    shop.say(Ready())
    assert shop.state(second) == "running"
    assert shop.store.result(first) == {"name": "x"}
    assert [order.job for order in shop.worker.told if isinstance(order, Order)] == [first, second]


def test_a_worker_for_each_device(tmp_path: Path) -> None:
    shop = Shop(tmp_path, ("cuda:0", "cuda:1"))
    shop.open()
    jobs = [shop.order() for _ in range(3)]
    shop.scheduler.tick()
    assert [shop.state(job) for job in jobs] == ["running", "running", "queued"]
    assert [worker.device for worker in shop.hired] == ["cuda:0", "cuda:1"]
    assert shop.scheduler.capabilities == {"text": "pocket"}


def test_queued_jobs_obey_at_once(shop: Shop) -> None:
    shop.order()
    job = shop.order()
    assert shop.scheduler.control(job, "pause").state == "paused"
    assert shop.scheduler.control(job, "resume").state == "queued"
    assert shop.scheduler.control(job, "cancel").state == "cancelled"


def test_a_running_job_pauses_and_gives_its_worker_back(shop: Shop) -> None:
    job, other = shop.order(), shop.order()
    shop.scheduler.tick()
    shop.scheduler.control(job, "pause")
    assert shop.worker.told[-1] == Stop(job=job, how="pause")
    shop.say(Stopped(job=job, how="pause"), Ready())
    assert [shop.state(job), shop.state(other)] == ["paused", "running"]
    shop.scheduler.control(job, "resume")
    shop.say(Done(job=other, asset={}), Ready())
    assert shop.state(job) == "running"


def test_a_worker_that_does_not_stop_is_killed(shop: Shop) -> None:
    job, hung = shop.order(), shop.worker
    shop.scheduler.tick()
    shop.scheduler.control(job, "cancel")
    shop.scheduler.tick()
    assert shop.state(job) == "running" and not hung.killed
    shop.now += CANCEL_SECONDS
    shop.scheduler.tick()
    assert shop.state(job) == "cancelled" and hung.killed
    shop.now += HIRE_SECONDS
    shop.scheduler.tick()
    assert shop.worker is not hung


def test_a_pause_never_kills(shop: Shop) -> None:
    job = shop.order()
    shop.scheduler.tick()
    shop.scheduler.control(job, "pause")
    shop.now += 1000.0
    shop.scheduler.tick()
    assert not shop.worker.killed and shop.state(job) == "running"


def test_a_job_survives_one_death_of_its_worker(shop: Shop) -> None:
    job, first = shop.order(), shop.worker
    shop.scheduler.tick()
    shop.die()
    assert shop.worker is not first and shop.state(job) == "running"
    shop.say(Done(job=job, asset={}))
    assert shop.state(job) == "done"


@pytest.mark.parametrize(
    ("exit_code", "preset", "code", "fixed"),
    [(-9, "standard", "out_of_memory", True), (-11, "standard", "worker_died", True),
     (-9, "draft", "out_of_memory", False)],
)
def test_a_job_that_kills_two_workers_fails(
    shop: Shop, exit_code: int, preset: str, code: str, fixed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("backend.service.failures._presets", lambda recipe: ["draft", "standard"])
    job, other = shop.order(preset), shop.order()
    shop.scheduler.tick()
    shop.die(exit_code)
    shop.die(exit_code)
    problem = shop.store.find(job).problem
    assert shop.state(job) == "failed" and problem is not None
    assert problem.code == code and problem.hint
    assert (problem.fix is not None) == fixed
    if problem.fix is not None:
        assert problem.fix.action == "retry" and problem.fix.options == {"preset": "draft"}
    assert shop.state(other) == "running"


def test_a_worker_that_dies_idle_costs_no_job_an_attempt(shop: Shop) -> None:
    shop.die()
    job = shop.order()
    shop.scheduler.tick()
    shop.die()
    assert shop.state(job) == "running"


def test_a_failed_job_keeps_its_problem(shop: Shop) -> None:
    job = shop.order()
    shop.scheduler.tick()
    shop.say(Failed(job=job, problem=Problem(code="x", message="No.")))
    problem = shop.store.find(job).problem
    assert shop.state(job) == "failed" and problem is not None and problem.code == "x"


def test_checkpoints_go_when_the_job_ends(shop: Shop) -> None:
    job = shop.order()
    checkpoint = shop.folders.job(job) / "count.pt"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"x")
    shop.scheduler.tick()
    shop.die()
    assert checkpoint.exists()
    shop.say(Done(job=job, asset={}))
    assert not checkpoint.exists()


def test_deleting_a_running_job_stops_it_first(shop: Shop) -> None:
    job = shop.order()
    shop.scheduler.tick()
    shop.scheduler.control(job, "delete")
    assert shop.state(job) == "running"
    shop.say(Stopped(job=job, how="cancel"))
    with pytest.raises(DistilleryError):
        shop.store.find(job)


def test_wrong_wishes_are_refused(shop: Shop) -> None:
    job = shop.order()
    shop.scheduler.tick()
    shop.say(Done(job=job, asset={}))
    for action in ("cancel", "pause", "resume"):
        with pytest.raises(InputError) as caught:
            shop.scheduler.control(job, action)  # type: ignore[arg-type]
        assert caught.value.problem.code == "job_state"
    shop.scheduler.control(job, "delete")
    with pytest.raises(DistilleryError):
        shop.scheduler.control(job, "delete")


def test_running_jobs_are_queued_again_when_the_server_starts(shop: Shop, tmp_path: Path) -> None:
    job = shop.order()
    shop.scheduler.tick()
    shop.store.close()
    again = Shop(tmp_path)
    assert again.state(job) == "queued"
    again.open()
    assert again.state(job) == "running"


def test_a_full_disk_fails_the_job_and_not_the_server(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = shop.order()
    shop.scheduler.tick()

    def full(*_: object) -> None:
        raise DistilleryError("disk_full", "The disk is full.", "Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(shop.store, "finish", full)
        shop.say(Done(job=job, asset={}), Ready())
    problem = shop.store.find(job).problem
    assert shop.state(job) == "failed" and problem is not None and problem.code == "disk_full"
    other = shop.order()
    shop.scheduler.tick()
    assert shop.state(other) == "running"


def test_closing_ends_the_workers_and_keeps_the_jobs(shop: Shop) -> None:
    job = shop.order()
    shop.scheduler.tick()
    shop.scheduler.close()
    assert shop.worker.killed and shop.state(job) == "running"
