"""Real Blender with the built extension installed: run by Blender's Python (bpy and pytest alone).

Skipped where there is no bpy. The extension is the newest zip in dist, as `build.py` makes it, or
the file that DISTILLERY_EXTENSION names.
"""

import atexit
import importlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "bl_ext.user_default.distillery"
BACKEND_PYTHON = ROOT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

# Read by Blender as it loads: nothing of the user's own set-up is seen or touched.
_resources = tempfile.mkdtemp(prefix="distillery-blender-")
os.environ["BLENDER_USER_RESOURCES"] = _resources
for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "APPDATA"):
    os.environ[name] = str(Path(_resources) / name.lower())
atexit.register(shutil.rmtree, _resources, True)

bpy = pytest.importorskip("bpy", reason="runs under Blender's Python: python build.py test blender")


@pytest.fixture(scope="session")
def extension_zip() -> Path:
    """The built extension."""
    named = os.environ.get("DISTILLERY_EXTENSION")
    built = [Path(named)] if named else sorted((ROOT / "dist").glob("distillery-*.zip"))
    if not built:
        pytest.skip("no extension in dist: run python build.py extension")
    return built[-1]


@pytest.fixture(scope="session")
def installed(extension_zip) -> str:
    """Install and enable the zip once; its package name."""
    bpy.ops.extensions.package_install_files(
        filepath=str(extension_zip), repo="user_default", enable_on_install=True
    )
    assert PACKAGE in bpy.context.preferences.addons
    return PACKAGE


class Driver:
    """The installed add-on: its modules by name, its pump turned by hand."""

    package = PACKAGE

    def module(self, name: str):
        """A module of the installed add-on: ``module("addon.pump")``."""
        return importlib.import_module(f"{PACKAGE}.{name}")

    @property
    def runtime(self):
        return self.module("addon.runtime").runtime

    @property
    def preferences(self):
        return bpy.context.preferences.addons[PACKAGE].preferences

    def turn_until(self, done, seconds: float = 10.0) -> None:
        """Call the timer's function, which has no event loop here."""
        tick = self.module("addon.pump").tick
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, "it took too long"
            time.sleep(min(tick(), 0.02))

    def generate(self, prompt: str):
        """Press Generate and give the job once the backend has accepted it."""
        before = set(self.runtime.session.jobs)
        bpy.context.scene.distillery.prompt = prompt
        assert bpy.ops.distillery.generate() == {"FINISHED"}
        self.turn_until(lambda: set(self.runtime.session.jobs) - before)
        return self.runtime.session.jobs[(set(self.runtime.session.jobs) - before).pop()]


@pytest.fixture
def addon(installed):
    """An empty scene, nothing connected; everything is closed afterwards."""
    bpy.ops.wm.read_homefile(use_empty=True, app_template="")
    driver = Driver()
    yield driver
    driver.runtime.close()
    driver.runtime.placements.clear()
    driver.preferences.address = ""
    driver.runtime.problem = None


class Backend:
    """A fake backend process."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.file = folder / "address"
        self.file.unlink(missing_ok=True)
        script = Path(__file__).with_name("fake_backend.py")
        self.process = subprocess.Popen([BACKEND_PYTHON, script, self.file, *arguments])
        wait_until(self.file.is_file, 20)
        self.address = self.file.read_text()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def backend_python() -> Path:
    """The backend's interpreter."""
    if not BACKEND_PYTHON.is_file():
        pytest.skip("the backend's environment is missing: run python build.py test once")
    return BACKEND_PYTHON


@pytest.fixture
def start_fake(tmp_path, backend_python):
    """Starts a fake backend; all are stopped afterwards."""
    started = []

    def start(*arguments: str) -> Backend:
        started.append(Backend(tmp_path, *arguments))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def backend(start_fake):
    """A fake backend that answers."""
    return start_fake()


@pytest.fixture
def session(addon, backend):
    """A session with the fake backend that is online and knows the recipes."""
    current = addon.runtime.connect(backend.address)
    addon.turn_until(lambda: current.description is not None)
    return current


def wait_until(done, seconds: float) -> None:
    """Look again and again without pumping."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
