"""The evaluation of the pocket prior: fixed held-out cases, sampled, judged and compared."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from backend.evaluation.abilities import ABILITIES, Setup
from backend.evaluation.draws import join_cameras, noise_like, sample, show
from backend.evaluation.judge import FOLDER, load_judge
from backend.evaluation.metrics import JudgedViews
from backend.pocket.sampling import rig
from backend.pocket.vocabulary import Pair
from backend.pocket.world import caption
from backend.pocket.world.vocabulary import paraphrases
from backend.priors.base import Condition, Prior
from backend.priors.pocket import PocketPrior

VIEWS = 4
CHUNK = 4


def evaluate_prior(
    prompts: int = 40, steps: int = 16, guidance_scale: float = 3.0, weights: Path | None = None,
    cases: int = 32,
) -> dict[str, Any]:
    """All figures that the weights have the capability for, each with its cases and interval; None
    with a reason for the others.

    `prompts`: held-out prompts for the figures of text; `cases` of each other figure.
    """
    prior, judge = PocketPrior.load(weights), load_judge()
    words = (prior.spec.vocabulary or judge.vocabulary) & judge.vocabulary
    accuracy = json.loads((FOLDER / "config.json").read_text())["held_out_accuracy"]
    setup = Setup(prior, judge, words, cases, steps)
    found: dict[str, Any] = {"judge": {**accuracy, "fronts": len(judge.fronts)}}
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    found |= _of_text(setup, prompts, guidance_scale)
    seconds["text"] = _since(began)
    for name, (capability, measure) in ABILITIES.items():
        began = time.perf_counter()
        has = capability in prior.spec.capabilities
        found[name] = measure(setup) if has else lacking(capability)
        seconds[name] = _since(began)
    seconds["four_views"] = seconds_of_four_views(prior)
    settings = {
        "prompts": prompts, "cases": cases, "steps": steps, "guidance_scale": guidance_scale,
        "kinds": len(words.kinds), "colors": len(words.colors), "record": prior.said.record,
    }
    return found | {"settings": settings, "seconds": seconds}


def lacking(capability: str) -> dict[str, Any]:
    """What stands for a figure that the weights have no capability for."""
    reason = f"the weights lack {capability!r}"
    return {"mean": None, "interval": None, "cases": 0, "reason": reason}


def _of_text(setup: Setup, prompts: int, scale: float) -> dict[str, Any]:
    pairs = setup.words.held_out_prompts(prompts)
    drawn = draw_views(setup.prior, [caption(*pair) for pair in pairs], setup.steps, scale)
    judged = _judged(setup, drawn, pairs)
    said = paraphrases(pairs)
    other = draw_views(setup.prior, [each.prompt for each in said], setup.steps, scale)
    azimuths = _azimuths(drawn.shape[1])
    first = JudgedViews.of(show(drawn[:, :VIEWS]), *_columns(pairs), setup.judge)
    return {
        "r_precision": _by_name(judged),
        "paraphrases": _by_name(_judged(setup, other, pairs)),
        "views_agree": asdict(first.views_agree(azimuths[:VIEWS])),
        "janus": asdict(judged.janus(azimuths)),
    }


def draw_views(prior: Prior, prompts: list[str], steps: int, scale: float) -> Tensor:
    """Views at elevation 15 of each prompt, from the front on, (prompts, views, 4, 64, 64): four
    jointly, and where the prior takes given views the four between, given those."""
    first = [_four(prior, prompts[i : i + CHUNK], steps, scale)
             for i in range(0, len(prompts), CHUNK)]
    anchors = torch.cat(first)
    if "views" not in prior.spec.capabilities:
        return anchors
    cameras = join_cameras([rig(VIEWS), rig(VIEWS, azimuth_degrees=45.0)])
    given = torch.arange(2 * VIEWS)[None] < VIEWS
    more = []
    for index, prompt in enumerate(prompts):
        known = anchors[index][None]
        start = torch.cat([known, noise_like(known, 1)], 1)
        condition = Condition(prior.embed_text([prompt]), cameras, given)
        more.append(sample(prior, condition, start, steps=steps, scale=scale))
    return torch.cat(more)


def _four(prior: Prior, prompts: list[str], steps: int, scale: float) -> Tensor:
    cameras = join_cameras([rig(VIEWS)] * len(prompts))
    start = noise_like(torch.empty(len(prompts), VIEWS, *prior.spec.latent))
    condition = Condition(prior.embed_text(prompts), cameras)
    return sample(prior, condition, start, steps=steps, scale=scale)


def _azimuths(views: int) -> Tensor:
    """Of the views that `draw_views` gives, in degrees."""
    four = torch.arange(VIEWS) * (360.0 / VIEWS)
    return four if views == VIEWS else torch.cat([four, four + 45])


def _columns(pairs: list[Pair]) -> tuple[list[str], list[str]]:
    return [kind for kind, _ in pairs], [color for _, color in pairs]


def _judged(setup: Setup, drawn: Tensor, pairs: list[Pair]) -> JudgedViews:
    return JudgedViews.of(show(drawn), *_columns(pairs), setup.judge)


def _by_name(judged: JudgedViews) -> dict[str, Any]:
    return {name: asdict(figure) for name, figure in judged.r_precision().items()}


def seconds_of_four_views(prior: Prior, rounds: int = 5) -> float:
    """One unguided evaluation of four joint views, the fastest of some."""
    noisy = noise_like(torch.empty(1, VIEWS, *prior.spec.latent))
    condition = Condition(prior.embed_text(["a red mug"]), rig(VIEWS))
    spent = []
    with torch.no_grad():
        for _ in range(rounds):
            began = time.perf_counter()
            prior.predict(noisy, torch.full((1, VIEWS), 0.7), condition)
            spent.append(time.perf_counter() - began)
    return round(min(spent), 3)


def _since(began: float) -> float:
    return round(time.perf_counter() - began, 1)

