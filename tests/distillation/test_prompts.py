"""Which words go with which view."""

import pytest
import torch

from backend.distillation.prompts import ConditionalText, perp_neg_weights, view_weights
from backend.priors.base import TextEmbedding
from backend.rendering.cameras import Cameras, orbit_cameras

FRONT, SIDE, BACK, OVERHEAD = range(4)


class Encoder:
    """Every prompt is a constant: its number, with a token more for the overhead view."""

    def embed_text(self, prompts: list[str]) -> TextEmbedding:
        self.prompts = [*getattr(self, "prompts", []), *prompts]
        tokens = torch.arange(len(prompts)).float()[:, None, None].expand(-1, 3, 2).clone()
        mask = torch.ones(len(prompts), 3, dtype=torch.bool)
        mask[:3, 2] = False
        return TextEmbedding(tokens, mask)


def views(azimuths: list[float], elevation: float = 10.0) -> Cameras:
    return orbit_cameras(azimuths, elevation, 3.0, 45.0, 8)


@pytest.mark.parametrize(
    ("azimuth", "word"),
    [(0, FRONT), (44.9, FRONT), (-44.9, FRONT), (45.1, SIDE), (-45.1, SIDE), (134.9, SIDE),
     (135.1, BACK), (180, BACK), (225.1, SIDE), (224.9, BACK)],
)
def test_the_nearest_words_switch_at_45_and_135_degrees(azimuth: float, word: int) -> None:
    weights = view_weights(views([float(azimuth)]), interpolate=False)[0]
    assert weights.argmax() == word
    assert sorted(weights.tolist()) == [0, 0, 0, 1]


@pytest.mark.parametrize("interpolate", [True, False])
@pytest.mark.parametrize(("elevation", "above"), [(59.9, False), (60.1, True), (89.0, True)])
def test_overhead_begins_at_60_degrees(
    interpolate: bool, elevation: float, above: bool
) -> None:
    weights = view_weights(views([20.0, 160.0], elevation), interpolate=interpolate)
    assert ((weights[:, OVERHEAD] == 1) == above).all()
    assert torch.allclose(weights.sum(-1), torch.ones(2))


def test_between_the_words_embeddings_are_blended() -> None:
    weights = view_weights(views([0.0, 30.0, 90.0, 135.0, 180.0, -30.0]), interpolate=True)
    expected = [[1, 0, 0, 0], [2 / 3, 1 / 3, 0, 0], [0, 1, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 1, 0],
                [2 / 3, 1 / 3, 0, 0]]
    assert torch.allclose(weights, torch.tensor(expected), atol=1e-5)


def test_view_words_give_one_row_a_view() -> None:
    encoder = Encoder()
    text = ConditionalText.embed(encoder, "a dog", "ugly", view_dependent=True)
    assert encoder.prompts == [
        "a dog, front view", "a dog, side view", "a dog, back view", "a dog, overhead view", "ugly"
    ]
    positive, negative = text.rows(views([0.0, 135.0]), sets=2)
    assert positive.tokens[:, 0, 0].tolist() == pytest.approx([0, 1.5])
    assert not positive.mask[:, 2].any()  # no view from above takes part
    assert len(negative) == 2
    above, _ = text.rows(views([0.0], 80.0), sets=1)
    assert above.tokens[0, 0, 0] == 3
    assert above.mask.all()


def test_one_prompt_gives_one_row_a_set() -> None:
    text = ConditionalText.embed(Encoder(), "a dog")
    positive, negative = text.rows(views([0.0, 90.0, 180.0, 270.0]), sets=2)
    assert (len(positive), len(negative)) == (2, 2)


def test_perp_neg_keeps_each_view_from_its_neighbors() -> None:
    """Weights at the named azimuths, from the released constants by hand."""
    behind, (nearer, other) = perp_neg_weights(views([0.0, 45.0, 89.999, 90.001, 135.0, 180.0]))
    assert behind.tolist() == [False, False, False, True, True, True]
    halfway = 4 * 0.778801 - 2.426
    expected = [0.0001, halfway, 1.574, 0.0005, 0.1728, 0.394]
    assert nearer.tolist() == pytest.approx(expected, abs=1e-3)
    expected = [1.574, halfway, 0.0001, 1.5735, 1.7458, 1.967]
    assert other.tolist() == pytest.approx(expected, abs=1e-3)
    assert perp_neg_weights(views([10.0], 70.0))[1][0].item() == 0


def test_perp_neg_names_front_and_side() -> None:
    text = ConditionalText.embed(Encoder(), "a dog", view_dependent=True)
    first, second = text.opposed(views([10.0, 170.0]))
    assert first.text.tokens[:, 0, 0].tolist() == [FRONT, SIDE]
    assert second.text.tokens[:, 0, 0].tolist() == [SIDE, FRONT]
    with pytest.raises(ValueError, match="each view"):
        ConditionalText.embed(Encoder(), "a dog").opposed(views([0.0]))
