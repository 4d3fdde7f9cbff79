"""The import contracts hold, and each of them would notice a violation."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import build

ROOT = build.ROOT

# A file of the checked tree, and an import that does not belong there, by the contract it breaks.
VIOLATIONS = [
    ("protocol-stands-alone", "protocol/planted.py", "import torch"),
    ("protocol-stands-alone", "protocol/planted.py", "import bpy"),
    ("protocol-stands-alone", "protocol/planted.py", "import backend"),
    ("addon-without-compute", "distillery/addon/planted.py", "import torch"),
    ("addon-without-compute", "distillery/addon/planted.py", "import backend.rendering"),
    ("addon-without-compute", "distillery/addon/planted.py", "import protocol.messages"),
    ("addon-core-without-blender", "distillery/addon/core/planted.py", "import bpy"),
    ("addon-core-without-blender", "distillery/addon/core/planted.py", "from .. import ui"),
    ("backend-without-blender", "backend/rendering/planted.py", "import bpy"),
    ("backend-without-blender", "backend/rendering/planted.py", "import distillery.addon"),
    ("backend-layers", "backend/diffusion/planted.py", "import backend.recipes"),
    ("backend-layers", "backend/meshing/planted.py", "import backend.representations"),
    ("backend-layers", "backend/editing/planted.py", "import backend.multiview"),
    ("backend-layers", "backend/utilities/__init__.py", "import backend.recipes"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of everything that is checked, with the extension staged as Blender sees it."""
    tree = tmp_path_factory.mktemp("tree")
    for room in ("backend", "protocol"):
        shutil.copytree(ROOT / room, tree / room, ignore=only_python)
    for room in ("addon", "protocol"):
        shutil.copytree(ROOT / room, tree / "distillery" / room, ignore=only_python)
    (tree / "distillery" / "__init__.py").write_text(build.PACKAGE_INIT)
    shutil.copy(ROOT / "pyproject.toml", tree)
    return tree


def only_python(folder: str, names: list[str]) -> list[str]:
    return [n for n in names if not (n.endswith(".py") or (Path(folder) / n).is_dir())]


def broken_contracts(tree: Path, *chosen: str) -> tuple[int, str]:
    """Run the linter on a tree and return its status and what it printed."""
    tool = build.environment_python(ROOT / ".venv").parent / "lint-imports"
    choice = [f"--contract={contract}" for contract in chosen]
    done = subprocess.run(
        [tool, "--no-logo", "--no-cache", *choice],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    status, text = broken_contracts(tree)
    assert status == 0, text
    assert "0 broken" in text


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS)
def test_a_planted_violation_is_noticed(tree: Path, contract: str, file: str, line: str) -> None:
    planted = tree / file
    made = not planted.parent.exists()
    if made:
        planted.parent.mkdir()
        (planted.parent / "__init__.py").touch()
    try:
        planted.write_text(line + "\n")
        status, text = broken_contracts(tree, contract)
    finally:
        shutil.rmtree(planted.parent) if made else planted.unlink()
    assert status != 0
    assert "planted" in text or "utilities" in text


def test_every_contract_has_a_planted_violation() -> None:
    contracts = build.PROJECT["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in contracts} == {case[0] for case in VIOLATIONS}
