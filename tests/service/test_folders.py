"""Where data lies, and what is thrown away first."""

import os
import time
from pathlib import Path

import pytest

from backend.service.folders import Folders
from protocol.errors import DistilleryError


def test_the_oldest_finished_stages_go_first(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.create()
    for age in range(5):
        path = folders.cache / f"{age}.pt"
        path.write_bytes(bytes(100))
        os.utime(path, (1e9 - age, 1e9 - age))
    for name, age in (("new", 0.0), ("old", 7200.0)):
        partial = folders.cache / f"{name}.partial"
        partial.write_bytes(b"")
        os.utime(partial, (time.time() - age, time.time() - age))
    folders.trim_cache(limit_bytes=250)
    assert sorted(path.stem for path in folders.cache.iterdir()) == ["0", "1", "new"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DistilleryError) as caught:
        Folders(tmp_path / "file").create()
    assert caught.value.problem.code == "folder_not_writable"
    assert "--data" in caught.value.problem.hint
