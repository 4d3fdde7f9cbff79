"""Where settings, caches and jobs of this user lie, on each system.

Standard library only: the add-on and `build.py` go by the same rule as the backend.
"""

import os
import sys
from pathlib import Path


def config_folder() -> Path:
    """Settings: ``DISTILLERY_CONFIG``, or the system's place for them. May not exist yet."""
    if chosen := os.environ.get("DISTILLERY_CONFIG"):
        return Path(chosen)
    if sys.platform == "win32":
        return _environment("APPDATA", "AppData/Roaming") / "distillery"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "distillery"
    return _environment("XDG_CONFIG_HOME", ".config") / "distillery"


def cache_folder() -> Path:
    """What may be deleted at any time: ``DISTILLERY_CACHE``, or the system's place for it."""
    if chosen := os.environ.get("DISTILLERY_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        return _environment("LOCALAPPDATA", "AppData/Local") / "distillery" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "distillery"
    return _environment("XDG_CACHE_HOME", ".cache") / "distillery"


def data_folder() -> Path:
    """Jobs and results: ``DISTILLERY_DATA``, or the system's place for them."""
    if chosen := os.environ.get("DISTILLERY_DATA"):
        return Path(chosen)
    if sys.platform == "win32":
        return _environment("LOCALAPPDATA", "AppData/Local") / "distillery" / "data"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "distillery" / "data"
    return _environment("XDG_DATA_HOME", ".local/share") / "distillery"


def _environment(name: str, default: str) -> Path:
    return Path(os.environ.get(name) or Path.home() / default)
