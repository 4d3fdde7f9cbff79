"""``python -m backend jobs``: look at a server's jobs, steer and fetch them."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.remote import connect, plain
from backend.cli.show import show_jobs
from backend.service.binding import DEFAULT_BIND

app = typer.Typer(
    invoke_without_command=True, help="List a server's jobs, steer and fetch them."
)

Server = Annotated[str, typer.Option(help="Address of the server.")]
Job = Annotated[str, typer.Argument(help="The job's id, as `jobs` lists it.")]


@app.callback()
def list_jobs(
    context: typer.Context,
    server: Server = DEFAULT_BIND,
    as_json: Annotated[bool, typer.Option("--json", help="As data, for programs.")] = False,
) -> None:
    """List the newest jobs."""
    if context.invoked_subcommand is not None:
        return
    with connect(server) as remote:
        found = remote.jobs()
    if as_json:
        print(json.dumps(plain(found), indent=1))
    else:
        show_jobs(found)


@app.command()
def cancel(job: Job, server: Server = DEFAULT_BIND) -> None:
    """Stop a job for good."""
    _control(job, "cancel", server)


@app.command()
def pause(job: Job, server: Server = DEFAULT_BIND) -> None:
    """Stop a job so that it can go on later; its worker is free for others."""
    _control(job, "pause", server)


@app.command()
def resume(job: Job, server: Server = DEFAULT_BIND) -> None:
    """Let a paused job go on."""
    _control(job, "resume", server)


@app.command()
def delete(job: Job, server: Server = DEFAULT_BIND) -> None:
    """Forget a job and its result."""
    _control(job, "delete", server)


@app.command()
def fetch(
    job: Job,
    out: Annotated[Path, typer.Option(help="Folder for the result.")] = Path("out"),
    server: Server = DEFAULT_BIND,
) -> None:
    """Write the result of a finished job."""
    from backend.cli.generate import write

    began = time.monotonic()
    with connect(server) as remote:
        asset = remote.fetch(job)
    for path in write(asset, out, time.monotonic() - began):
        print(path)


def _control(job: str, action: str, server: str) -> None:
    with connect(server) as remote:
        info = remote.control(job, action)  # type: ignore[arg-type]
    print(f"{info.id}: {info.state}")
