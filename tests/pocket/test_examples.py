"""What the network is told of a batch, and what it is to learn from it."""

import dataclasses

import numpy as np
import pytest
import torch

from backend.pocket.data import draw_batch
from backend.pocket.examples import (
    SCHEDULE,
    Levels,
    loss_places,
    loss_words,
    make_example,
)
from backend.pocket.network import GENERATED, GIVEN, PocketConfig, PocketNetwork
from backend.pocket.text import tokens_of

LEVELS = Levels()


def test_given_views_are_clean_and_levels_are_those_of_their_set() -> None:
    for seed in range(10):
        example = make_example(draw_batch(4, seed % 3, "joint", 8), seed, LEVELS)
        assert (example.t[example.given] == 0).all() and (example.t[~example.given] > 0).all()
        levels = example.t.masked_fill(example.given, 0)
        assert (levels.amax(1, keepdim=True) == levels)[~example.given].all()


def test_the_loss_ignores_given_views_and_limits_its_weight() -> None:
    example = make_example(draw_batch(4, 0, "joint", 4), 0, LEVELS)
    example.inputs["role"] = torch.tensor([[GIVEN, GENERATED, GENERATED, GENERATED]])
    example.t = torch.tensor([[0.0, 0.01, 0.01, 0.01]])

    class Offset(torch.nn.Module):
        def forward(self, noisy, t, **_):
            return example.clean + torch.tensor([100.0, 1, 1, 1])[None, :, None, None, None]

    assert float(example.loss_of_views(Offset(), 5.0, bf16=False)) == pytest.approx(5.0, rel=1e-5)
    example.t = torch.full((1, 4), 0.5)
    sigma = float(SCHEDULE.alpha_sigma(torch.tensor(0.5))[1])
    found = float(example.loss_of_views(Offset(), 5.0, bf16=False))
    assert found == pytest.approx(1 / sigma**2, rel=1e-4)


def test_the_loss_ignores_known_pixels_and_is_that_of_a_pixel_that_is_not() -> None:
    example = make_example(draw_batch(4, 0, "masked", 3), 0, LEVELS)
    example.t = torch.ones(3, 1)
    known = example.inputs["known"][:, :, 4:]

    def offset(inside: float, outside: float) -> float:
        class Offset(torch.nn.Module):
            def forward(self, noisy, t, **_):
                return example.clean + inside * (1 - known) + outside * known

        return float(example.loss_of_views(Offset(), 5.0, bf16=False))

    assert offset(0.0, 100.0) == pytest.approx(0, abs=1e-6)
    assert offset(2.0, 100.0) == pytest.approx(4, rel=1e-3)


def test_words_that_must_be_kept_are_not_dropped() -> None:
    drop = dataclasses.replace(LEVELS, text_dropped=1.0)
    assert make_example(draw_batch(0, 0, "labeled", 2), 0, drop).inputs["text_mask"].any()
    assert not make_example(draw_batch(0, 0, "single", 2), 0, drop).inputs["text_mask"].any()


def test_readings_are_learned_at_low_noise_one_view_a_set() -> None:
    example = make_example(draw_batch(0, 0, "matched", 4), 1, LEVELS)
    assert example.t.shape == (4, 1) and example.t.max() <= 0.5
    assert example.inputs["rays"].shape == (4, 1, 6, 32, 32)


def test_perfect_words_cost_little_and_blind_ones_much() -> None:
    batch = draw_batch(1, 0, "labeled", 3)
    logits = torch.zeros(3, 1, 32, 32, 32)
    for row, (caption, spans, shown) in enumerate(
        zip(batch.captions, batch.spans, batch.shown, strict=True)
    ):
        for span, mask in zip(spans, shown, strict=True):
            for token in tokens_of(caption, span):
                logits[row, :, token] = torch.from_numpy(mask).logit(1e-4)
    assert float(loss_words(logits, batch)) < 0.25 < 1 < float(loss_words(logits * 0, batch))


def test_features_that_are_places_match_and_constant_ones_do_not() -> None:
    batch = draw_batch(2, 0, "matched", 4)
    places = torch.from_numpy(batch.places)
    waves = torch.cat([(places * k).sin() for k in (1.0, 2.0, 3.0)] + [places.cos()], -1)
    good = torch.nn.functional.normalize(waves, dim=-1)
    flat = torch.nn.functional.normalize(torch.ones_like(waves), dim=-1)
    assert float(loss_places(good, batch)) < 0.8 * float(loss_places(flat, batch))


@pytest.mark.parametrize("name", ["labeled", "matched", "edited", "surfaces", "frames"])
def test_every_kind_of_example_reaches_the_network(name: str) -> None:
    network = PocketNetwork(PocketConfig(widths=(8, 16, 32), blocks=1, heads=2))
    batch = draw_batch(0, 0, name, 8)
    loss = make_example(batch, 0, LEVELS).loss(network, 2.0)
    loss.backward()
    assert np.isfinite(float(loss.detach()))
    taught = {"labeled": network.reader.query, "matched": network.reader.place}
    for kind, layer in taught.items():
        moved = layer.weight.grad is not None and bool(layer.weight.grad.any())
        assert moved == (kind == name)
