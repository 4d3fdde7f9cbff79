"""Stages are kept, taken up again bitwise, and noise depends on its key alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from backend.priors.oracle import OraclePrior
from backend.studio import Progress, Studio
from backend.studio.studio import CHECKPOINT_SECONDS

STEPS = 10


@dataclass
class Walk:
    """A random walk that Adam smooths: state that hangs on every step before."""

    position: Tensor = field(default_factory=lambda: torch.zeros(5, requires_grad=True))
    step: int = 0

    def __post_init__(self) -> None:
        self.optimizer = torch.optim.Adam([self.position], lr=0.1)

    def state(self) -> dict[str, Any]:
        return {"position": self.position.detach().clone(), "step": self.step,
                "optimizer": self.optimizer.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        with torch.no_grad():
            self.position.copy_(state["position"])
        self.step = state["step"]
        self.optimizer.load_state_dict(state["optimizer"])


@dataclass
class Walker:
    """A studio over two folders, and the steps that were really taken in it."""

    folder: Path
    seed: int = 3
    identity: dict[str, Any] = field(default_factory=lambda: {"prompt": "a red cube"})
    seconds: float = 0.0
    taken: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.studio = Studio(
            self.folder / "job", self.folder / "cache", self.seed,
            find_prior=lambda capability: OraclePrior.of_kit(), identity=self.identity,
            clock=lambda: self.seconds, stages={"walk": 3.0, "mesh": 1.0},
        )

    def steps(self, walk: Walk) -> Iterator[Progress]:
        while walk.step < STEPS:
            walk.optimizer.zero_grad()
            (walk.position * self.studio.noise((5,), "walk", walk.step)).sum().backward()
            walk.optimizer.step()
            self.taken.append(walk.step)
            walk.step += 1
            yield Progress(walk.step, STEPS)

    def run(self) -> Tensor:
        walk = Walk()
        for _ in self.studio.stage("walk", walk, self.steps):
            pass
        return walk.position.detach()

    def begin(self, steps: int) -> Any:
        """Take some steps and stop in between."""
        running = self.studio.stage("walk", Walk(), self.steps)
        for _ in range(steps):
            next(running)
        return running


def test_a_finished_stage_is_not_run_again(tmp_path: Path) -> None:
    first, second = Walker(tmp_path), Walker(tmp_path)
    assert torch.equal(first.run(), second.run())
    assert first.taken == list(range(STEPS))
    assert second.taken == []


@pytest.mark.parametrize("other", [{"seed": 4}, {"identity": {"prompt": "a blue cube"}}])
def test_another_seed_or_identity_is_another_stage(tmp_path: Path, other: dict[str, Any]) -> None:
    Walker(tmp_path).run()
    changed = Walker(tmp_path, **other)
    changed.run()
    assert changed.taken == list(range(STEPS))


def test_an_interrupted_stage_goes_on_bitwise(tmp_path: Path) -> None:
    whole = Walker(tmp_path / "whole").run()
    broken = Walker(tmp_path / "broken")
    running = broken.begin(4)
    broken.studio.save_checkpoint()
    running.close()
    resumed = Walker(tmp_path / "broken")
    assert torch.equal(resumed.run(), whole)
    assert resumed.taken == list(range(4, STEPS))


def test_checkpoints_are_written_when_due(tmp_path: Path) -> None:
    killed = Walker(tmp_path)
    running = killed.begin(3)
    killed.seconds += CHECKPOINT_SECONDS + 1
    next(running)  # saved after the fourth step
    next(running)  # and this one is lost
    resumed = Walker(tmp_path)
    resumed.run()
    assert resumed.taken == list(range(4, STEPS))


def test_no_checkpoint_outlives_its_stage(tmp_path: Path) -> None:
    walker = Walker(tmp_path)
    running = walker.begin(2)
    walker.studio.save_checkpoint()
    assert list((tmp_path / "job").iterdir())
    running.close()
    again = Walker(tmp_path)
    again.run()
    again.studio.save_checkpoint()
    assert not list((tmp_path / "job").iterdir())


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", "truncated"])
def test_a_damaged_file_means_doing_the_work_again(tmp_path: Path, damage: bytes | str) -> None:
    whole = Walker(tmp_path).run()
    [kept] = (tmp_path / "cache").iterdir()
    kept.write_bytes(damage if isinstance(damage, bytes) else kept.read_bytes()[:-100])
    again = Walker(tmp_path)
    assert torch.equal(again.run(), whole)
    assert again.taken == list(range(STEPS))


def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(state: dict[str, Any], path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    walker = Walker(tmp_path)
    running = walker.begin(2)
    monkeypatch.setattr(torch, "save", fill)
    with pytest.raises(OSError, match="No space"):
        walker.studio.save_checkpoint()
    running.close()
    assert not list((tmp_path / "job").iterdir())


def test_noise_depends_on_seed_and_key_alone(tmp_path: Path) -> None:
    one, two = Walker(tmp_path).studio, Walker(tmp_path).studio
    one.noise((3,), "fit", 1)
    assert torch.equal(one.noise((3,), "fit", 2), two.noise((3,), "fit", 2))
    assert not torch.equal(one.noise((3,), "fit", 2), one.noise((3,), "fit", 3))
    assert not torch.equal(one.noise((3,), "fit", 2), one.noise((3,), "refit", 2))
    other = Walker(tmp_path, seed=9).studio
    assert not torch.equal(one.noise((3,), "fit", 2), other.noise((3,), "fit", 2))


def test_noise_is_standard_normal(tmp_path: Path) -> None:
    studio = Walker(tmp_path).studio
    drawn = torch.cat([studio.noise((1000,), "n", step) for step in range(20)])
    assert abs(float(drawn.mean())) < 4 / 20000**0.5
    assert float(drawn.std()) == pytest.approx(1, abs=0.03)


def test_the_fraction_of_the_job_follows_the_stages(tmp_path: Path) -> None:
    studio = Walker(tmp_path).studio
    assert studio.place("walk", Progress(5, 10)).fraction == pytest.approx(0.375)
    assert [said.fraction for said in studio.once("mesh", lambda: 1)] == [0.75, 1.0]


def test_priors_used_are_remembered(tmp_path: Path) -> None:
    studio = Walker(tmp_path).studio
    prior = studio.prior("text+cameras")
    studio.prior("text")
    assert list(studio.priors_used) == [f"oracle {prior.spec.fingerprint}"]


def test_warnings_are_those_of_this_job(tmp_path: Path) -> None:
    prior = OraclePrior.of_kit()
    prior.complaints = {"of another job": None}  # type: ignore[attr-defined]
    studio = Studio(tmp_path, tmp_path, 0, lambda capability: prior, {})
    studio.prior("views")
    assert studio.warnings() == []
    prior.complaints["too high"] = None  # type: ignore[attr-defined]
    studio.prior("views")
    assert studio.warnings() == ["too high"]
