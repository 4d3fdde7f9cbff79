"""Where an installed backend leaves word of itself, so that the add-on can start it.

Standard library only: `build.py` writes the record before anything is installed.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from .folders import config_folder


@dataclass(frozen=True)
class BackendRecord:
    """``python``: the interpreter to run ``-m backend`` with, in the folder ``root``."""

    python: str
    root: str

    def command(self) -> list[str]:
        """Return the start of every backend command; run it with ``root`` as working folder."""
        return [self.python, "-m", "backend"]


def record_path() -> Path:
    """Return the one place of the record: backend.json among the user's settings."""
    return config_folder() / "backend.json"


def write_record(record: BackendRecord) -> Path:
    """Write the record, replacing an older one, and return its path."""
    path = record_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    return path


def read_record() -> BackendRecord | None:
    """Return the record, or None where there is none, or none that names existing paths."""
    try:
        fields = json.loads(record_path().read_text(encoding="utf-8"))
        record = BackendRecord(python=str(fields["python"]), root=str(fields["root"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    usable = Path(record.python).is_file() and Path(record.root).is_dir()
    return record if usable else None
