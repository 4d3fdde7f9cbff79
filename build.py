#!/usr/bin/env python3
"""Set up, demonstrate, test and package Distillery. Standard library only; Python 3.11 or later.

    python build.py demo [--prompt "a red mushroom"] [--out out]   a prompt into a Blender file
    python build.py test [--fast | --all] [STEP ...]               what CI runs
    python build.py extension                                      dist/distillery-VERSION.zip
    python build.py serve [ARG ...]                                the backend, here
    python build.py bench [NAME ...]                               what is timed
    python build.py docs                                           the pictures and tables of docs/

Everything is installed into `.venv` (the backend) and `.venv-blender` (Blender as a Python
package, which gets its libraries from the built extension, as users do). A step whose
requirements have not changed is skipped.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(f"build.py needs Python 3.11 or later, and this is {sys.version.split()[0]}.")

import tomllib

from protocol.record import BackendRecord, write_record

ROOT = Path(__file__).resolve().parent
BUILD, DIST = ROOT / "build", ROOT / "dist"
STAGED = BUILD / "extension" / "distillery"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETTINGS = PROJECT["tool"]["distillery"]
VERSION = PROJECT["project"]["version"]
WINDOWS = sys.platform == "win32"
CPU_TORCH_INDEX = "https://download.pytorch.org/whl/cpu"

# pip's names for the platforms that the extension carries wheels for.
PLATFORMS = {
    "linux-x64": ["manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64"],
    "windows-x64": ["win_amd64"],
    "macos-x64": ["macosx_10_9_x86_64", "macosx_10_13_x86_64", "macosx_10_15_universal2"],
    "macos-arm64": ["macosx_11_0_arm64", "macosx_10_15_universal2"],
}

PACKAGE_INIT = '''"""The Distillery extension."""

from . import addon


def register() -> None:
    addon.register()


def unregister() -> None:
    addon.unregister()
'''


Command = Sequence[object]
Step = Callable[[], object]


class BuildError(Exception):
    """Something that the user can mend; the message says how."""


# --- running things -------------------------------------------------------------------------


def say(text: str) -> None:
    """Print one line of progress at once."""
    print(f"• {text}", flush=True)


def run(command: Command, *, env: dict[str, str] | None = None, quiet: bool = False) -> None:
    """Run a command in the project's folder; its failure is a BuildError with its last lines."""
    if not shutil.which(str(command[0])):
        raise BuildError(f"{command[0]} is missing: run `python build.py test set-up` first")
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join((done.stdout or "").splitlines()[-15:])
        program = " ".join(str(part) for part in command[:4])
        raise BuildError(f"{program} … ended with status {done.returncode}\n{tail}".rstrip())


def succeeds(command: Command) -> bool:
    """Tell whether a command can be run and exits with 0."""
    try:
        return not subprocess.run(
            [str(part) for part in command], cwd=ROOT, capture_output=True, check=False
        ).returncode
    except OSError:
        return False


def pip(python: Path, action: str, *arguments: object) -> None:
    """Run an environment's pip."""
    run([python, "-m", "pip", action, "--quiet", *arguments], quiet=True)


# --- the two environments -------------------------------------------------------------------


def find_python(version: str) -> Path:
    """Return a Python of this version ("3.11") that can make environments."""
    check = f"import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    for candidate in _python_candidates(version):
        if succeeds([candidate, "-c", check]):
            return Path(candidate)
    raise BuildError(
        f"No Python {version} with venv and pip was found, and it is what "
        f"{'Blender 5.1 and later' if version == '3.13' else 'the backend and Blender up to 5.0'} "
        f"run on. Install it (python.org, `apt-get install python{version}-venv`, "
        f"`pyenv install {version}`) so that `python{version}` finds it, and call build.py again."
    )


def _python_candidates(version: str) -> Iterator[str]:
    yield sys.executable
    if WINDOWS:
        folder = version.replace(".", "")
        yield str(Path.home() / f"AppData/Local/Programs/Python/Python{folder}/python.exe")
        yield rf"C:\Program Files\Python{folder}\python.exe"
        return
    if found := shutil.which(f"python{version}"):
        yield found
    yield from sorted(map(str, (Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python")))
    yield from (f"{folder}/python{version}" for folder in ("/usr/local/bin", "/usr/bin"))


def environment_python(folder: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if WINDOWS else "bin/python")


@contextlib.contextmanager
def stamped(folder: Path, *needs: object) -> Iterator[bool]:
    """Yield whether the folder's set-up is still to do, and stamp it once it went well."""
    stamp = folder / ".distillery-stamp"
    wanted = hashlib.sha256(json.dumps([str(need) for need in needs]).encode()).hexdigest()
    done = stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted
    yield not done
    if not done:
        stamp.write_text(wanted, encoding="utf-8")


def make_environment(folder: Path, python_version: str) -> Path:
    """Make a virtual environment where there is none, and return its interpreter."""
    python = environment_python(folder)
    if not succeeds([python, "-c", "import pip"]):
        say(f"Making {folder.name} with Python {python_version}")
        run([find_python(python_version), "-m", "venv", "--clear", folder], quiet=True)
    return python


def set_up_backend() -> Path:
    """Install the backend and its checks into `.venv`; return its interpreter."""
    python = make_environment(ROOT / ".venv", "3.11")
    requirements = [*PROJECT["project"]["dependencies"]]
    requirements += PROJECT["project"]["optional-dependencies"]["dev"]
    constraints = ROOT / "constraints.txt"
    alone = SETTINGS["without_dependencies"]
    gpu = has_nvidia_gpu()
    with stamped(ROOT / ".venv", requirements, alone, gpu, constraints.read_text()) as needed:
        if needed:
            say("Installing the backend's libraries into .venv (some minutes, once)")
            install_torch(python, gpu)
            pip(python, "install", "--constraint", constraints, *requirements)
            pip(python, "install", "--no-deps", *alone)
    write_record(BackendRecord(python=str(python), root=str(ROOT)))
    return python


def has_nvidia_gpu() -> bool:
    """Tell whether NVIDIA's driver sees a GPU."""
    return succeeds(["nvidia-smi", "-L"])


def install_torch(python: Path, gpu: bool) -> None:
    """Install torch; on Linux without a GPU its CPU build, which spares gigabytes of CUDA.

    PyPI's build for Linux brings CUDA along, so the CPU build is taken from where pip is set up
    to look (an index or find-links that offers `+cpu`), or else from PyTorch's own index.
    """
    wanted = next(r for r in PROJECT["project"]["dependencies"] if r.startswith("torch=="))
    version = wanted.partition("==")[2]
    if succeeds([python, "-c", f"import torch; assert torch.__version__.startswith('{version}')"]):
        return
    small = [[f"{wanted}+cpu"], [wanted, "--index-url", CPU_TORCH_INDEX]]
    for source in small if sys.platform == "linux" and not gpu else []:
        with contextlib.suppress(BuildError):
            pip(python, "install", *source)
            return
    say("Taking PyPI's torch")
    pip(python, "install", wanted)


def set_up_blender(version: str | None = None) -> Path:
    """Install Blender's Python package and pytest; return the interpreter that has them."""
    bpy, *others = SETTINGS["blender"]
    folder = ROOT / ".venv-blender"
    if version:
        folder, bpy = ROOT / f".venv-blender-{version}", f"bpy=={version}"
    number = tuple(int(part) for part in bpy.partition("==")[2].split(".")[:2])
    python = make_environment(folder, "3.11" if number < (5, 1) else "3.13")
    with stamped(folder, bpy, others) as needed:
        if needed:
            say(f"Installing {bpy} into {folder.name} (about 350 MB, once)")
            numpy = ["numpy<2"] if number < (5, 1) else []
            pip(python, "install", bpy, *others, *numpy)
            check_bpy(python)
    return python


def check_bpy(python: Path) -> None:
    """Raise where Blender's module does not load, with the libraries that it misses."""
    try:
        run([python, "-c", "import bpy"], quiet=True)
    except BuildError as error:
        raise BuildError(
            f"Blender's Python module does not load:\n{error}\nOn Debian and Ubuntu its libraries "
            "are those that .ci/run installs: apt-get install " + " ".join(bpy_libraries())
        ) from None


def bpy_libraries() -> list[str]:
    """Return the Debian packages that the bpy wheel links against (X and OpenGL, no server)."""
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    return re.findall(r"\blib[a-z0-9.+-]+", text.partition("libraries=(")[2].partition(")")[0])


# --- the extension --------------------------------------------------------------------------


def stage_extension() -> Path:
    """Lay the add-on and the protocol out as the one package that Blender will import."""
    shutil.rmtree(STAGED, ignore_errors=True)
    for room in ("addon", "protocol"):
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
        shutil.copytree(ROOT / room, STAGED / room, ignore=ignore)
    (STAGED / "__init__.py").write_text(PACKAGE_INIT, encoding="utf-8")
    shutil.copy(ROOT / "LICENSE", STAGED)
    manifest = ROOT / "blender_manifest.toml"
    if manifest.is_file():
        shutil.copy(manifest, STAGED)
    return STAGED


def build_extension(python: Path) -> Path:
    """Build, validate and return dist/distillery-VERSION.zip; ``python`` has pip."""
    wheels = download_wheels(python)
    stage_extension()
    shutil.copytree(wheels, STAGED / "wheels", ignore=shutil.ignore_patterns(".*"))
    list_wheels(STAGED / "blender_manifest.toml", sorted((STAGED / "wheels").glob("*.whl")))
    target = extension_zip()
    DIST.mkdir(exist_ok=True)
    target.unlink(missing_ok=True)
    if builder := blender_builder():
        tags = builder.parents[3] / "modules/_bpy_internal/extensions/tags.py"
        run(
            [sys.executable, builder, "build", "--source-dir", STAGED, "--output-filepath", target],
            quiet=True,
        )
        run([sys.executable, builder, "validate", target, "--valid-tags", tags], quiet=True)
    else:
        say("Blender is not installed here: zipping without its validator")
        zip_folder(STAGED, target)
    say(f"Built {target.relative_to(ROOT)} ({target.stat().st_size / 1e6:.1f} MB)")
    return target


def extension_zip() -> Path:
    """Return where the built extension lies."""
    return DIST / f"distillery-{VERSION}.zip"


def download_wheels(python: Path) -> Path:
    """Fetch the extension's wheels for every platform and Python; return their folder."""
    folder = BUILD / "wheels"
    requirements, versions = SETTINGS["extension_wheels"], SETTINGS["extension_pythons"]
    folder.mkdir(parents=True, exist_ok=True)
    with stamped(folder, requirements, versions, PLATFORMS) as needed:
        if needed:
            say("Downloading the extension's wheels")
            for old in folder.glob("*.whl"):
                old.unlink()
            for version in versions:
                for tags in PLATFORMS.values():
                    chosen = [f"--python-version={version}", *(f"--platform={t}" for t in tags)]
                    exact = ["--no-deps", "--only-binary=:all:", "--implementation=cp", *chosen]
                    pip(python, "download", *exact, "--dest", folder, *requirements)
    return folder


def list_wheels(manifest: Path, wheels: Sequence[Path]) -> None:
    """Name the wheels in a staged manifest, above its first table, where TOML wants them."""
    text = manifest.read_text(encoding="utf-8")
    if re.search(r"^wheels\b", text, re.MULTILINE):
        raise BuildError("blender_manifest.toml names wheels; build.py does, for every platform.")
    table = re.search(r"^\[", text, re.MULTILINE)
    end = table.start() if table else len(text)
    listed = "".join(f'    "./wheels/{wheel.name}",\n' for wheel in wheels)
    text = f"{text[:end]}wheels = [\n{listed}]\n\n{text[end:]}"
    manifest.write_text(text, encoding="utf-8")


def blender_builder() -> Path | None:
    """Return Blender's own extension builder where the bpy wheel is installed."""
    pattern = "**/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"
    return next((ROOT / ".venv-blender").glob(pattern), None)


def zip_folder(folder: Path, target: Path) -> None:
    """Zip the files of a folder with their relative names, in a fixed order."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(folder).as_posix())


# --- the demo -------------------------------------------------------------------------------


@contextlib.contextmanager
def running(
    command: Command, log: Path | None = None, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen]:
    """Run a program beside us and end it, with everything it started, on any way out."""
    out = log.open("w", encoding="utf-8") if log else None
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdout=out,
        stderr=subprocess.STDOUT if out else None,
        start_new_session=not WINDOWS,
    )
    try:
        yield process
    finally:
        end_tree(process)
        if out:
            out.close()


def end_tree(process: subprocess.Popen) -> None:
    """Ask a program to end, and after ten seconds end it and what it started."""
    if WINDOWS:
        subprocess.run(
            ["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False
        )
        return
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    """Return once the backend listens; raise with the end of its log where it does not."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.1)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    raise BuildError(f"The backend did not start; the end of {log}:\n{tail}")


def tree_memory(root: int) -> float:
    """Return the memory of a process and its descendants in GB, shared pages once; Linux only."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    family = {root}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(map(_proportional_memory, family)) / 1e6


def _proportional_memory(pid: int) -> int:
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return sum(map(int, re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE)))
    return 0


def demo(prompt: str, out: Path, recipe: str, preset: str, blender: Path | None) -> None:
    """Turn a prompt into a Blender file through the add-on, the wire and the backend."""
    start = time.monotonic()
    backend = set_up_backend()
    python = set_up_blender() if blender is None else None
    extension = build_extension(backend)
    times = {"set-up": time.monotonic() - start}
    out.mkdir(parents=True, exist_ok=True)
    port, log, report = free_port(), out / "backend.log", out / "demo.json"
    address = f"tcp://127.0.0.1:{port}"
    report.unlink(missing_ok=True)
    script = [*blender_command(python, blender), "--extension", extension, "--address", address]
    script += ["--out", out, "--prompt", prompt, "--recipe", recipe, "--preset", preset]
    say(f"Starting the backend at {address}")
    start = time.monotonic()
    serve = [backend, "-m", "backend", "serve", "--bind", address, "--data", out / "data"]
    with running(serve, log) as server:
        wait_for_port(port, server, log)
        times["backend started"] = time.monotonic() - start
        with running(script, env={"BLENDER_USER_RESOURCES": str(out / "blender")}) as scene:
            peak = watch(scene, server)
    if scene.returncode or not report.is_file():
        raise BuildError(f"Blender ended with status {scene.returncode}; the backend's log: {log}")
    times |= json.loads(report.read_text(encoding="utf-8"))["seconds"]
    print_demo(out, times, peak)


def blender_command(python: Path | None, blender: Path | None) -> list[object]:
    """Return what runs the demo's script: Python with bpy, or a Blender program."""
    script = ROOT / "examples" / "demo_scene.py"
    if python:
        return [python, script]
    head = [blender, "--background", "--factory-startup", "--python-exit-code", "1"]
    return [*head, "--python", script, "--"]


def watch(scene: subprocess.Popen, server: subprocess.Popen) -> float:
    """Wait for Blender's script to end; return the backend's peak memory in GB (0: unknown)."""
    peak = 0.0
    while scene.poll() is None:
        if server.poll() is not None:
            raise BuildError("The backend ended before the demo did; see backend.log beside it.")
        peak = max(peak, tree_memory(server.pid))
        time.sleep(0.5)
    return peak


def print_demo(out: Path, times: dict[str, float], peak: float) -> None:
    """Print where the demo's files are and how long each stage took."""
    print()
    for stage, seconds in times.items():
        print(f"  {stage:<28}{seconds:8.1f} s")
    after = sum(seconds for stage, seconds in times.items() if stage != "set-up")
    print(f"  {'after set-up':<28}{after:8.1f} s")
    if peak:
        print(f"  {'backend, peak memory':<28}{peak:8.2f} GB")
    for name in ("demo.blend", "demo.glb", "contact_sheet.png", "render.png"):
        print(f"  {out / name}")


# --- checks ---------------------------------------------------------------------------------


def test(depth: str, only: Sequence[str]) -> None:
    """Run the checks of a depth (fast, usual, all), every one also after a failure."""
    chosen = {name: step for name, step in test_steps(depth).items() if not only or name in only}
    if unknown := set(only) - set(chosen):
        raise BuildError(f"No such step: {', '.join(unknown)}. There are: {', '.join(chosen)}.")
    results = [(name, *timed(name, step)) for name, step in chosen.items()]
    print("\nStep                  result   seconds")
    for name, failure, seconds in results:
        print(f"{name:<22}{'FAILED' if failure else 'passed':<9}{seconds:7.1f}")
    if failed := [name for name, failure, _ in results if failure]:
        raise BuildError(f"Failed: {', '.join(failed)}")


def timed(name: str, step: Step) -> tuple[str, float]:
    """Run one step; return what went wrong ("" if nothing) and the seconds it took."""
    print(f"\n=== {name}", flush=True)
    start = time.monotonic()
    try:
        step()
        failure = ""
    except BuildError as error:
        failure = str(error)
        print(f"{name} failed: {failure}", flush=True)
    return failure, time.monotonic() - start


def test_steps(depth: str) -> dict[str, Step]:
    """Return the steps of a depth by name, in order; set-up is the first."""
    backend = environment_python(ROOT / ".venv")
    tool = backend.parent
    staged = {"PYTHONPATH": str(STAGED.parent), "MYPYPATH": str(STAGED.parent)}
    excluded = {"fast": "not slow and not ablation", "usual": "not ablation", "all": ""}[depth]
    rooms = [f"--ignore=tests/{room}" for room in ("blender", "desktop")]
    steps: dict[str, Step] = {
        "set-up": lambda: (set_up_backend(), set_up_blender()),
        "extension": lambda: build_extension(backend),
        "ruff": lambda: run([tool / "ruff", "check", "."]),
        "lint": lambda: lint(tool / "lint-imports", staged),
        "mypy": lambda: run([tool / "mypy", "-p", "distillery", "-p", "backend"], env=staged),
        "backend": lambda: pytest(backend, ["tests", *rooms], excluded),
        "blender": lambda: blender_tests(None, excluded),
    }
    if depth != "fast":
        steps["end to end"] = end_to_end
    if depth == "all":
        for version in SETTINGS["blender_more"]:
            steps[f"blender {version}"] = partial(blender_tests, version, excluded)
        steps["desktop"] = lambda: pytest(backend, ["tests/desktop"], "")
    return steps


def lint(tool: Path, env: dict[str, str]) -> None:
    """Check the import contracts on the sources and the staged extension."""
    stage_extension()
    run([tool, "--no-logo"], env=env)


def blender_tests(version: str | None, marks: str) -> None:
    """Run the tests of the installed extension in one version of Blender."""
    pytest(set_up_blender(version), ["tests/blender"], marks)


def end_to_end() -> None:
    """Run the demo with nothing kept from an earlier one."""
    shutil.rmtree(BUILD / "demo", ignore_errors=True)
    demo(DEMO_PROMPT, BUILD / "demo", "", "draft", None)


def pytest(python: Path, arguments: Sequence[str], marks: str) -> None:
    """Run pytest and show what it prints."""
    # Blender's environment has no plug-ins, and so does not know what pytest-timeout is told.
    command = [python, "-m", "pytest", "-q", "-W", "ignore:Unknown config option", *arguments]
    chosen = ["-m", marks] if marks else []
    run([*command, *chosen], env={"DISTILLERY_EXTENSION": str(extension_zip())})


# --- the command line -----------------------------------------------------------------------

DEMO_PROMPT = "a red mushroom"


def main() -> None:
    """Run the command that the arguments name."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options, rest = parser().parse_known_args()
    if rest and options.command not in ("serve", "bench"):
        parser().error(f"unknown arguments: {' '.join(rest)}")
    commands: dict[str, Step] = {
        "demo": lambda: demo(
            options.prompt, options.out.resolve(), options.recipe, options.preset, options.blender
        ),
        "test": lambda: test(options.depth, options.steps),
        "extension": lambda: (set_up_blender(), build_extension(set_up_backend())),
        "serve": lambda: run([set_up_backend(), "-m", "backend", "serve", *rest]),
        "bench": lambda: bench(rest),
        "docs": docs,
    }
    try:
        commands[options.command]()
    except BuildError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped, with everything that was started.")


def bench(names: Sequence[str]) -> None:
    """Time the backend's questions, then those that need Blender, each in a fresh process."""
    backend = set_up_backend()
    env = {"DISTILLERY_EXTENSION": str(build_extension(backend))}
    run([backend, "-m", "benchmarks", "--side", "backend", *names], env=env)
    run([set_up_blender(), "-m", "benchmarks", "--side", "blender", *names], env=env)


def docs() -> None:
    """Regenerate the pictures and tables of docs/; the README's picture is the demo's render."""
    demo(DEMO_PROMPT, BUILD / "demo", "", "draft", None)
    shutil.copy(BUILD / "demo" / "render.png", ROOT / "docs" / "pictures" / "demo.png")
    run([set_up_backend(), "docs/make.py", "--pictures"])


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    page = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = page.add_subparsers(dest="command", required=True)
    command = commands.add_parser("demo", help="a prompt into a Blender file")
    command.add_argument("--prompt", default=DEMO_PROMPT)
    command.add_argument("--out", type=Path, default=ROOT / "out")
    command.add_argument("--recipe", default="", help="default: the add-on's own")
    command.add_argument("--preset", default="draft")
    command.add_argument("--blender", type=Path, help="a Blender program, instead of the wheel")
    command = commands.add_parser("test", help="what CI runs")
    command.add_argument("--fast", dest="depth", action="store_const", const="fast")
    command.add_argument("--all", dest="depth", action="store_const", const="all")
    command.add_argument("steps", nargs="*", metavar="STEP", help="only these")
    command.set_defaults(depth="usual")
    for name, text in (
        ("extension", "build the Blender extension"),
        ("serve", "run the backend; arguments are those of `python -m backend serve`"),
        ("bench", "time things; arguments name benchmarks"),
        ("docs", "regenerate the pictures and tables of docs/"),
    ):
        commands.add_parser(name, help=text)
    return page


if __name__ == "__main__":
    main()
