"""The adapter around a small network with random weights."""

from dataclasses import replace

import pytest
import torch

from backend.diffusion.schedules import expand_like
from backend.pocket.network import PocketConfig, PocketNetwork
from backend.pocket.points import PointsConfig, PointsNetwork
from backend.pocket.reprojection import reprojected
from backend.pocket.weights import Description
from backend.priors.base import COLOR, NORMAL, Condition, KnownPixels, TextEmbedding
from backend.priors.pocket import PocketPrior, camera_complaints, weights_hash
from backend.rendering.cameras import Cameras, orbit_cameras
from protocol.errors import InputError

WORDS = TextEmbedding(torch.randn(2, 3, 384), torch.ones(2, 3, dtype=torch.bool))
T = torch.full((2, 2), 0.6)


def network(seed: int = 0) -> PocketNetwork:
    torch.manual_seed(seed)
    made = PocketNetwork(PocketConfig(widths=(8, 16, 32), blocks=1, heads=2))
    with torch.no_grad():  # conditions start at zero: give them something to say
        for parameter in made.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return made


@pytest.fixture(scope="module")
def prior() -> PocketPrior:
    return PocketPrior(network())


def cameras(azimuth: float = 0.0) -> Cameras:
    return orbit_cameras([azimuth, 90.0, 0.0, 90.0], 15.0, 3.0, 40.0, 64)


def noisy() -> torch.Tensor:
    return torch.randn(2, 2, 4, 64, 64, generator=torch.Generator().manual_seed(1))


def test_prediction_is_consistent(prior: PocketPrior) -> None:
    x0, eps = prior.predict(noisy(), T, Condition(WORDS, cameras()))
    alpha, sigma = (expand_like(value, x0) for value in prior.schedule.alpha_sigma(T))
    assert torch.allclose(alpha * x0 + sigma * eps, noisy(), atol=1e-4)


def test_cameras_of_a_set_reach_its_views(prior: PocketPrior) -> None:
    first, second = (
        prior.predict(noisy(), T, Condition(WORDS, cameras(azimuth))).x0 for azimuth in (0.0, 45.0)
    )
    changed = (first - second).abs().amax((2, 3, 4))
    assert changed[0].min() > 1e-5  # the turned view, and through attention its neighbor
    assert changed[1].max() == 0  # the other set


def test_given_views_come_back_as_they_were(prior: PocketPrior) -> None:
    given = torch.tensor([[True, False], [False, False]])
    t = T.masked_fill(given, 0.0)
    x0, eps = prior.predict(noisy(), t, Condition(WORDS, cameras(), given))
    assert torch.equal(x0[0, 0], noisy()[0, 0])
    assert (eps[0, 0] == 0).all()


def test_given_views_are_laid_beside_wanted_ones_as_in_training(prior: PocketPrior) -> None:
    told: list[torch.Tensor] = []
    hook = prior.network.register_forward_pre_hook(
        lambda _module, _args, kwargs: told.append(kwargs["known"]), with_kwargs=True
    )
    given = torch.tensor([[True, False], [False, False]])
    prior.predict(noisy(), T.masked_fill(given, 0.0), Condition(WORDS, cameras(), given))
    prior.predict(noisy(), T.masked_fill(given, 0.0), Condition(WORDS, given=given))
    hook.remove()
    assert torch.equal(told[0], reprojected(noisy(), given, cameras()))
    assert told[0][0, 1].any() and told[1] is None


def test_unknown_alpha_and_missing_words_are_told_to_the_network(prior: PocketPrior) -> None:
    plain, unknown, silent = (
        prior.predict(noisy(), T, condition).x0
        for condition in (
            Condition(WORDS), Condition(WORDS, alpha_known=False),
            Condition(TextEmbedding(WORDS.tokens, torch.zeros_like(WORDS.mask))),
        )
    )
    assert not torch.equal(plain, unknown)
    assert not torch.equal(plain, silent)


def test_gradients_flow_where_the_caller_wants_them(prior: PocketPrior) -> None:
    start = noisy().requires_grad_()
    prior.predict(start, T, Condition(WORDS)).x0.sum().backward()
    assert start.grad is not None
    assert start.grad.abs().sum() > 0


def test_half_precision_stays_close(prior: PocketPrior) -> None:
    whole = prior.predict(noisy(), T, Condition(WORDS)).x0.detach()
    with torch.no_grad():
        half = prior.predict(noisy(), T, Condition(WORDS)).x0
    assert float((whole - half).norm() / whole.norm()) < 0.02


def test_one_text_a_set(prior: PocketPrior) -> None:
    with pytest.raises(ValueError, match="one text a set"):
        prior.predict(noisy(), T, Condition(WORDS.repeat(2)))


def test_the_fingerprint_is_that_of_the_weights(prior: PocketPrior) -> None:
    assert prior.spec.fingerprint == weights_hash(network())
    assert prior.spec.fingerprint != weights_hash(network(seed=1))


def test_what_a_condition_adds_reaches_the_network(prior: PocketPrior) -> None:
    plain = prior.predict(noisy(), T, Condition(WORDS, cameras())).x0
    ones = torch.ones(2, 2)
    added = [
        {"domain": ones.long()}, {"source": 0.3 * torch.ones(2, 2, 4, 64, 64)},
        {"frame": 0.5 * ones}, {"motion": ones}, {"alpha_known": torch.zeros(2, 2).bool()},
    ]
    for more in added:
        told = prior.predict(noisy(), T, Condition(WORDS, cameras(), **more)).x0
        assert float((told - plain).abs().max()) > 1e-6, more


def test_known_pixels_stay_and_tell_the_others(prior: PocketPrior) -> None:
    mask = torch.zeros(2, 2, 1, 64, 64)
    mask[..., :32] = 1
    known = KnownPixels(0.5 * torch.ones(2, 2, 4, 64, 64), mask)
    plain = prior.predict(noisy(), T, Condition(WORDS)).x0
    told = prior.predict(noisy(), T, Condition(WORDS, known=known)).x0
    assert (told[..., :32] == 0.5).all()
    assert float((told - plain)[..., 40:].abs().max()) > 1e-6
    with pytest.raises(ValueError, match="not both"):
        prior.predict(noisy(), T, Condition(WORDS, known=known, source=known.latents))


def test_places_are_told_to_what_was_trained_for_them() -> None:
    place = torch.zeros(2, 2, 1, 64, 64)
    place[..., :32] = 1
    source = 0.3 * torch.ones(2, 2, 4, 64, 64)
    placed, plain = (Condition(WORDS, source=source, place=told) for told in (place, None))
    without = PocketPrior(network())
    tuned = PocketPrior(network(), tuned={"edits": network(seed=1)})
    with torch.no_grad():
        shown = [prior.predict(noisy(), T, told).x0
                 for prior in (without, tuned) for told in (plain, placed)]
        elsewhere = tuned.predict(noisy(), T, replace(placed, place=1 - place)).x0
    assert torch.equal(shown[0], shown[1]) and torch.equal(shown[0], shown[2])
    assert not torch.allclose(shown[3], shown[2], atol=1e-4)
    assert not torch.allclose(shown[3], elsewhere, atol=1e-5)
    assert tuned.spec.fingerprint != without.spec.fingerprint
    assert not tuned.with_network(network(), tuned.spec).tuned


def test_colors_with_normals_beside_a_picture_are_drawn_by_what_was_trained_for_them() -> None:
    prior = PocketPrior(network(), tuned={"six": network(seed=1)})
    alone = {"": PocketPrior(network()), "six": PocketPrior(network(seed=1))}
    shown, none = torch.tensor([[True, False, False]] * 2), torch.zeros(2, 3, dtype=torch.bool)
    seen = orbit_cameras([0.0, 30.0, 60.0] * 2, 10.0, 3.2, 40.0, 64)
    latents, t = torch.randn(2, 3, 4, 64, 64), torch.full((2, 3), 0.8)
    for given, domain, tuned in (
        (shown, [COLOR, COLOR, NORMAL], "six"), (none, [COLOR, COLOR, NORMAL], ""),
        (shown, [COLOR, NORMAL, NORMAL], ""), (shown, [COLOR, COLOR, COLOR], ""),
    ):
        told = Condition(WORDS, seen, given=given, domain=torch.tensor([domain] * 2))
        with torch.no_grad():
            found, wanted = (each.predict(latents, t, told).x0 for each in (prior, alone[tuned]))
        assert torch.equal(found, wanted), (domain, tuned)


def test_holes_are_filled_by_what_was_trained_for_them() -> None:
    prior = PocketPrior(network(), tuned={"holes": network(seed=1)})
    latents = torch.randn(2, 1, 4, 64, 64)
    plain = Condition(WORDS)
    holed = replace(plain, known=KnownPixels(latents.clone(), torch.zeros(2, 1, 1, 64, 64)))
    for told, alone in ((plain, network()), (holed, network(seed=1))):
        with torch.no_grad():
            found, wanted = (
                each.predict(latents, torch.full((2, 1), 0.8), told).x0
                for each in (prior, PocketPrior(alone))
            )
        assert torch.equal(found, wanted)


def test_it_claims_what_its_weights_were_trained_for() -> None:
    said = Description({}, capabilities=("text", "features", "mind reading"))
    prior = PocketPrior(network(), said=said)
    assert prior.spec.capabilities == {"text", "features"}
    images = torch.rand(2, 64, 64, 3)
    features = prior.features(images)
    assert features.shape == (2, 32, 32, 32)
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(2, 32, 32))
    with pytest.raises(InputError, match="stage C"):
        prior.attention(images, ["dog"])


def test_attention_is_a_map_for_each_word_at_the_size_of_the_images() -> None:
    prior = PocketPrior(network(), said=Description({}, capabilities=("attention",)))
    images = torch.rand(1, 48, 48, 3)
    maps = prior.attention(images, ["dog", "hat"], prompt="a dog with a red hat")
    assert maps.shape == (1, 2, 48, 48) and 0 <= float(maps.min()) <= float(maps.max()) <= 1
    with pytest.raises(ValueError, match="cat"):
        prior.attention(images, ["cat"], prompt="a dog")
    with pytest.raises(InputError, match="up to 32 tokens") as caught:
        prior.attention(images, ["hat"], prompt=f"a {'very ' * 40} happy dog with a hat")
    assert caught.value.problem.code == "word_cut_off"


def test_points_come_from_their_own_network() -> None:
    noise = torch.randn(1, 1024, 6)
    with pytest.raises(InputError, match="--stage points"):
        PocketPrior(network()).sample_points(["a dog"], noise)
    tiny = PointsNetwork(PointsConfig(width=16, latents=4, blocks=1, heads=2))
    prior = PocketPrior(network(), points=tiny)
    cloud = prior.sample_points(["a dog"], noise)
    assert "points" in prior.spec.capabilities and cloud.shape == (1, 1024, 6)
    assert 0 <= float(cloud[..., 3:].min()) and float(cloud[..., 3:].max()) <= 1


def test_cameras_that_training_never_saw_are_complained_of_once() -> None:
    prior = PocketPrior(network())
    prior.predict(noisy(), T, Condition(WORDS, cameras()))
    assert not prior.complaints
    below = orbit_cameras([0.0, 90.0, 0.0, 90.0], -60.0, 3.0, 40.0, 64)
    for _ in range(2):
        prior.predict(noisy(), T, Condition(WORDS, below))
    assert len(prior.complaints) == 1 and "elevation" in next(iter(prior.complaints))
    assert "field of view" in camera_complaints(orbit_cameras([0.0], 0.0, 3.0, 100.0, 64))[0]


def test_the_shipped_weights_have_one_fingerprint() -> None:
    torch.manual_seed(0)
    first = PocketPrior.load().spec.fingerprint
    torch.manual_seed(1)
    assert PocketPrior.load().spec.fingerprint == first
