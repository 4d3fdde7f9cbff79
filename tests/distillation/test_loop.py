"""The loop: it converges, waits, resumes bitwise, and survives numbers that are none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter

from backend.diffusion.annealing import Schedule
from backend.distillation.loop import PATIENCE, State, distill
from backend.distillation.prompts import ConditionalText
from backend.distillation.score import ScoreDistillation
from backend.priors.oracle import OraclePrior, StoredViews
from backend.rendering.cameras import orbit_cameras
from backend.studio import Studio
from protocol.errors import DistilleryError

SIZE = (4, 6, 6)
CAMERAS = orbit_cameras([0.0], 0.0, 3.0, 45.0, 6)


class Picture:
    """The simplest representation: its own latents."""

    def __init__(self) -> None:
        self.pixels = Parameter(torch.zeros(SIZE))
        self.frozen = Parameter(torch.zeros(2))

    def parameter_groups(self) -> dict[str, list[Parameter]]:
        return {"pixels": [self.pixels], "frozen": [self.frozen]}

    def state(self) -> dict[str, Tensor]:
        return {"pixels": self.pixels.detach().clone()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        with torch.no_grad():
            self.pixels.copy_(state["pixels"])


def oracle() -> OraclePrior:
    drawn = torch.randn(2, *SIZE, generator=torch.Generator().manual_seed(3))
    return OraclePrior([StoredViews(f"w{k}", views[None]) for k, views in enumerate(drawn)])


def noise(step: int) -> Tensor:
    return torch.randn(1, 1, *SIZE, generator=torch.Generator().manual_seed(step))


def score_losses(picture: Picture, prior: OraclePrior) -> Callable[[int], dict[str, Tensor]]:
    score = ScoreDistillation(prior, ConditionalText.embed(prior, "w1"), scale=1.0)

    def losses(step: int) -> dict[str, Tensor]:
        t = score.sample_t(1, 1, 0.0, torch.Generator().manual_seed(step))
        latents = picture.pixels[None, None]
        return {"score": score.loss(latents, CAMERAS, t, noise(step))}

    return losses


def start(**rates: Any) -> tuple[Picture, State]:
    picture = Picture()
    return picture, State.create(picture, rates or {"pixels": 0.05})


def test_it_finds_the_mode_that_the_prompt_names() -> None:
    prior, (picture, state) = oracle(), start()
    said = list(distill(state, 300, score_losses(picture, prior), {"score": 1.0}))
    assert torch.allclose(picture.pixels, prior.components[1].views[0], atol=0.02)
    assert [progress.step for progress in said] == list(range(1, 301))
    assert said[-1].losses["score"] < 0.01 * said[0].losses["score"]


def test_it_goes_on_bitwise_from_a_checkpoint(tmp_path: Path) -> None:
    prior, (picture, state) = oracle(), start()
    for _ in distill(state, 30, score_losses(picture, prior), {"score": 1.0}):
        pass
    other, half = start()
    running = distill(half, 30, score_losses(other, prior), {"score": 1.0})
    for _ in range(11):
        next(running)
    torch.save(half.state(), tmp_path / "half.pt")
    third, resumed = start()
    resumed.load_state(torch.load(tmp_path / "half.pt", weights_only=True))
    for _ in distill(resumed, 30, score_losses(third, prior), {"score": 1.0}):
        pass
    assert torch.equal(third.pixels, picture.pixels)
    assert resumed.step == 30


def test_it_runs_as_a_stage_of_the_studio(tmp_path: Path) -> None:
    prior, (picture, state) = oracle(), start()
    studio = Studio(tmp_path, tmp_path, 0, lambda capability: prior, {})
    losses = score_losses(picture, prior)
    stage = studio.stage("distill", state, lambda state: distill(state, 5, losses, {"score": 1.0}))
    assert [progress.stage for progress in stage] == ["distill"] * 5


def test_weights_and_rates_follow_their_schedules() -> None:
    picture, state = start(pixels=Schedule(0.1, 0.3))
    seen: list[float] = []

    def losses(step: int) -> dict[str, Tensor]:
        seen.append(state.optimizer.param_groups[0]["lr"])
        return {"a": picture.pixels.sum(), "b": (2 * picture.pixels).sum()}

    weights = {"a": Schedule(1.0, 0.0), "b": 0.0}
    running = distill(state, 4, losses, weights, rates={"pixels": Schedule(0.1, 0.3)})
    gradients = [float(picture.pixels.grad[0, 0, 0]) for _ in running]
    assert gradients == pytest.approx([1.0, 0.75, 0.5, 0.25])
    assert seen == pytest.approx([0.1, 0.15, 0.2, 0.25])


def test_only_named_groups_move() -> None:
    picture, state = start()
    list(distill(state, 2, lambda step: {"a": (picture.pixels - 1).square().sum()
                                         + picture.frozen.sum()}, {"a": 1.0}))
    assert (picture.frozen == 0).all()
    assert (picture.pixels != 0).all()


def test_every_loss_needs_a_weight() -> None:
    picture, state = start()
    with pytest.raises(KeyError, match="score"):
        next(distill(state, 2, score_losses(picture, oracle()), {"opacity": 1.0}))


def test_long_gradients_are_shortened() -> None:
    picture, state = start()
    for _ in distill(state, 1, lambda step: {"a": 1e6 * picture.pixels.sum()}, {"a": 1.0},
                     gradient_norm=0.5):
        assert float(picture.pixels.grad.norm()) == pytest.approx(0.5)


@pytest.mark.parametrize("broken", ["loss", "gradient"])
def test_a_step_that_is_not_finite_changes_nothing(broken: str) -> None:
    picture, state = start()
    kept: list[int] = []

    def losses(step: int) -> dict[str, Tensor]:
        if step != 3:
            return {"a": (picture.pixels - 1).square().sum()}
        if broken == "loss":
            return {"a": picture.pixels.sum() * float("nan")}
        return {"a": picture.pixels.sqrt().sum().clamp(max=0)}  # 0, but its slope is infinite

    with torch.no_grad():
        picture.pixels.zero_()
    running = distill(state, 6, losses, {"a": 1.0}, after_step=kept.append)
    for _ in range(3):
        next(running)
    with torch.no_grad():
        picture.pixels.zero_()
    said = next(running)
    assert (picture.pixels == 0).all()
    assert state.skipped == 1
    assert said.message == "steps skipped, not finite: 1"
    rest = list(running)
    assert kept == [0, 1, 2, 4, 5]
    assert picture.pixels.isfinite().all()
    assert rest[-1].step == 6


def test_it_gives_up_when_nothing_is_finite_any_more() -> None:
    picture, state = start()

    def losses(step: int) -> dict[str, Tensor]:
        return {"fine": picture.pixels.sum(), "bad": picture.pixels.sum() * float("nan")}

    with pytest.raises(DistilleryError, match="the loss bad") as caught:
        list(distill(state, 1000, losses, {"fine": 1.0, "bad": 1.0}))
    assert caught.value.problem.code == "diverged"
    assert state.step == PATIENCE - 1
    assert (picture.pixels == 0).all()


def test_a_curve_is_measured_now_and_then_and_goes_into_checkpoints() -> None:
    prior, (picture, state) = oracle(), start()
    losses, mode = score_losses(picture, prior), prior.components[1].views[0]

    def measure() -> float:
        return float((picture.pixels.detach() - mode).norm())

    running = distill(state, 100, losses, {"score": 1.0}, measure=measure)
    for _ in range(60):
        next(running)
    other, resumed = start()
    resumed.load_state(state.state())
    losses = score_losses(other, prior)
    list(distill(resumed, 100, losses, {"score": 1.0}, measure=lambda: 0.0))
    assert [step for step, _ in resumed.curve] == [0, 25, 50, 75, 100]
    assert resumed.curve[:3] == state.curve[:3]
    assert state.curve[0][1] > state.curve[1][1] > state.curve[2][1]


def test_a_preview_is_made_only_when_somebody_looks() -> None:
    picture, state = start()
    looked: list[int] = []
    running = distill(state, 3, score_losses(picture, oracle()), {"score": 1.0},
                      preview=lambda: looked.append(state.step))
    said = list(running)
    assert not looked
    said[-1].preview()
    assert looked == [3]
