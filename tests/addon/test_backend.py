"""The launcher with small programs in the backend's place."""

import os
import socket
import sys
import time

import pytest
from distillery.addon.core import backend
from distillery.protocol.errors import DistilleryError
from distillery.protocol.record import BackendRecord, write_record

SERVES = """
import pathlib, socket, sys, time, os
data = pathlib.Path(sys.argv[sys.argv.index("--data") + 1])
listener = socket.create_server(("127.0.0.1", 0))
(data / "seen").write_text(repr(sorted(name for name in os.environ if name.startswith("PYTHON"))))
(data / "address").write_text(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
time.sleep(60)
"""
FAILS = "import sys; print('torch is missing'); sys.exit(3)"


@pytest.fixture
def launch(tmp_path, monkeypatch):
    """Starts a package named backend with this program; stopped afterwards."""
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    started = []

    def start(program: str) -> backend.LocalBackend:
        root = tmp_path / "root"
        (root / "backend").mkdir(parents=True)
        (root / "backend" / "__main__.py").write_text(program)
        record = BackendRecord(python=sys.executable, root=str(root))
        started.append(backend.LocalBackend(record, tmp_path / "data"))
        started[-1].start()
        return started[-1]

    yield start
    for local in started:
        local.stop()


def poll_until(local: backend.LocalBackend, state: str) -> None:
    end = time.monotonic() + 20
    while local.poll() != state:
        assert time.monotonic() < end, local.state
        time.sleep(0.02)


def test_starts_tells_its_address_and_stops(launch):
    local = launch(SERVES)
    assert local.state == "starting"
    poll_until(local, "running")
    address = backend.read_address(local.data)
    assert address.startswith("tcp://127.0.0.1:")
    local.stop()
    assert local.state == "stopped"
    assert backend.read_address(local.data) == ""


def test_blenders_python_is_not_handed_on(launch):
    local = launch(SERVES)
    poll_until(local, "running")
    assert os.environ["PYTHONPATH"] == "/nowhere"
    assert (local.data / "seen").read_text() == "[]"


def test_one_that_ends_at_once_says_why(launch):
    local = launch(FAILS)
    poll_until(local, "failed")
    assert "ended with status 3: torch is missing" in local.problem.message
    assert str(local.log) in local.problem.hint


def test_one_that_dies_later_is_noticed(launch):
    local = launch(SERVES)
    poll_until(local, "running")
    local._process.kill()
    poll_until(local, "failed")


def test_one_that_never_listens_is_given_up(launch, monkeypatch):
    monkeypatch.setattr(backend, "START_SECONDS", 0.2)
    local = launch("import time; time.sleep(60)")
    poll_until(local, "failed")
    assert "did not answer" in local.problem.message
    assert local._process is None


def test_a_python_that_cannot_be_run_is_told(tmp_path):
    record = BackendRecord(python=str(tmp_path / "no-python"), root=str(tmp_path))
    local = backend.LocalBackend(record, tmp_path / "data")
    local.start()
    assert local.state == "failed"
    assert "could not be started" in local.problem.message


def test_the_address_of_a_dead_backend_is_no_address(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        backend.address_file(tmp_path).write_text(address)
        assert backend.read_address(tmp_path) == address
    assert backend.read_address(tmp_path) == ""
    backend.address_file(tmp_path).write_text("tcp://nonsense")
    assert backend.read_address(tmp_path) == ""


def test_finds_the_recorded_backend_or_the_named_one(tmp_path, monkeypatch):
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(DistilleryError, match=r"No Distillery backend was found on this computer"):
        backend.find_record()
    record = BackendRecord(python=sys.executable, root=str(tmp_path))
    write_record(record)
    assert backend.find_record() == record
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    with pytest.raises(DistilleryError, match=r"at .*python\. Run"):
        backend.find_record(str(python))
    (tmp_path / "backend").mkdir()
    assert backend.find_record(str(python)).root == str(tmp_path)


@pytest.mark.parametrize(
    ("address", "local"),
    [("tcp://127.0.0.1:5599", True), ("tcp://localhost:1", True), ("ipc:///tmp/x", True),
     ("tcp://192.0.2.1:5599", False), ("tcp://example.org:5599", False), ("", False)],
)
def test_loopback_is_told_from_other_computers(address, local):
    assert backend.is_loopback(address) is local
