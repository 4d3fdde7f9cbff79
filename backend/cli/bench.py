"""``python -m backend bench``: how well recipes do on fixed held-out prompts."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Judge what recipes make of held-out prompts.")

CASES, ALL_CASES = 16, 64


@app.callback()
def group() -> None:
    """Keeps ``recipes`` a command of its own, beside those to come."""


@app.command()
def recipes(
    recipe: Annotated[list[str] | None, typer.Option(help="Only these; repeatable.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many held-out prompts.")] = CASES,
    full: Annotated[bool, typer.Option("--full", help=f"All {ALL_CASES} prompts.")] = False,
    preset: Annotated[str, typer.Option(help="draft, standard or high.")] = "draft",
    folder: Annotated[Path, typer.Option(help="Keeps finished objects; a second run goes on.")]
    = Path("out/bench"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list, nothing else.")] = False,
) -> None:
    """Make held-out objects with each recipe and let the judge look at them."""
    from backend.evaluation.recipes import cases, make_all, summarize, vocabulary_of
    from backend.priors.library import find_prior
    from backend.recipes.registry import get
    from backend.recipes.registry import recipes as known

    summaries = []
    for name in [get(entry).id for entry in recipe] if recipe else list(known()):
        chosen = cases(ALL_CASES if full else count, vocabulary_of(name, find_prior))
        made = []
        for entry in make_all(name, chosen, find_prior, folder, preset):
            made.append(entry)
            if not as_json:
                print(f"{name}: {entry.case.prompt}, {entry.seconds:.0f} s", flush=True)
        summaries.append(summarize(name, made))
        if not as_json:
            print(json.dumps(summaries[-1], indent=2), flush=True)
    if as_json:
        print(json.dumps(summaries, indent=2))
