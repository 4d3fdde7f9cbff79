"""``python -m backend bench``: how well recipes do on fixed held-out cases."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from backend.cli.show import err, out

app = typer.Typer(no_args_is_help=True, help="Measure what recipes make of held-out cases.")

CASES, ALL_CASES = 16, 64


@app.callback()
def group() -> None:
    """Keeps ``recipes`` a command of its own, beside those to come."""


@app.command()
def recipes(
    recipe: Annotated[list[str] | None, typer.Option(help="Only these; repeatable.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many held-out cases.")] = CASES,
    full: Annotated[bool, typer.Option("--full", help=f"All {ALL_CASES} cases.")] = False,
    preset: Annotated[str, typer.Option(help="draft, standard or high.")] = "draft",
    option: Annotated[list[str] | None, typer.Option(help="name=value; repeatable.")] = None,
    folder: Annotated[Path, typer.Option(help="Keeps what is made; a second run goes on.")]
    = Path("out/bench"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list, nothing else.")] = False,
) -> None:
    """Make held-out cases with each recipe and compare with the truth."""
    from backend.cli.generate import parse_options
    from backend.evaluation.bench.cases import Bench
    from backend.evaluation.bench.making import make_all
    from backend.evaluation.bench.summary import summarize
    from backend.evaluation.bench.tasks import cases
    from backend.priors.library import find_prior
    from backend.recipes.registry import get
    from backend.recipes.registry import recipes as known

    summaries, options = [], parse_options(option or [])
    for name in recipe or list(known()):
        bench = Bench(get(name), find_prior, preset, options)
        made = []
        for each in make_all(bench, cases(bench, ALL_CASES if full else count), folder):
            made.append(each)
            err.print(f"{name}: {each.case}: {each.failure or 'made'}")
        summaries.append(summarize(bench, made))
        if not as_json:
            out.print(table(name, {name: summaries[-1]}))
    if as_json:
        print(json.dumps(summaries, indent=2))


def table(title: str, columns: dict[str, dict[str, Any]]) -> Table:
    """Summaries side by side, one line a figure."""
    drawn = Table("", *columns, title=title, title_justify="left")
    for name in dict.fromkeys(name for each in columns.values() for name in each["figures"]):
        drawn.add_row(name, *(_said(each["figures"].get(name)) for each in columns.values()))
    for name in ("seconds", "processor_seconds"):
        drawn.add_row(name, *(_said(each[name]) for each in columns.values()))
    peaks = (_megabytes(each["peak_memory_bytes"]) for each in columns.values())
    failed = (f"{len(each['failed'])} of {each['cases']}" for each in columns.values())
    drawn.add_row("peak memory", *peaks)
    drawn.add_row("failed", *failed)
    return drawn


def _said(found: dict[str, Any] | None) -> str:
    if found is None or found["mean"] is None:
        return "-"
    spread = "" if found["interval"] is None else f" ± {found['interval']:.3g}"
    return f"{found['mean']:.4g}{spread} ({found['cases']})"


def _megabytes(count: int | None) -> str:
    return "-" if count is None else f"{count / 1e6:.0f} MB"
