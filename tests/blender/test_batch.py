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
        ({"prompt": "a cube", "recipe": "no_such"}, "Recipes are: cube, other"),
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


@pytest.fixture
def bar(addon):
    """A cube called Bar with a top and a bottom, an empty above it, a box around its top."""
    bpy.ops.mesh.primitive_cube_add()
    made = bpy.context.object
    made.name = "Bar"
    for name, side in (("top", 1), ("bottom", -1)):
        group = made.vertex_groups.new(name=name)
        group.add([v.index for v in made.data.vertices if v.co.z == side], 1.0, "REPLACE")
    for name, height in (("Goal", 3), ("Box", 1)):
        empty = bpy.data.objects.new(name, None)
        empty.location.z, empty.scale = height, (2, 2, 0.5)
        bpy.context.collection.objects.link(empty)
    return made


def test_objects_are_edited_deformed_and_animated(addon, backend, bar):
    batch, goal = addon.module("addon.batch"), bpy.data.objects["Goal"]
    bent = batch.deform(bar, [("top", goal)], "bottom", server=backend.address)
    assert bent == bar
    assert bar.data.shape_keys.key_blocks[-1].points[-1].co.z == pytest.approx(3)
    edited = batch.edit(bar, "a bar", region=batch.RegionChoice("GROUP", group="top"),
                        server=backend.address)
    assert edited.name == "Bar edited"
    assert bar.hide_render
    moving = batch.animate(bar, "a dancing bar", frames=(5, 9), server=backend.address)
    assert moving == bar
    assert len(bar.data.shape_keys.key_blocks) == 7


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["edit", "a bar", "--object", "Bar", "--region-box", "Box"], "Placed Bar edited"),
        (["edit", "a bar", "--object", "Bar", "--region-group", "top"], "Placed Bar edited"),
        (["edit", "a bar", "--object", "Bar", "--region-word", "hat"], "Placed Bar edited"),
        (["edit", "a bar", "--object", "Bar", "--recipe", "cut"], "Placed cut: 10 faces"),
        (["deform", "--object", "Bar", "--handle", "top:Goal", "--anchors", "bottom"],
         "Placed Bar: 6 faces"),
        (["animate", "a bar", "--object", "Bar", "--frames", "3:9"], "Placed Bar: 6 faces"),
    ],
)
def test_the_command_works_on_objects(addon, backend, bar, tmp_path, capsys, words, said):
    command, path = addon.module("addon.command"), tmp_path / "made.blend"
    more = ["--server", backend.address, "--save", str(path)]
    assert command.run([*words, *more]) == 0
    assert said in capsys.readouterr().out
    assert path.is_file()


def test_the_command_makes_an_object_of_a_picture(addon, backend, tmp_path, capsys):
    image = bpy.data.images.new("p", 4, 4)
    image.filepath_raw, image.file_format = str(tmp_path / "p.png"), "PNG"
    image.save()
    command = addon.module("addon.command")
    arguments = ["generate", "--image", str(tmp_path / "p.png"), "--server", backend.address]
    assert command.run(arguments) == 0
    assert "Placed Pictured: 12 faces" in capsys.readouterr().out
    assert command.run([*arguments[:2], "none.png"]) == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["edit", "x", "--object", "Nobody"], "There are: Bar, Box, Goal"),
        (["edit", "x", "--object", "Bar", "--region-group", "gone"], "no vertex group gone"),
        (["deform", "--object", "Bar", "--handle", "top:Nobody", "--anchors", "bottom"],
         "no object 'Nobody'"),
        (["deform", "--object", "Bar", "--handle", "top:Goal", "--anchors", "top"],
         "share vertices"),
        (["animate", "x", "--object", "Goal"], "is not a mesh"),
    ],
)
def test_the_command_says_what_is_not_there(addon, backend, bar, capsys, words, complaint):
    command = addon.module("addon.command")
    assert command.run([*words, "--server", backend.address]) == 1
    assert complaint in capsys.readouterr().err


def test_the_command_says_what_went_wrong(addon, backend, capsys):
    command = addon.module("addon.command")
    assert command.run(["generate", "fail", "--server", backend.address]) == 1
    assert "There was not enough memory. Less." in capsys.readouterr().err
    assert command.run(["edit", "x"]) == 2
    assert command.run(["animate", "x", "--object", "Bar", "--frames", "a:b"]) == 2
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
