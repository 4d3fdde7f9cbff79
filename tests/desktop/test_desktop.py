"""The extension in the desktop program, worked with mouse and keyboard against the real backend.

The pictures lie in build/desktop: look at them. Needs root on Linux, and debootstrap's download of
Blender the first time; skipped with the reason where that cannot be.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
TOOL = HERE / "blender-desktop"
SHOTS = ROOT / "build" / "desktop"
# mvdream's draft, smaller still.
OPTIONS = {"view_steps": 8, "fit_steps": 30, "steps": 0, "grid_resolution": 32, "samples": 32,
           "faces": 3000, "texture_size": 128}
VIEWPORT = (slice(200, 850), slice(200, 1000))

pytestmark = [pytest.mark.desktop, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def extension() -> Path:
    """The built extension, and a desktop to install it in."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("the desktop program is set up with debootstrap, as root on Linux")
    built = sorted((ROOT / "dist").glob("distillery-*.zip"))
    if not built:
        pytest.skip("no extension in dist: run python build.py extension")
    done = subprocess.run([TOOL, "setup"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the desktop program could not be set up: {done.stderr[-300:]}")
    return built[-1]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A backend that runs for all tests here."""
    data = tmp_path_factory.mktemp("data")
    command = [sys.executable, "-m", "backend", "serve", "--bind", "tcp://127.0.0.1:0",
               "--data", data]
    server = subprocess.Popen(command, cwd=ROOT)
    file, end = data / "address", time.monotonic() + 60
    while not file.is_file() or not file.read_text():
        assert server.poll() is None
        assert time.monotonic() < end
        time.sleep(0.2)
    yield file.read_text()
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="module")
def report(extension, address) -> dict:
    """What the script in Blender reports after the whole round."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for old in SHOTS.iterdir():
        old.unlink()
    script = HERE / "press_generate.py"
    subprocess.run(
        [TOOL, "run", script, extension, SHOTS, "800", address, "a red mushroom",
         json.dumps(OPTIONS)],
        check=False, timeout=900,
    )
    written = SHOTS / "report.json"
    assert written.is_file(), "Blender wrote no report"
    return json.loads(written.read_text())


def changed(name: str) -> int:
    """How many pixels of the viewport look otherwise than before Generate was pressed."""
    before, after = (np.asarray(Image.open(SHOTS / f"{picture}.png").convert("RGB"))[VIEWPORT]
                     for picture in ("panel", name))
    return int((np.abs(after.astype(int) - before.astype(int)).max(-1) > 20).sum())


def test_the_whole_round_went_through(report):
    assert report.get("error") is None, report["error"]
    assert report["finished"]


def test_typing_and_pressing_made_a_job(report):
    assert report["prompt"] == "a red mushroom"
    assert report["state"] == "done"


def test_the_shape_grows_in_the_viewport(report):
    assert 0 < report["progress"] < 1
    assert changed("progress") > 300


def test_the_result_is_seen_in_solid_mode_and_undone_in_one_step(report):
    assert report["meshes"] == report["redone"] == ["a red mushroom"]
    assert changed("result") > 300
    assert changed("undone") < 100
    assert changed("redone") > 300


def test_the_command_makes_a_file(report, address):
    """``blender -b --command distillery generate`` with the extension as installed above."""
    arguments = [f"--option={name}={value}" for name, value in OPTIONS.items()]
    done = subprocess.run(
        [TOOL, "command", SHOTS, "--command", "distillery", "generate", "a red mushroom",
         "--recipe", "mvdream", *arguments, "--server", address, "--save", "/shots/made.blend"],
        capture_output=True, text=True, check=False, timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Placed a red mushroom" in done.stdout
    assert (SHOTS / "made.blend").read_bytes()[:4] in (b"BLEN", b"\x28\xb5\x2f\xfd")


@pytest.fixture(scope="module")
def inputs_report(extension, tmp_path_factory) -> dict:
    """What the script that chooses inputs reports, against a backend that computes nothing."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    (SHOTS / "report.json").unlink(missing_ok=True)
    file = tmp_path_factory.mktemp("fake") / "address"
    fake = subprocess.Popen([sys.executable, ROOT / "tests/blender/fake_backend.py", file])
    end = time.monotonic() + 60
    while not file.is_file():
        assert time.monotonic() < end
        time.sleep(0.2)
    script = HERE / "press_inputs.py"
    subprocess.run([TOOL, "run", script, extension, SHOTS, "500", file.read_text()],
                   check=False, timeout=600)
    fake.kill()
    fake.wait()
    return json.loads((SHOTS / "report.json").read_text())


def test_inputs_are_chosen_drawn_and_undone(inputs_report):
    assert inputs_report.get("error") is None, inputs_report["error"]
    assert inputs_report["finished"]
    assert inputs_report["keys"] == ["Basis", "a monkey"]
    assert max(inputs_report["captured"]) == 1024


def test_region_and_handles_are_seen_over_the_object(inputs_report):
    """Orange on the ear, and later green where it is and red below."""
    def colored(name: str, channels: tuple[int, int, int]) -> int:
        pixels = np.asarray(Image.open(SHOTS / f"{name}.png").convert("RGB"))[VIEWPORT].astype(int)
        return int((np.abs(pixels - channels).max(-1) < 40).sum())

    green, red = (51, 230, 102), (230, 64, 64)
    assert colored("bend", green) > 50
    assert colored("bend", red) > 50
    assert colored("recolor", green) < 20
