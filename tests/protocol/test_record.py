import sys
from pathlib import Path

import pytest

from protocol.record import BackendRecord, read_record, record_path, write_record


@pytest.fixture(autouse=True)
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISTILLERY_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_the_record_round_trips(tmp_path: Path) -> None:
    record = BackendRecord(python=sys.executable, root=str(tmp_path))
    assert write_record(record) == tmp_path / "distillery" / "backend.json"
    assert read_record() == record


def test_a_record_of_something_removed_is_no_record(tmp_path: Path) -> None:
    write_record(BackendRecord(python=str(tmp_path / "gone"), root=str(tmp_path)))
    assert read_record() is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"python": "x"}', "null"])
def test_a_damaged_record_is_no_record(text: str) -> None:
    record_path().parent.mkdir()
    record_path().write_text(text)
    assert read_record() is None


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("win32", "APPDATA", ""),
        ("darwin", "HOME", "Library/Application Support"),
        ("linux", "HOME", ".config"),
    ],
)
def test_each_platform_keeps_it_in_its_own_config_folder(
    platform: str, variable: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv(variable, str(tmp_path))
    assert record_path() == tmp_path / folder / "distillery" / "backend.json"
