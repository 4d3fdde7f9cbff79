"""From what training wrote to the weights that ship."""

import shutil
from pathlib import Path

from backend.pocket.changes import SCALES, save_change
from backend.pocket.weights import (
    COMMITTED,
    DEVELOPMENT,
    POINTS_FOLDER,
    RECOGNITION_FOLDER,
    REMEDY,
    STATE,
    WeightsError,
    load_network,
    load_points,
    load_recognition,
)

_LOADERS = {"": load_network, POINTS_FOLDER: load_points, RECOGNITION_FOLDER: load_recognition}


def export_weights(to: Path = COMMITTED, state: Path = STATE) -> Path:
    """Put what training last exported where the shipped weights live; returns that folder.

    Raises WeightsError where there is none, or it does not load or belong together.
    """
    trained = {name: state / name / DEVELOPMENT.name for name in (*_LOADERS, *SCALES)}
    found = {name: folder for name, folder in trained.items() if folder.exists()}
    if not found:
        raise WeightsError(f"nothing was trained in {state}; {REMEDY}")
    for name, folder in found.items():
        if name in SCALES:
            save_change(to / name, folder, to, SCALES[name])
        else:
            _LOADERS[name](folder)
            shutil.copytree(folder, to / name, dirs_exist_ok=True)
    return to
