"""Several guidances at once: their gradients add, their weights are followed."""

from pathlib import Path

import pytest
import torch

from backend.diffusion.annealing import Schedule
from backend.distillation.loop import State, distill
from backend.distillation.prompts import ConditionalText
from backend.distillation.score import ScoreDistillation
from backend.distillation.sources import GuidanceSources, Source
from backend.priors.oracle import OraclePrior, StoredViews
from backend.rendering.buffers import Buffers
from backend.rendering.cameras import orbit_cameras
from backend.representations.volume import grid_volume
from backend.studio import Studio

SIDE = 8
CAMERAS = orbit_cameras([0.0, 90.0, 180.0, 270.0], 10.0, 3.0, 45.0, SIDE)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path, tmp_path, seed=1, find_prior=lambda name: None, identity={})  # type: ignore[arg-type, return-value]


def score(seed: int, views: int) -> ScoreDistillation:
    """Of a prior of one set of pictures."""
    picture = torch.rand(views, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
    prior = OraclePrior([StoredViews("w", picture * 2 - 1)], resolution=SIDE)
    return ScoreDistillation(prior, ConditionalText.embed(prior, "w"), 1.0, reduction="mean")


def buffers() -> Buffers:
    generator = torch.Generator().manual_seed(0)
    alpha = torch.rand(4, SIDE, SIDE, 1, generator=generator)
    color = alpha * torch.rand(4, SIDE, SIDE, 3, generator=generator)
    return Buffers(color.requires_grad_(), alpha)


def gradient(sources: GuidanceSources, progress: float, studio: Studio) -> torch.Tensor:
    seen = buffers()
    losses = sources.losses(seen, CAMERAS, progress, studio, "distill", 3)
    weights = {name: w.at(progress) if isinstance(w, Schedule) else w
               for name, w in sources.weights().items()}
    sum(weights[name] * loss for name, loss in losses.items()).backward()
    return seen.color.grad


def test_two_sources_are_the_sum_of_both(studio: Studio) -> None:
    both = {"words": Source(score(1, 1), 0.5), "pictures": Source(score(2, 4), 40.0, views=4)}
    alone = [gradient(GuidanceSources({name: source}), 0.3, studio)
             for name, source in both.items()]
    together = gradient(GuidanceSources(both), 0.3, studio)
    assert torch.allclose(together, sum(alone), rtol=1e-5, atol=1e-9)
    assert all(part.abs().max() > 0 for part in alone)


def test_a_source_that_weighs_nothing_now_is_not_asked(studio: Studio) -> None:
    late = Source(score(1, 1), Schedule(0.0, 1.0, begin=0.5, end=0.6))
    sources = GuidanceSources({"late": late, "always": Source(score(2, 1))})
    assert set(sources.losses(buffers(), CAMERAS, 0.4, studio)) == {"always"}
    assert set(sources.losses(buffers(), CAMERAS, 0.9, studio)) == {"late", "always"}


def test_the_same_step_gives_the_same_losses(studio: Studio) -> None:
    sources = GuidanceSources({"one": Source(score(1, 1)), "other": Source(score(1, 1))})
    first, again = (sources.losses(buffers(), CAMERAS, 0.1, studio, "s", 7) for _ in range(2))
    later = sources.losses(buffers(), CAMERAS, 0.1, studio, "s", 8)
    assert first["one"] == again["one"] != later["one"]
    assert first["one"] != first["other"]  # each has noise of its own


def test_the_balance_of_two_priors_decides_the_color(studio: Studio) -> None:
    """Magic123's slider: of a red and a blue opinion the heavier one shows."""
    reds = []
    for weight in (0.1, 1.0, 10.0):
        sources = GuidanceSources({
            "red": Source(_plain([1.0, -1.0, -1.0, 1.0]), weight),
            "blue": Source(_plain([-1.0, -1.0, 1.0, 1.0])),
        })
        reds.append(_distilled(sources, studio))
    assert reds[0] < reds[1] - 0.05 and reds[1] < reds[2] - 0.05


def _plain(color: list[float]) -> ScoreDistillation:
    picture = torch.tensor(color)[None, :, None, None].expand(1, 4, SIDE, SIDE)
    prior = OraclePrior([StoredViews("w", picture)], resolution=SIDE)
    return ScoreDistillation(prior, ConditionalText.embed(prior, "w"), 1.0, reduction="mean",
                             t_range=(0.5, 0.5))


def _distilled(sources: GuidanceSources, studio: Studio) -> float:
    volume = grid_volume(8, samples=16)

    def losses(step: int) -> dict[str, torch.Tensor]:
        return sources.losses(volume.render(CAMERAS), CAMERAS, 0.0, studio, step)

    state = State.create(volume, {"grid": 0.1})
    for _ in distill(state, 30, losses, sources.weights()):
        pass
    with torch.no_grad():
        color = volume.render(CAMERAS).color[:, 3:5, 3:5]
    return float((color[..., 0] / (color[..., 0] + color[..., 2])).mean())
