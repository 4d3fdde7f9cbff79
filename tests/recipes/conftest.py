"""Recipes driven by hand, against priors that are known exactly and note what they are asked."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from backend.priors.base import Condition, Prediction, TextEmbedding
from backend.priors.oracle import OraclePrior
from backend.recipes import registry, volumes
from backend.studio import Progress, Studio
from protocol.assets import Asset
from protocol.messages import JobSpec


@dataclass
class Question:
    """One evaluation that a recipe asked for."""

    t: Tensor
    condition: Condition
    grad_enabled: bool


@dataclass
class Spy:
    """A prior that passes everything on and notes what it was asked."""

    inner: OraclePrior
    prompts: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def embed_text(self, prompts: list[str]) -> TextEmbedding:
        self.prompts += prompts
        return self.inner.embed_text(prompts)

    def predict(self, noisy: Tensor, t: Tensor, condition: Condition) -> Prediction:
        self.questions.append(Question(t, condition, torch.is_grad_enabled()))
        return self.inner.predict(noisy, t, condition)


@dataclass
class Drive:
    """Runs an order to its end."""

    folder: Path

    def __call__(
        self, prior: Any, recipe: str, prompt: str, **options: Any
    ) -> tuple[Asset, list[Progress]]:
        studio = Studio(
            self.folder / "job", self.folder / "cache", seed=5, find_prior=lambda capability: prior,
            identity={"prompt": prompt, "options": options}, stages=registry.get(recipe).stages,
        )
        said = []
        run = registry.start(JobSpec(recipe=recipe, prompt=prompt, options=options), studio)
        while True:
            try:
                said.append(next(run))
            except StopIteration as end:
                return end.value, said


@pytest.fixture(autouse=True, scope="package")
def small_sheets() -> Iterator[None]:
    """Contact sheets that cost nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(volumes, "SHEET_PIXELS", 8)
        yield


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    return Drive(tmp_path)
