"""``python -m backend pocket``: train and judge the prior that ships."""

import json
from pathlib import Path
from typing import Annotated

import typer

from protocol.errors import DistilleryError

app = typer.Typer(no_args_is_help=True, help="Train and judge the prior that ships.")

Weights = Annotated[
    Path | None, typer.Option(help="Folder of the weights; without it, those that ship.")
]


@app.command()
def train(
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads to use.")] = 1,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop there; never, if absent.")] = None,
    cool_down: Annotated[
        int | None, typer.Option(min=1, help="End with that many steps at a falling rate.")
    ] = None,
) -> None:
    """Train until interrupted; the state is kept and the next --resume goes on from it."""
    from backend.pocket.train import train as run

    run(resume, threads, steps, cool_down=cool_down)


@app.command()
def export() -> None:
    """Copy the average that training wrote last to the weights that ship."""
    from backend.pocket.weights import WeightsError, export_weights

    try:
        print(export_weights())
    except WeightsError as error:
        raise DistilleryError("weights_missing", f"{error}.") from error


@app.command("eval")
def evaluate(
    prompts: Annotated[int, typer.Option(min=1, help="How many held-out prompts.")] = 20,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the sampler.")] = 20,
    guidance_scale: Annotated[float, typer.Option(help="Weight of the words.")] = 3.0,
    weights: Weights = None,
) -> None:
    """Judge views sampled for held-out prompts; prints JSON."""
    from backend.evaluation.pocket_prior import evaluate_prior

    try:
        figures = evaluate_prior(prompts, steps, guidance_scale, weights)
    except RuntimeError as error:  # weights of the prior or of the judge
        raise DistilleryError("weights_missing", f"{error}.") from error
    print(json.dumps(figures, indent=2))


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
