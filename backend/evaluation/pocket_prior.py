"""A quick evaluation of the pocket prior: held-out prompts, joint views sampled and judged."""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import torch

from backend.evaluation.judge import FOLDER, load_judge
from backend.evaluation.metrics import JudgedViews
from backend.pocket.sampling import rig, sample_views
from backend.pocket.weights import describe_network, load_network
from backend.pocket.world import caption

VIEWS = 4


def evaluate_prior(
    prompts: int = 20, steps: int = 20, guidance_scale: float = 3.0, weights: Path | None = None
) -> dict[str, object]:
    """Figures of four joint views at elevation 15, from the front on, of fixed held-out prompts."""
    network, judge = load_network(weights), load_judge()
    pairs = (describe_network(weights).vocabulary & judge.vocabulary).held_out_prompts(prompts)
    words = [caption(kind, color) for kind, color in pairs]
    began = time.perf_counter()
    views = sample_views(network, words, rig(VIEWS), steps=steps, guidance_scale=guidance_scale)
    seconds = time.perf_counter() - began
    images = (views[:, :, :3] / 2 + 0.5).permute(0, 1, 3, 4, 2)
    judged = JudgedViews.of(images, [k for k, _ in pairs], [c for _, c in pairs], judge)
    azimuths = torch.arange(VIEWS) * (360.0 / VIEWS)
    accuracy = json.loads((FOLDER / "config.json").read_text())["held_out_accuracy"]
    return {
        "judge": accuracy,
        "r_precision": {name: asdict(figure) for name, figure in judged.r_precision().items()},
        "views_agree": asdict(judged.views_agree(azimuths)),
        "janus": asdict(judged.janus(azimuths)),
        "settings": {"prompts": prompts, "steps": steps, "guidance_scale": guidance_scale},
        "seconds": {"sampling": round(seconds, 2)},
    }


def main() -> None:
    """Print the figures of the weights that are named, or of the present ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=20)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance-scale", type=float, default=3.0)
    parser.add_argument("--weights", type=Path, default=None)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(evaluate_prior(**vars(arguments)), indent=2))


if __name__ == "__main__":
    main()
