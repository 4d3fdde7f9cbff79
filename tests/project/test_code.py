"""What the house style asks of every source file and no linter checks."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

import build

ROOMS = ("protocol", "addon", "backend", "benchmarks", "docs", "examples")
LONGEST_FUNCTION = 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "stuff"}
CUDA_ONLY = {"gsplat", "nvdiffrast", "tinycudann", "xformers", "bitsandbytes", "triton"}


def sources() -> list[Path]:
    found = [build.ROOT / "build.py"]
    for room in ROOMS:
        found += sorted((build.ROOT / room).rglob("*.py"))
    return found


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def top_imports(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(build.ROOT)))
def test_a_source_file_keeps_the_house_style(path: Path) -> None:
    long = [f"{f.name}: {length(f)}" for f in functions(path) if length(f) > LONGEST_FUNCTION]
    assert not long, f"functions over {LONGEST_FUNCTION} lines: {long}"
    assert path.stem not in VAGUE_NAMES
    assert not {name.partition(".")[0] for name in top_imports(path)} & CUDA_ONLY
    stars = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)]
    assert not any(alias.name == "*" for node in stars for alias in node.names)


def test_functions_are_short_on_the_whole() -> None:
    assert median(length(f) for path in sources() for f in functions(path)) <= 10
