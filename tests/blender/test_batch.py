"""Batch runs: the command and the function, blocking, through the same session and pump."""

import subprocess
import sys

import bpy
import pytest


def test_generate_gives_the_object(addon, backend):
    batch = addon.module("addon.batch")
    seen = []
    made = batch.generate(
        "a cube", seed=3, size_meters=0.2, location=(0, 1, 0), options={"steps": 20},
        server=backend.address, on_change=lambda job: seen.append(job.fraction),
    )
    bpy.context.view_layer.update()
    assert made.name in bpy.context.scene.objects
    assert max(made.dimensions) == pytest.approx(0.2)
    assert tuple(made.location) == (0, 1, 0)
    assert made["distillery_options"] == '{"steps": 20}'
    assert seen == sorted(seen)
    assert len(seen) > 2


def test_two_calls_give_two_objects(addon, backend):
    batch = addon.module("addon.batch")
    first = batch.generate("a cube", server=backend.address).name
    second = batch.generate("another cube", server=backend.address)
    assert len(bpy.data.objects) == 2
    assert bpy.data.objects[first]["distillery_prompt"] == "a cube"
    assert second["distillery_prompt"] == "another cube"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"prompt": ""}, "The prompt is empty"),
        ({"prompt": "a cube", "recipe": "no_such"}, "Recipes are: cube, other, picture"),
        ({"prompt": "fail"}, "There was not enough memory"),
        ({"prompt": "broken"}, "Generate again with another seed"),
        ({"prompt": "slow", "timeout_seconds": 0.5}, "The job is running"),
    ],
)
def test_what_goes_wrong_is_raised(addon, backend, words, complaint):
    batch = addon.module("addon.batch")
    error = addon.module("protocol.errors").DistilleryError
    with pytest.raises(error, match=complaint):
        batch.generate(**words, server=backend.address)


def test_an_absent_backend_is_told(addon, monkeypatch):
    batch = addon.module("addon.batch")
    monkeypatch.setattr(batch, "CONNECT_SECONDS", 1.0)
    error = addon.module("protocol.errors").DistilleryError
    with pytest.raises(error, match="No backend answers"):
        batch.generate("a cube", server="tcp://127.0.0.1:9")
    with pytest.raises(error, match="No Distillery backend was found on this computer"):
        batch.generate("a cube")


def test_the_command_generates_and_saves(addon, backend, tmp_path, capsys):
    path = tmp_path / "made.blend"
    command = addon.module("addon.command")
    arguments = ["generate", "a cube", "--preset", "standard", "--seed", "4", "--size", "0.4",
                 "--option", "textured=false", "--option", "learning_rate=1e-3",
                 "--server", backend.address, "--save", str(path)]
    assert command.run(arguments) == 0
    said = capsys.readouterr().out
    assert "Placed Cube: 12 faces" in said
    assert f"Saved {path}" in said
    bpy.ops.wm.open_mainfile(filepath=str(path))
    cube = bpy.data.objects["Cube"]
    assert cube["distillery_options"] == '{"learning_rate": 0.001, "textured": false}'
    assert cube["distillery_seed"] == 4


def test_the_command_says_what_went_wrong(addon, backend, capsys):
    command = addon.module("addon.command")
    assert command.run(["generate", "fail", "--server", backend.address]) == 1
    assert "There was not enough memory. Less." in capsys.readouterr().err
    assert command.run(["generate"]) == 2
    assert command.run(["--help"]) == 0


def test_a_fresh_blender_runs_the_command(addon, backend, tmp_path):
    """In a process of its own, where the add-on was only enabled."""
    path = tmp_path / "made.blend"
    script = (
        "import bpy, sys\n"
        f"from {addon.package}.addon import command\n"
        f"sys.exit(command.run(['generate', 'a cube', '--server', {backend.address!r},"
        f" '--save', {str(path)!r}]))\n"
    )
    starter = f"import bpy, addon_utils\naddon_utils.enable({addon.package!r})\n{script}"
    done = subprocess.run([sys.executable, "-c", starter], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert path.is_file()
