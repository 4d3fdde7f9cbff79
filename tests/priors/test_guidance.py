import pytest
import torch

from backend.diffusion.guidance import guide
from backend.priors.base import Condition, Prediction, TextEmbedding
from backend.priors.guidance import (
    GivenViews,
    predict_beside,
    predict_guided,
    predict_instruction,
    predict_texts,
)
from backend.priors.oracle import OraclePrior, StoredViews
from backend.rendering.cameras import orbit_cameras

NOISY = torch.randn(2, 3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
T = torch.full((2, 3), 0.6)


def oracle() -> OraclePrior:
    generator = torch.Generator().manual_seed(1)
    return OraclePrior(
        [StoredViews(name, torch.randn(3, 1, 4, 4, generator=generator)) for name in "abc"]
    )


def test_one_batch_is_as_good_as_several() -> None:
    prior = oracle()
    texts = [prior.embed_text([first, second]) for first, second in ("ab", "bc", "ca")]
    together = predict_texts(prior, NOISY, T, Condition(), texts)
    for found, text in zip(together, texts, strict=True):
        alone = prior.predict(NOISY, T, Condition(text))
        assert torch.allclose(found.x0, alone.x0)
        assert torch.allclose(found.eps, alone.eps)


def test_guided_is_the_algebra_of_both_predictions() -> None:
    prior = oracle()
    positive, negative = prior.embed_text(["a", "b"]), prior.embed_text(["c", ""])
    guided = predict_guided(prior, NOISY, T, Condition(positive), negative, 5.0)
    cond = prior.predict(NOISY, T, Condition(positive))
    uncond = prior.predict(NOISY, T, Condition(negative))
    assert torch.allclose(guided.x0, guide(uncond.x0, cond.x0, 5.0), atol=1e-5)
    assert torch.allclose(guided.eps, guide(uncond.eps, cond.eps, 5.0), atol=1e-4)
    assert torch.allclose(guided.cond.x0, cond.x0)


def test_texts_of_unlike_length_are_padded_with_tokens_that_do_not_count() -> None:
    short = TextEmbedding(torch.ones(1, 2, 3), torch.ones(1, 2, dtype=torch.bool))
    long = TextEmbedding(torch.ones(2, 4, 3), torch.ones(2, 4, dtype=torch.bool))
    joined = TextEmbedding.join([short, long])
    assert joined.tokens.shape == (3, 4, 3)
    assert joined.mask.sum(1).tolist() == [2, 4, 4]
    assert joined.tokens[0, 2:].abs().sum() == 0


def test_an_instruction_is_guided_over_two_scales() -> None:
    prior = oracle()
    negative, text = prior.embed_text(["", ""]), prior.embed_text(["a", "b"])
    source = torch.randn(NOISY.shape, generator=torch.Generator().manual_seed(9))
    condition = Condition(text, source=source)
    found = predict_instruction(prior, NOISY, T, condition, negative, 1.5, 4.0)
    nothing = prior.predict(NOISY, T, Condition(negative))
    image = prior.predict(NOISY, T, Condition(negative, source=source))
    both = prior.predict(NOISY, T, condition)
    for name in ("x0", "eps"):
        a, b, c = (getattr(each, name) for each in (nothing, image, both))
        assert torch.allclose(getattr(found, name), a + 1.5 * (b - a) + 4 * (c - b), atol=1e-5)
    with pytest.raises(ValueError, match="source"):
        predict_instruction(prior, NOISY, T, Condition(text), negative, 1.5, 4.0)


def test_words_for_a_given_picture_stand_beside_it_and_guidance_comes_from_without_both() -> None:
    told: list[Condition] = []

    class Listening(OraclePrior):
        def predict(self, noisy: torch.Tensor, t: torch.Tensor, condition: Condition) -> Prediction:
            told.append(condition)
            return Prediction(noisy, noisy)

    prior = Listening(oracle().components)
    cameras = orbit_cameras([0.0, 90.0, 180.0], 15.0, 3.0, 40.0, 4)
    given = GivenViews(torch.zeros(1, 1, 4, 4), cameras[[0]], prior.embed_text(["b"]))
    views = cameras[[1, 2, 1, 2]]
    predict_beside(prior, given, NOISY[:, 1:], T[:, 1:], Condition(cameras=views), 3.0)
    shown, alone = told
    assert shown.text is not None
    assert torch.equal(shown.text.tokens, prior.embed_text(["b", "b"]).tokens)
    assert alone.text is None and alone.given is None
