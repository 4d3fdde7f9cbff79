"""Measures of generated views by the judge, each with its number of cases and 95 % interval."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.evaluation.judge import JudgeNetwork, Verdict, classify, load_judge


@dataclass(frozen=True)
class Figure:
    """A mean over `cases`, with half the width of its 95 % interval (normal approximation)."""

    mean: float
    interval: float
    cases: int

    @classmethod
    def of(cls, values: Tensor) -> "Figure":
        """From one value a case, (cases,). Without cases the mean is not a number."""
        count = len(values)
        spread = float(values.float().std()) if count > 1 else float("nan")
        mean = float(values.float().mean()) if count else float("nan")
        return cls(_short(mean), _short(1.96 * spread / math.sqrt(max(count, 1))), count)


def _short(value: float) -> float:
    """To six digits, however small: what must be zero shows when it is not."""
    return float(f"{value:.6g}")


@dataclass(frozen=True)
class JudgedViews:
    """The judge's verdicts on objects of known prompt, each seen in the same number of views."""

    kinds: list[str]
    colors: list[str]
    verdict: Verdict
    views: int

    @classmethod
    def of(
        cls, images: Tensor, kinds: list[str], colors: list[str], judge: JudgeNetwork | None = None
    ) -> "JudgedViews":
        """Of `images` (objects, views, 64, 64, 3), [0, 1] over mid-gray."""
        if len(images) != len(kinds) or len(kinds) != len(colors):
            raise ValueError(f"{len(images)} objects, {len(kinds)} kinds and {len(colors)} colors")
        verdict = classify(images.flatten(0, 1), judge or load_judge())
        return cls(kinds, colors, verdict, images.shape[1])

    def r_precision(self) -> dict[str, Figure]:
        """Mean top-1 over the views against the whole vocabulary: kind, color, both."""
        words = self.verdict.vocabulary
        kind = self._hits(self.verdict.kind, self.kinds, words.kinds)
        color = self._hits(self.verdict.color, self.colors, words.colors)
        found = {"kind": kind, "color": color, "both": kind & color}
        return {name: Figure.of(hits.float().mean(1)) for name, hits in found.items()}

    def views_agree(self, azimuth_degrees: Tensor) -> Figure:
        """Share of objects whose views all show one kind and color and, for kinds whose azimuth
        the judge can read, one within 30 degrees of the camera's, `azimuth_degrees` (views,)."""
        kind, color = (
            self._per_object(probabilities.argmax(1))
            for probabilities in (self.verdict.kind, self.verdict.color)
        )
        same = (kind == kind[:, :1]).all(1) & (color == color[:, :1]).all(1)
        off = (self._per_object(self.verdict.azimuth_degrees) - azimuth_degrees + 180) % 360 - 180
        turned = (off.abs() <= 30).all(1) | ~self._has_front()
        return Figure.of((same & turned).float())

    def janus(self, azimuth_degrees: Tensor) -> Figure:
        """Share of objects (of kinds whose azimuth the judge can read) that show their front in two
        views over 90 degrees apart."""
        front = self._per_object(self.verdict.front) > 0.5
        apart = (azimuth_degrees[:, None] - azimuth_degrees[None] + 180) % 360 - 180
        pairs = front[:, :, None] & front[:, None] & (apart.abs() > 90)
        return Figure.of(pairs.flatten(1).any(1)[self._has_front()].float())

    def _hits(self, probabilities: Tensor, words: list[str], known: tuple[str, ...]) -> Tensor:
        wanted = torch.tensor([known.index(word) for word in words])
        return self._per_object(probabilities.argmax(1)) == wanted[:, None]

    def _per_object(self, values: Tensor) -> Tensor:
        return values.view(-1, self.views)

    def _has_front(self) -> Tensor:
        return torch.tensor([kind in self.verdict.fronts for kind in self.kinds])


def r_precision(images: Tensor, kinds: list[str], colors: list[str]) -> dict[str, Figure]:
    """R-precision of generated objects: see `JudgedViews.r_precision`."""
    return JudgedViews.of(images, kinds, colors).r_precision()
