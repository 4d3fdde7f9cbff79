"""The command line as a person types it: what it writes, what it says, with which status."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import trimesh

from backend.cli import show
from backend.cli.app import main
from backend.cli.generate import make_here, make_remotely, pack, parse_options
from backend.cli.pictures import read_picture
from backend.recipes import registry
from protocol.assets import Asset, Image
from protocol.errors import InputError
from protocol.messages import JobSpec
from tests.service.running import ENVIRONMENT, ROOT, Running

NOWHERE = "tcp://127.0.0.1:9"


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


class Line:
    """The command line inside this process, where torch is loaded but once."""

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.patch = patch
        self.capture = capture

    def __call__(self, *arguments: object) -> Done:
        self.patch.setattr(sys, "argv", ["backend", *map(str, arguments)])
        self.capture.readouterr()
        try:
            main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        return Done(status, *self.capture.readouterr())

    def generate(self, *more: object) -> Done:
        return self("generate", "count", "--recipe", "counter", "--option", "steps=3", *more)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Line]:
    monkeypatch.setenv("DISTILLERY_RECIPES", ENVIRONMENT["DISTILLERY_RECIPES"])
    for console in (show.out, show.err):
        monkeypatch.setattr(console, "_width", 200)
    registry.recipes.cache_clear()
    yield Line(monkeypatch, capsys)
    registry.recipes.cache_clear()


def refused(done: Done, *words: str) -> None:
    """The errors that a person reads: status 2, words and no traceback."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def check_result(folder: Path, done: Done) -> None:
    assert done.returncode == 0, done.stderr
    written = {Path(line).name for line in done.stdout.split()}
    assert written == {path.name for path in folder.iterdir()}
    assert {Path(name).suffix for name in written} == {".glb", ".png", ".json"}
    report = json.loads((folder / "report.json").read_text())
    assert report["provenance"]["prompt"] == "count"
    assert report["provenance"]["options"]["steps"] == 3
    assert (folder / "count.glb").read_bytes().startswith(b"glTF")


def test_generate_by_a_server(run: Line, server: Running, tmp_path: Path) -> None:
    check_result(tmp_path / "o", run.generate("--server", server.address, "--out", tmp_path / "o"))


def test_generate_here_is_the_same(run: Line, server: Running, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    check_result(here, run.generate("--data", tmp_path / "data", "--out", here, "--seed", 5))
    check_result(there, run.generate("--server", server.address, "--out", there, "--seed", 5))
    assert (here / "count.glb").read_bytes() == (there / "count.glb").read_bytes()
    assert not list((tmp_path / "data" / "jobs").iterdir())


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    pixels = np.random.default_rng(0).integers(0, 255, (90, 120, 4), np.uint8)
    PIL.Image.fromarray(pixels).save(path)
    return path


def test_a_picture_arrives_by_a_server_and_here(
    run: Line, server: Running, tmp_path: Path, picture: Path
) -> None:
    inputs, spec = {"image": read_picture(picture)}, JobSpec(recipe="echo", options={"steps": 3})
    there = make_remotely(spec, inputs, server.address, lambda step: None)
    here = make_here(spec, inputs, tmp_path / "data", lambda step: None)
    sent = inputs["image"].images["image"].pixels
    for asset in (there, here):
        assert np.array_equal(asset.images["image"].pixels, sent)


def test_orders_with_other_pictures_are_other_orders(picture: Path) -> None:
    spec, inputs = JobSpec(recipe="echo"), {"image": read_picture(picture)}
    first, again = pack(spec, inputs)[0], pack(spec, inputs)[0]
    darker = Image(inputs["image"].images["image"].pixels // 2)
    other = {"image": Asset("picture", images={"image": darker})}
    assert first == again != pack(spec, other)[0]


def test_generate_from_a_picture(run: Line, server: Running, tmp_path: Path, picture: Path) -> None:
    arguments = ("generate", "--recipe", "echo", "--option", "steps=3", "--image", picture)
    for more in (("--server", server.address), ("--data", tmp_path / "data")):
        done = run(*arguments, *more, "--out", tmp_path / "out")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "object.glb").read_bytes().startswith(b"glTF")


def test_a_wrong_picture_is_refused_in_words(run: Line, tmp_path: Path, picture: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("no picture")
    for recipe, path, said in (
        ("echo", words, "no picture"), ("echo", tmp_path / "none.png", "no file"),
        ("counter", picture, "takes no input 'image'"),
    ):
        more = ("--image", path, "--data", tmp_path / "data", "--out", tmp_path / "out")
        refused(run("generate", "count", "--recipe", recipe, *more), said)
    refused(run("generate", "--recipe", "echo", "--data", tmp_path / "data"), "needs an input")
    assert not (tmp_path / "out").exists()


def test_jobs_are_listed_fetched_and_deleted(run: Line, server: Running, tmp_path: Path) -> None:
    run.generate("--server", server.address, "--out", tmp_path / "first")
    listed = json.loads(run("jobs", "--json", "--server", server.address).stdout)
    job = listed[0]["id"]
    assert listed[0]["state"] == "done"
    assert job in run("jobs", "--server", server.address).stdout
    fetched = run("jobs", "fetch", job, "--server", server.address, "--out", tmp_path / "again")
    check_result(tmp_path / "again", fetched)
    refused(run("jobs", "pause", job, "--server", server.address), "done")
    assert run("jobs", "delete", job, "--server", server.address).returncode == 0
    refused(run("jobs", "fetch", job, "--server", server.address), "no job")


def test_recipes_as_data_and_as_words(run: Line, server: Running) -> None:
    found = json.loads(run("recipes", "--json", "--server", server.address).stdout)
    counter = next(recipe for recipe in found if recipe["id"] == "counter")
    assert counter["options"][0]["name"] == "steps"
    words = run("recipes", "--server", server.address).stdout
    assert "How far to count." in words and "1 … 10000" in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--recipe", "nothing"), ("no recipe 'nothing'", "counter")),
        (("--option", "nothing=1"), ("no option 'nothing'",)),
        (("--option", "steps=0"), ("lies between",)),
        (("--option", "steps"), ("--option name=value",)),
        (("--preset", "enormous"), ("no preset", "draft")),
        (("--option", "fails=input"), ("This was asked for.", "Do not ask for it.")),
        (("--option", "fails=error"), ("RuntimeError", "log")),
    ],
)
def test_what_is_wrong_is_said_in_words(
    run: Line, server: Running, tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    more = (*arguments, "--server", server.address, "--out", tmp_path)
    refused(run.generate(*more), *words)


def test_an_empty_prompt_is_refused(run: Line, server: Running) -> None:
    refused(run("generate", " ", "--recipe", "counter", "--server", server.address), "empty")


def test_a_wrong_order_is_refused_here_too(run: Line, tmp_path: Path) -> None:
    refused(run.generate("--option", "fails=error", "--data", tmp_path), "RuntimeError")
    (tmp_path / "file").write_text("")
    refused(run.generate("--data", tmp_path / "file" / "x"), "--data")


def test_an_output_that_cannot_be_written_is_said(
    run: Line, server: Running, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    more = ("--server", server.address, "--out", tmp_path / "file" / "x")
    refused(run.generate(*more), "--out")


def test_an_absent_backend_is_said_by_the_program_itself() -> None:
    command = [sys.executable, "-m", "backend", "jobs", "--server", NOWHERE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    refused(Done(done.returncode, done.stdout, done.stderr), "No backend answers.", "serve")


@pytest.mark.parametrize(
    ("bind", "words"),
    [("tcp://0.0.0.0:5599", ("refused", "loopback", "ssh")), ("nonsense", ("refused",))],
)
def test_serve_refuses_what_it_must(
    run: Line, tmp_path: Path, bind: str, words: tuple[str, ...]
) -> None:
    refused(run("serve", "--bind", bind, "--data", tmp_path), *words)


def test_serve_says_that_the_port_is_taken(run: Line, server: Running, tmp_path: Path) -> None:
    refused(run("serve", "--bind", server.address, "--data", tmp_path), "listens", "--bind")


def test_help_is_quick_because_torch_is_not_loaded() -> None:
    code = "import sys, backend.cli.app; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_doctor_looks_at_everything(run: Line, tmp_path: Path) -> None:
    done = run("doctor", "--data", tmp_path)
    for name in ("python", "memory", "data folder", "pocket prior", "gpu", "counter"):
        assert name in done.stdout
    assert "Traceback" not in done.stderr


def test_option_values_are_numbers_truths_or_text() -> None:
    found = parse_options(["a=1", "b=0.5", "c=true", "d=grid", "e=a=b"])
    assert found == {"a": 1, "b": 0.5, "c": True, "d": "grid", "e": "a=b"}
    with pytest.raises(InputError):
        parse_options(["a"])


@pytest.mark.slow
def test_deform_bends_a_file_by_its_handles(run: Line, tmp_path: Path) -> None:
    trimesh.creation.icosphere(2).export(tmp_path / "ball.ply")
    handles = tmp_path / "handles.json"
    handles.write_text(json.dumps({
        "handles": [{"at": [0, 0, 1], "by": [0, 0, 0.3]}],
        "anchors": [{"box": [-1, -1, -1, 1, 1, -0.5]}],
    }))
    quick = [f"--option={name}" for name in ("lora_steps=0", "steps=0", "handle_steps=300")]
    more = ("--out", tmp_path / "out", "--data", tmp_path / "data")
    done = run("deform", tmp_path / "ball.ply", handles, *quick, *more)
    assert done.returncode == 0, done.stderr
    names = {"ball.glb", "ball_views.png", "report.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert json.loads((tmp_path / "out" / "report.json").read_text())["handle_error"] < 0.01
    moved = trimesh.load(tmp_path / "out" / "ball.glb", force="mesh", process=False)
    assert len(moved.vertices) == 162 and moved.bounds[1, 1] > 1.25  # y is up there
    handles.write_text("{}")
    refused(run("deform", tmp_path / "ball.ply", handles, *more), "handles", "anchors")
