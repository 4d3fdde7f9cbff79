"""What the command line draws: progress, tables, problems."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from protocol.errors import Problem
from protocol.messages import JobInfo, RecipeInfo
from protocol.messages import Progress as Step

out = Console()
err = Console(stderr=True)

OnStep = Callable[[Step], None]


@contextmanager
def progress_bar() -> Iterator[OnStep]:
    """A bar of the whole job with stage and time left."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=err) as progress:
        task = progress.add_task("waiting", total=1.0, left="")

        def show(step: Step) -> None:
            left = "" if step.seconds_left is None else f"{step.seconds_left:.0f} s left"
            progress.update(task, completed=step.fraction, description=step.stage, left=left)

        yield show


def show_problem(problem: Problem) -> None:
    """What happened and what to do about it."""
    err.print(problem.message, style="bold red", highlight=False, markup=False)
    if problem.hint:
        err.print(problem.hint, highlight=False, markup=False)


def show_jobs(jobs: tuple[JobInfo, ...]) -> None:
    """Jobs as a table, newest first."""
    table = Table("job", "state", "done", "recipe", "prompt", "ordered")
    for job in jobs:
        ordered = datetime.fromtimestamp(job.created).strftime("%Y-%m-%d %H:%M")
        table.add_row(
            job.id, job.state, f"{job.fraction:.0%}", job.spec.recipe, job.spec.prompt, ordered
        )
    out.print(table)


def show_recipes(recipes: tuple[RecipeInfo, ...]) -> None:
    """Recipes with their presets and options."""
    for recipe in recipes:
        out.print(f"[bold]{recipe.id}[/bold]  {recipe.title}: {recipe.summary}", highlight=False)
        out.print(f"  {recipe.citation}", style="dim", highlight=False)
        out.print(f"  presets: {', '.join(recipe.presets)}", highlight=False)
        table = Table("option", "kind", "default", "range", "meaning", box=None)
        for entry in recipe.options:
            span = ", ".join(entry.choices) or _span(entry.low, entry.high)
            table.add_row(
                entry.name, entry.kind, str(entry.default), f"{span} {entry.unit}", entry.help
            )
        out.print(table)


def _span(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f"{'' if low is None else f'{low:g}'} … {'' if high is None else f'{high:g}'}"
