"""``python -m backend``: serve, generate, edit, deform, animate, recipes, doctor and more.

Nothing here imports torch before a command needs it, so that help and jobs answer at once.
"""

import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from backend.cli import bench, jobs, pocket
from backend.cli.remote import connect, plain
from backend.cli.show import show_problem, show_recipes
from backend.service.binding import DEFAULT_BIND, check_loopback
from protocol.errors import DistilleryError
from protocol.folders import data_folder

DATA = data_folder()
OUT = Path("out")

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False,
    help="Distillery's compute backend: distills diffusion priors into 3D assets.",
)
app.add_typer(bench.app, name="bench")
app.add_typer(jobs.app, name="jobs")
app.add_typer(pocket.app, name="pocket")

Server = Annotated[str, typer.Option(help="Address of a server; without it, work here.")]
Data = Annotated[Path, typer.Option(help="Folder for jobs, results and finished stages.")]
Preset = Annotated[str, typer.Option(help="draft, standard or high.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed makes the same thing.")]
Negative = Annotated[str, typer.Option(help="What it should not be.")]
Options = Annotated[list[str], typer.Option(help="name=value; see recipes.")]
Out = Annotated[Path, typer.Option(help="Folder for the result.")]
MeshFile = Annotated[Path, typer.Argument(help="GLB, OBJ, PLY or STL file of the object.")]


@app.command()
def serve(
    bind: Annotated[str, typer.Option(help="Loopback address; port 0 takes a free one.")]
    = DEFAULT_BIND,
    data: Data = DATA,
) -> None:
    """Run the server until it is interrupted."""
    check_loopback(bind)  # before seconds go into loading the rest
    from backend.service.server import Server as Service
    from backend.service.server import log_to_stderr

    log_to_stderr()
    service = Service(bind, data)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: service.stop())
    print(f"Listening on {service.address}", flush=True)
    service.serve()


@app.command()
def generate(
    prompt: Annotated[str, typer.Argument(help="What to make; a picture may say it.")] = "",
    recipe: Annotated[str, typer.Option(help="The system to make it with.")] = "mvdream",
    preset: Preset = "draft",
    seed: Seed = 0,
    negative: Negative = "",
    option: Options = [],  # noqa: B006
    image: Annotated[Path | None, typer.Option(help="A picture to begin from.")] = None,
    out: Out = OUT,
    server: Server = "",
    data: Data = DATA,
) -> None:
    """Make a 3D object from words or a picture: GLB, contact sheet and report."""
    from backend.cli.generate import make, order
    from backend.cli.pictures import read_picture

    spec = order(recipe, prompt, negative, preset, option, seed)
    make(spec, {} if image is None else {"image": read_picture(image)}, server, data, out)


@app.command()
def animate(
    mesh: MeshFile,
    prompt: Annotated[str, typer.Argument(help="What it does: \"a dog wagging its tail\".")],
    recipe: Annotated[str, typer.Option(help="The system to do it with.")]
    = "align_your_gaussians",
    preset: Preset = "draft",
    seed: Seed = 0,
    negative: Negative = "",
    option: Options = [],  # noqa: B006
    out: Out = OUT,
    server: Server = "",
    data: Data = DATA,
) -> None:
    """Set an object in motion: PLY and point cache (PC2), a strip of frames, and a report."""
    from backend.cli.generate import make, order
    from backend.cli.meshes import read_mesh

    spec = order(recipe, prompt, negative, preset, option, seed)
    make(spec, {"mesh": read_mesh(mesh)}, server, data, out)


@app.command()
def edit(
    mesh: MeshFile,
    prompt: Annotated[str, typer.Argument(help="What shall change: \"make the hat green\".")] = "",
    region_box: Annotated[str, typer.Option(help="Where: x0,y0,z0,x1,y1,z1 in the unit ball.")]
    = "",
    region_word: Annotated[str, typer.Option(help="Where: what the place is called.")] = "",
    recipe: Annotated[str, typer.Option(help="The system to do it with.")] = "gaussian_editor",
    preset: Preset = "draft",
    seed: Seed = 0,
    negative: Negative = "",
    option: Options = [],  # noqa: B006
    out: Out = OUT,
    server: Server = "",
    data: Data = DATA,
) -> None:
    """Change an object in one region; everything else stays as it is."""
    from backend.cli.generate import make, order
    from backend.cli.meshes import read_mesh
    from backend.cli.regions import read_region

    spec = order(recipe, prompt, negative, preset, option, seed)
    region = read_region(region_box, region_word)
    make(spec, {"mesh": read_mesh(mesh), "region": region}, server, data, out)


@app.command()
def deform(
    mesh: MeshFile,
    handles: Annotated[Path, typer.Argument(help="JSON file: what is pulled where, what stays.")],
    prompt: Annotated[str, typer.Argument(help="What it is; empty: the file's name.")] = "",
    recipe: Annotated[str, typer.Option(help="The system to do it with.")] = "apap",
    preset: Preset = "draft",
    seed: Seed = 0,
    negative: Negative = "",
    option: Options = [],  # noqa: B006
    out: Out = OUT,
    server: Server = "",
    data: Data = DATA,
) -> None:
    """Bend an object by handles and anchors; vertices, faces and look stay the same."""
    from backend.cli.generate import make, order
    from backend.cli.handles import read_handles
    from backend.cli.meshes import read_mesh

    spec, asset = order(recipe, prompt, negative, preset, option, seed), read_mesh(mesh)
    assert asset.mesh is not None
    pulled = read_handles(handles, asset.mesh)
    make(spec, {"mesh": asset, "handles": pulled}, server, data, out)


@app.command()
def recipes(
    as_json: Annotated[bool, typer.Option("--json", help="As data, for programs.")] = False,
    server: Server = "",
) -> None:
    """List the recipes with their options."""
    if server:
        with connect(server) as remote:
            found = remote.describe().recipes
    else:
        from backend.recipes import registry

        found = registry.describe()
    if as_json:
        print(json.dumps(plain(found), indent=1))
    else:
        show_recipes(found)


@app.command()
def models() -> None:
    """List which model answers each capability, and where to choose another."""
    from backend.cli.models import show_models

    show_models()


@app.command()
def doctor(data: Data = DATA) -> None:
    """Say what this machine can do, what is missing, and how to get it."""
    from backend.cli.doctor import diagnose

    raise typer.Exit(0 if diagnose(data) else 1)


def main() -> None:
    """Run the command line; problems are told in words, with status 2."""
    try:
        app()
    except DistilleryError as error:
        show_problem(error.problem)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
