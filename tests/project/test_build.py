"""build.py's own parts: what it finds, skips, stages and ends."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

import build


def requirement_name(requirement: str) -> str:
    return requirement.partition("==")[0].lower().replace("_", "-")


def test_every_requirement_is_pinned_and_agrees_with_the_constraints() -> None:
    project = build.PROJECT["project"]
    required = project["dependencies"] + project["optional-dependencies"]["dev"]
    lines = (build.ROOT / "constraints.txt").read_text().splitlines()
    pins = {requirement_name(line): line.partition("==")[2] for line in lines if "==" in line}
    for requirement in [*required, *build.SETTINGS["without_dependencies"]]:
        assert pins[requirement_name(requirement)] == requirement.partition("==")[2], requirement


def test_project_manifest_and_zip_share_one_version() -> None:
    manifest = tomllib.loads((build.ROOT / "blender_manifest.toml").read_text())
    assert manifest["version"] == build.VERSION


def test_find_python_returns_one_of_the_version_asked_for() -> None:
    version = "{}.{}".format(*sys.version_info[:2])
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    found = subprocess.check_output([build.find_python(version), "-c", code], text=True)
    assert found.strip() == version


def test_find_python_says_what_to_do_where_there_is_none() -> None:
    with pytest.raises(build.BuildError, match=r"No Python 2\.6.*Install it"):
        build.find_python("2.6")


def test_a_tool_that_is_not_installed_yet_names_the_command_that_installs_it() -> None:
    with pytest.raises(build.BuildError, match="build.py test set-up"):
        build.run([build.ROOT / "no" / "such" / "tool", "check"])


def test_a_step_is_skipped_only_while_its_needs_are_the_same(tmp_path: Path) -> None:
    def needed(*needs: object) -> bool:
        with build.stamped(tmp_path, *needs) as result:
            return result

    assert needed("a", ["b"])
    assert not needed("a", ["b"])
    assert needed("a", ["c"])


def test_a_failed_step_is_done_again(tmp_path: Path) -> None:
    with pytest.raises(build.BuildError), build.stamped(tmp_path, "a"):
        raise build.BuildError("no network")
    with build.stamped(tmp_path, "a") as needed:
        assert needed


@pytest.fixture
def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "STAGED", tmp_path / "distillery")
    return build.stage_extension()


def test_the_staged_extension_holds_addon_protocol_manifest_and_nothing_else(staged: Path) -> None:
    names = {path.name for path in staged.iterdir()}
    assert names == {"__init__.py", "addon", "protocol", "blender_manifest.toml", "LICENSE"}
    assert not list(staged.rglob("__pycache__"))


def test_wheels_are_named_in_the_staged_manifest(staged: Path) -> None:
    manifest = staged / "blender_manifest.toml"
    build.list_wheels(manifest, [Path("a-1-cp311-cp311-any.whl"), Path("b.whl")])
    listed = tomllib.loads(manifest.read_text())
    assert listed["wheels"] == ["./wheels/a-1-cp311-cp311-any.whl", "./wheels/b.whl"]
    assert listed["permissions"]


def test_a_manifest_with_wheels_of_its_own_is_refused(tmp_path: Path) -> None:
    manifest = tmp_path / "blender_manifest.toml"
    manifest.write_text('wheels = ["./x.whl"]\n')
    with pytest.raises(build.BuildError, match="wheels"):
        build.list_wheels(manifest, [])


def test_zip_without_blender_has_relative_names(staged: Path, tmp_path: Path) -> None:
    import zipfile

    build.zip_folder(staged, tmp_path / "x.zip")
    names = zipfile.ZipFile(tmp_path / "x.zip").namelist()
    assert {"blender_manifest.toml", "__init__.py", "protocol/messages.py"} <= set(names)


@pytest.mark.skipif(build.WINDOWS, reason="process groups")
def test_a_program_is_ended_with_what_it_started(tmp_path: Path) -> None:
    note = tmp_path / "child"
    child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    parent = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)"
    )
    with (
        pytest.raises(KeyboardInterrupt),
        build.running([sys.executable, "-c", parent], tmp_path / "log") as process,
    ):
        wait_until(lambda: note.exists() and note.read_text())
        raise KeyboardInterrupt
    assert process.poll() is not None
    wait_until(lambda: not alive(int(note.read_text())))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: object, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_backend_that_does_not_start_is_reported_with_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = [sys.executable, "-c", "raise SystemExit('data folder not writable')"]
    with build.running(program, log) as process:
        process.wait()
        with pytest.raises(build.BuildError, match="data folder not writable"):
            build.wait_for_port(build.free_port(), process, log)


def test_a_backend_that_ends_during_the_demo_ends_the_demo(tmp_path: Path) -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        build.running([sys.executable, "-c", ""], tmp_path / "server") as server,
        build.running(sleeper, tmp_path / "scene") as scene,
    ):
        server.wait()
        with pytest.raises(build.BuildError, match="ended before"):
            build.watch(scene, server)
    assert scene.poll() is not None


def test_the_demo_runs_in_the_wheel_or_in_a_blender_program() -> None:
    python, blender = Path("python"), Path("blender")
    assert build.blender_command(python, None)[0] == python
    assert build.blender_command(None, blender)[:2] == [blender, "--background"]
    assert build.blender_command(None, blender)[-1] == "--"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_of_a_process_tree_counts_what_its_children_hold() -> None:
    hold = "x = bytearray(200_000_000); print('up', flush=True); import time; time.sleep(60)"
    before = build.tree_memory(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert build.tree_memory(os.getpid()) - before == pytest.approx(0.2, abs=0.05)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


def test_a_failing_step_fails_the_command_after_the_others_ran(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def fail() -> None:
        raise build.BuildError("broken")

    steps = {"first": fail, "second": lambda: ran.append("second")}
    monkeypatch.setattr(build, "test_steps", lambda _: steps)
    with pytest.raises(build.BuildError, match="first"):
        build.test("fast", [])
    assert ran == ["second"]
    assert "FAILED" in capsys.readouterr().out


def test_ci_installs_the_libraries_that_build_names() -> None:
    assert {"libgl1", "libx11-6", "libxkbcommon0"} <= set(build.bpy_libraries())


def test_the_record_written_at_set_up_names_this_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    record = build.BackendRecord(python=sys.executable, root=str(build.ROOT))
    written = json.loads(build.write_record(record).read_text())
    assert written == {"python": sys.executable, "root": str(build.ROOT)}
