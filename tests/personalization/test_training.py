"""Training a patch: it learns its subject, keeps its class, and resumes to the same bits."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.personalization.lora import Lora
from backend.personalization.training import (
    Lesson,
    Preservation,
    Subject,
    denoising_loss,
    draw_class,
    lesson_loss,
    personalize,
)
from backend.priors.base import Condition, Prior
from backend.priors.oracle import OraclePrior, StoredViews
from backend.priors.pocket import PocketPrior
from backend.rendering.cameras import orbit_cameras
from backend.studio import Progress, Studio

KEPT = Preservation("a photo of a square", images=2, denoising_steps=2)


def trained(
    prior: PocketPrior, subject: Subject, studio: Studio, steps: int, stop: int | None = None,
    preservation: Preservation | None = None,
) -> tuple[Prior | None, list[Progress]]:
    patch, said = Lora(prior, studio.generator("lora"), 4), []
    run = personalize(
        patch, subject, studio, steps=steps, rate=2e-2, preservation=preservation
    )
    while True:
        try:
            said.append(next(run))
        except StopIteration as end:
            return end.value, said
        if said[-1].stage == "personalize" and said[-1].step == stop:
            return None, said


def finish(run: Generator[Progress, None, Any]) -> Any:
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


@torch.no_grad()
def error(prior: Prior, lesson: Lesson, studio: Studio) -> float:
    return float(lesson_loss(prior, lesson, 16, studio, ("test",)))


def test_it_learns_its_subject(prior: PocketPrior, subject: Subject, studio: Studio) -> None:
    lesson = Lesson.of(prior, subject)
    before = error(prior, lesson, studio)
    personal, said = trained(prior, subject, studio, 24)
    assert error(personal, lesson, studio) < 0.97 * before
    assert error(prior, lesson, studio) == before
    assert [progress.step for progress in said] == list(range(1, 25))
    assert any("pocket + lora" in name for name in studio.priors_used)


def test_preservation_keeps_what_the_prior_drew(
    prior: PocketPrior, subject: Subject, studio: Studio, tmp_path: Path
) -> None:
    kept, said = trained(prior, subject, studio, 16, preservation=replace(KEPT, weight=20.0))
    fresh = replace(studio, cache=tmp_path / "other", folder=tmp_path / "others")
    free, _ = trained(prior, subject, fresh, 16)
    kept_pictures = draw_class(prior, KEPT, subject, studio, "personalize class")
    lesson = finish(kept_pictures)
    assert lesson.latents.shape == (2, 4, 64, 64)
    assert error(kept, lesson, studio) < error(free, lesson, studio)
    assert {"subject", "class"} == said[-1].losses.keys()


@pytest.mark.parametrize("preservation", [None, KEPT])
def test_the_same_bits_after_a_kill_and_a_resume(
    prior: PocketPrior, subject: Subject, studio: Studio, tmp_path: Path,
    preservation: Preservation | None,
) -> None:
    whole, _ = trained(prior, subject, studio, 5, preservation=preservation)
    other = replace(studio, cache=tmp_path / "other", folder=tmp_path / "others")
    assert trained(prior, subject, other, 5, 2, preservation)[0] is None
    resumed, said = trained(prior, subject, other, 5, preservation=preservation)
    assert resumed.spec.fingerprint == whole.spec.fingerprint
    assert said[0].step == 3
    again, said = trained(prior, subject, other, 5, preservation=preservation)
    assert again.spec == whole.spec and said == []  # from the cache
    studio.identity["another job"] = True
    assert trained(prior, subject, studio, 5, preservation=preservation)[1] == []
    changed = replace(subject, prompt="a photo of sks circle")
    assert trained(prior, changed, studio, 5, preservation=preservation)[1]


def test_the_loss_is_that_of_the_noise(prior: PocketPrior) -> None:
    """Of the oracle of one picture: nothing for the truth; and errors of x0 and eps differ by
    alpha**2 where the weight is not held."""
    picture = torch.rand(1, 4, 8, 8) * 2 - 1
    oracle = OraclePrior([StoredViews("it", picture)], resolution=8, joint=False)
    noise, t = torch.randn(1, 1, 4, 8, 8), torch.full((1, 1), 0.6)
    truth = picture[None]
    assert float(denoising_loss(oracle, truth, t, noise, Condition())) < 1e-9
    by_x0 = denoising_loss(oracle, truth + 0.1, t, noise, Condition())
    oracle.spec = replace(oracle.spec, prediction="eps")
    by_eps = denoising_loss(oracle, truth + 0.1, t, noise, Condition())
    signal = oracle.schedule.alpha_sigma(t)[0].square()
    assert float(by_x0 * signal) == pytest.approx(float(by_eps), rel=1e-3)


def test_cameras_and_alpha_are_told_row_by_row(prior: PocketPrior, subject: Subject) -> None:
    cameras = orbit_cameras([0.0, 90.0], 0.0, 3.0, 50.0, 64)
    lesson = Lesson.of(prior, replace(subject, cameras=cameras))
    condition = lesson.condition([1, 1, 0])
    assert torch.equal(condition.cameras.c2w, cameras.c2w[[1, 1, 0]])
    assert condition.alpha_known is True and len(condition.text) == 3
    assert Lesson.of(prior, replace(subject, alpha=None)).condition([0]).alpha_known is False
