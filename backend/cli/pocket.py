"""``python -m backend pocket``: train and judge the prior that ships."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from protocol.errors import DistilleryError, InputError

app = typer.Typer(no_args_is_help=True, help="Train and judge the prior that ships.")

Weights = Annotated[
    Path | None, typer.Option(help="Folder of the weights; without it, those that ship.")
]


@app.command()
def train(
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads to use.")] = 1,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop there; never, if absent.")] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            help="A, B, C or D (each with all before it), edits or six (from the weights that "
            "ship), points or recognition; if absent, the last of the first four"
        ),
    ] = None,
    cool_down: Annotated[
        int | None, typer.Option(min=1, help="End with that many steps at a falling rate.")
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="Processes that share each step, a batch each.")
    ] = 1,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Faster steps for views; needs a C++ compiler.")
    ] = False,
) -> None:
    """Train until interrupted; the state is kept and the next --resume goes on from it."""
    from backend.pocket.data import FINE_TUNES, STAGES, Mixture
    from backend.pocket.train import Effort, Settings, last_stage
    from backend.pocket.train import train as train_views
    from backend.pocket.train_points import train_points
    from backend.pocket.train_recognition import train_recognition
    from backend.pocket.weights import STATE

    chosen = stage or last_stage()
    effort = Effort(threads, processes, compiled)
    if chosen == "points":
        train_points(resume, effort, steps, cool_down=cool_down)
    elif chosen == "recognition":
        train_recognition(resume, effort, steps, cool_down=cool_down)
    elif chosen in STAGES | FINE_TUNES:
        folder = STATE / chosen if chosen in FINE_TUNES else STATE
        train_views(
            resume, effort, steps, folder, Settings(mixture=Mixture(chosen)), cool_down=cool_down
        )
    else:
        raise InputError(
            "stage_unknown", f"There is no stage {stage!r}.",
            "A, B, C, D, edits, six, points or recognition.",
        )


@app.command()
def export() -> None:
    """Copy the average that training wrote last to the weights that ship."""
    from backend.pocket.export import export_weights
    from backend.pocket.weights import WeightsError

    try:
        print(export_weights())
    except WeightsError as error:
        raise DistilleryError("weights_missing", f"{error}.") from error


@app.command("eval")
def evaluate(
    prompts: Annotated[int, typer.Option(min=1, help="How many held-out prompts.")] = 40,
    cases: Annotated[int, typer.Option(min=1, help="How many cases of each other figure.")] = 32,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the sampler.")] = 16,
    guidance_scale: Annotated[float, typer.Option(help="Weight of the words.")] = 3.0,
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of prompts and cases.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All figures, as JSON.")] = False,
    weights: Weights = None,
) -> None:
    """Judge what is sampled for held-out prompts and cases; within 20 minutes on two cores."""
    from backend.evaluation.pocket_prior import evaluate_prior

    part = 4 if quick else 1
    try:
        figures = evaluate_prior(
            max(1, prompts // part), steps, guidance_scale, weights, max(1, cases // part)
        )
    except RuntimeError as error:  # weights of the prior or of the judge
        raise DistilleryError("weights_missing", f"{error}.") from error
    print(json.dumps(figures, indent=2) if as_json else "\n".join(_lines(figures)))


def _lines(figures: dict[str, Any], prefix: str = "") -> list[str]:
    """Every figure on a line of its own, with its interval and cases, or why there is none."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, dict) and "cases" in value and "mean" in value:
            shown = value.get("reason") or f"{value['mean']} ± {value['interval']}"
            lines.append(f"{prefix}{name}: {shown} ({value['cases']} cases)")
        elif isinstance(value, dict):
            lines += _lines(value, f"{prefix}{name}.")
        else:
            lines.append(f"{prefix}{name}: {value}")
    return lines


@app.command()
def sheet(
    out: Annotated[Path, typer.Argument(help="The PNG to write.")],
    count: Annotated[int, typer.Option(min=2, help="How many held-out prompts, even.")] = 16,
    weights: Weights = None,
) -> None:
    """Draw views sampled for held-out prompts as one picture."""
    from backend.pocket.sampling import write_sheet
    from backend.pocket.weights import WeightsError, describe_network, load_network

    try:
        write_sheet(load_network(weights), out, count, describe_network(weights).vocabulary)
    except WeightsError as error:
        raise DistilleryError("weights_missing", f"{error}.") from error
    except OSError as error:
        raise DistilleryError(
            "out_not_writable", f"{out} cannot be written: {error.strerror}.", "Choose another."
        ) from error
    print(out)
