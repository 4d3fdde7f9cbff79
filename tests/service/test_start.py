"""What a server refuses to start with, and the words it finds."""

import socket
from pathlib import Path

import pytest

from backend.service.binding import check_loopback
from backend.service.folders import Folders
from backend.service.server import Server
from protocol.errors import DistilleryError


@pytest.mark.parametrize(
    "bind", ["tcp://127.0.0.1:5599", "tcp://127.0.0.1:0", "tcp://localhost:1", "tcp://[::1]:5599"]
)
def test_loopback_is_allowed(bind: str) -> None:
    check_loopback(bind)


@pytest.mark.parametrize(
    "bind",
    [
        "tcp://0.0.0.0:5599", "tcp://*:5599", "tcp://192.168.1.5:5599", "tcp://[::]:5599",
        "tcp://example.org:5599", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "ipc:///tmp/x",
        "127.0.0.1:5599", "", "tcp://127.0.0.1.example.org:1",
    ],
)
def test_any_other_bind_is_refused_with_a_way_out(bind: str, tmp_path: Path) -> None:
    with pytest.raises(DistilleryError) as caught:
        Server(bind, tmp_path / "data")
    assert caught.value.problem.code == "bind_refused"
    assert "ssh" in caught.value.problem.hint
    assert not (tmp_path / "data").exists()


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(DistilleryError) as caught:
            Server(f"tcp://127.0.0.1:{taken.getsockname()[1]}", tmp_path)
    assert caught.value.problem.code == "port_in_use"
    assert "--bind" in caught.value.problem.hint


def test_a_folder_has_one_server(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.create()
    lock = folders.lock()
    with pytest.raises(DistilleryError) as caught:
        Server("tcp://127.0.0.1:0", tmp_path)
    assert caught.value.problem.code == "data_in_use"
    lock.close()
    folders.lock().close()


def test_a_data_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DistilleryError) as caught:
        Server("tcp://127.0.0.1:0", tmp_path / "file" / "data")
    assert caught.value.problem.code == "folder_not_writable"
    assert "--data" in caught.value.problem.hint
