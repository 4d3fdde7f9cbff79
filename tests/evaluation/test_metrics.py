"""The measures on verdicts whose right answer is known."""

import math

import pytest
import torch

from backend.evaluation.judge import AZIMUTH_BINS, Verdict
from backend.evaluation.metrics import Figure, JudgedViews
from backend.pocket.vocabulary import Vocabulary

WORDS = Vocabulary(("dog", "duck", "car", "apple"), ("red", "blue", "pink"))
AZIMUTHS = torch.tensor([0.0, 90.0, 180.0, 270.0])


def one_hot(indices: list[int], size: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(indices), size).float()


def judged(
    kinds: list[str], seen: list[str], colors: list[str], azimuths: list[float]
) -> JudgedViews:
    """Objects meant as `kinds`, in red; `seen`, `colors`, `azimuths`: a verdict for every view."""
    bins = [round(a / 360 * AZIMUTH_BINS) % AZIMUTH_BINS for a in azimuths]
    verdict = Verdict(
        one_hot([WORDS.kinds.index(k) for k in seen], len(WORDS.kinds)),
        one_hot([WORDS.colors.index(c) for c in colors], len(WORDS.colors)),
        one_hot(bins, AZIMUTH_BINS),
        WORDS,
        ("dog", "duck", "car"),
    )
    return JudgedViews(kinds, ["red"] * len(kinds), verdict, 4)


def test_r_precision_is_the_mean_over_views() -> None:
    found = judged(
        ["dog", "car"], ["dog"] * 3 + ["duck"] + ["car"] * 4,
        ["red", "red", "blue", "red"] + ["red"] * 2 + ["pink"] * 2, [0.0] * 8,
    ).r_precision()  # fmt: skip
    assert found["kind"].mean == pytest.approx((0.75 + 1) / 2)
    assert found["color"].mean == pytest.approx((0.75 + 0.5) / 2)
    assert found["both"].mean == pytest.approx((0.5 + 0.5) / 2)
    assert found["kind"].cases == 2


def test_views_agree_wants_one_kind_one_color_and_the_right_turn() -> None:
    right = [0.0, 90.0, 180.0, 270.0]
    cases = [
        (["dog"] * 4, ["red"] * 4, right, 1.0),
        (["duck"] * 4, ["blue"] * 4, right, 1.0),
        (["dog"] * 3 + ["duck"], ["red"] * 4, right, 0.0),
        (["dog"] * 4, ["red"] * 3 + ["pink"], right, 0.0),
        (["dog"] * 4, ["red"] * 4, [0.0, 90.0, 0.0, 270.0], 0.0),
        (["dog"] * 4, ["red"] * 4, [345.0, 105.0, 195.0, 255.0], 1.0),
    ]
    for seen, colors, azimuths, expected in cases:
        assert judged(["dog"], seen, colors, azimuths).views_agree(AZIMUTHS).mean == expected


def test_kinds_without_a_front_need_no_azimuth() -> None:
    assert judged(["apple"], ["apple"] * 4, ["red"] * 4, [0.0] * 4).views_agree(AZIMUTHS).mean == 1


def test_janus_is_a_second_front_more_than_90_degrees_away() -> None:
    def share(azimuths: list[float], kind: str = "dog") -> Figure:
        return judged([kind], [kind] * 4, ["red"] * 4, azimuths).janus(AZIMUTHS)

    assert share([0.0, 90.0, 180.0, 270.0]).mean == 0
    assert share([0.0, 90.0, 0.0, 270.0]).mean == 1
    assert share([0.0, 0.0, 180.0, 270.0]).mean == 0
    assert share([0.0, 0.0, 0.0, 0.0], "apple").cases == 0


def test_figures_have_their_interval() -> None:
    figure = Figure.of(torch.tensor([0.0, 1.0, 1.0, 0.0]))
    assert figure.mean == 0.5 and figure.cases == 4
    assert figure.interval == pytest.approx(1.96 * math.sqrt(1 / 3) / 2, abs=1e-4)
    assert Figure.of(torch.tensor([4.4e-5])).mean == pytest.approx(4.4e-5)
    assert math.isnan(Figure.of(torch.zeros(0)).mean)


def test_counts_must_match() -> None:
    with pytest.raises(ValueError, match="objects"):
        JudgedViews.of(torch.zeros(2, 4, 64, 64, 3), ["dog"], ["red"])
