"""What does the idea of each recipe bring, on the same held-out cases as without it?

`python -m benchmarks.ablations [--recipe ID] [--count 8]` makes the cases of
`python -m backend bench recipes` twice, prints both columns, and keeps what it made, so that it
goes on where it stopped. It takes hours for all recipes.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.cli.bench import table
from backend.cli.show import out
from backend.evaluation.bench.cases import Bench
from backend.evaluation.bench.making import make_all
from backend.evaluation.bench.summary import summarize
from backend.evaluation.bench.tasks import cases
from backend.priors.library import find_prior
from backend.recipes import registry

FOLDER = Path("out/bench")
COUNT = 8


@dataclass(frozen=True)
class Ablation:
    """``without``: the options that take the idea from a recipe; ``both``: those that it is
    compared under, on either side."""

    recipe: str
    idea: str
    without: dict[str, Any]
    both: dict[str, Any] = field(default_factory=dict)


ABLATIONS = (
    Ablation("mvdream", "joint views", {"joint": False}, {"start": "blob", "steps": 400}),
    Ablation("mvdream", "distillation", {"steps": 0}),
    Ablation("mvdream", "leaving out views that do not agree", {"dropped": 0.0}),
    Ablation("dreamfusion", "view-dependent words", {"view_dependent": False}),
    Ablation("dreamfusion", "shading", {"albedo_until": 1.0}),
    Ablation("gaussiandreamer", "noisy growing", {"grow": False}),
    Ablation("zero123", "the reference view", {"lambda_color": 0.0, "lambda_mask": 0.0}),
    Ablation("zero123", "beginning from its new views", {"start": "blob", "steps": 160}),
    Ablation("wonder3d", "normals", {"normals": False}),
    Ablation("wonder3d", "dropping outliers", {"dropped": 0.0}),
    Ablation("gaussian_editor", "anchors by generation",
             {"fresh_anchor": 1.0, "anchor_growth": 1.0}),
    Ablation("gaussian_editor", "anchors", {"lambda_shape": 0.0, "lambda_color": 0.0}),
    Ablation("dreameditor", "personalization", {"lora_steps": 0}),
    Ablation("apap", "Jacobians", {"optimize": "vertices"}),
    Ablation("apap", "personalization", {"lora_steps": 0}),
    Ablation("align_your_gaussians", "divergence of the clouds", {"lambda_divergence": 0.0}),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table an ablation."""
    options = _parser().parse_args(arguments)
    for ablation in ABLATIONS:
        if not options.recipe or ablation.recipe in options.recipe:
            titled = f"{ablation.recipe}: {ablation.idea}"
            out.print(table(titled, compare(ablation, options.count, options.folder)))


def compare(ablation: Ablation, count: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Summaries of the recipe with its idea and without, by the head of their column."""
    columns = {"with": ablation.both, "without": {**ablation.both, **ablation.without}}
    return {name: measured(ablation.recipe, chosen, count, folder)
            for name, chosen in columns.items()}


def measured(recipe: str, options: dict[str, Any], count: int, folder: Path) -> dict[str, Any]:
    """The summary of one column."""
    bench = Bench(registry.get(recipe), find_prior, options=options)
    return summarize(bench, list(make_all(bench, cases(bench, count), folder)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", action="append", choices=list(registry.recipes()))
    parser.add_argument("--count", type=int, default=COUNT, help="held-out cases of each")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    return parser


if __name__ == "__main__":
    main()
