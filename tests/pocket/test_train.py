"""Training: bitwise resumption, warm starts, roles, weights on disk."""

import json
from pathlib import Path

import pytest
import torch

from backend.pocket.data import Mixture, draw_batch
from backend.pocket.network import GENERATED, GIVEN, PocketConfig
from backend.pocket.train import SCHEDULE, Settings, Training, make_example, train
from backend.pocket.vocabulary import WORLD
from backend.pocket.weights import WeightsError, describe_network, load_network

TINY = PocketConfig(widths=(8, 16, 32), blocks=1, heads=2)
SETTINGS = Settings(mixture=Mixture(images=4, views=4, single_steps=1, single_share=0.3))


def advance(training: Training, steps: int) -> None:
    for _ in range(steps):
        shape = SETTINGS.mixture.shape(SETTINGS.seed, training.step)
        training.advance(draw_batch(SETTINGS.seed, training.step, *shape))


def assert_bitwise(a: Training, b: Training) -> None:
    for name in ("network", "average"):
        first, second = getattr(a, name).state_dict(), getattr(b, name).state_dict()
        assert all(torch.equal(first[key], second[key]) for key in first)
    assert (a.step, a.images) == (b.step, b.images)


def test_resuming_is_bitwise(tmp_path: Path) -> None:
    whole = Training(SETTINGS, TINY)
    advance(whole, 5)
    broken = Training(SETTINGS, TINY)
    advance(broken, 2)
    broken.save(tmp_path / "training.pt")
    resumed = Training(SETTINGS, TINY)
    resumed.load(tmp_path / "training.pt")
    advance(resumed, 3)
    assert_bitwise(whole, resumed)


def test_the_loop_resumes_from_its_folder(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    straight = train(True, 1, 3, tmp_path / "a", SETTINGS, TINY)
    train(True, 1, 2, tmp_path / "b", SETTINGS, TINY)
    resumed = train(True, 1, 3, tmp_path / "b", SETTINGS, TINY)
    torch.set_num_threads(threads)
    assert_bitwise(straight, resumed)


def test_a_cool_down_ends_the_run_at_a_rate_near_nothing(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    train(True, 1, 1, tmp_path, SETTINGS, TINY)
    cooled = train(True, 1, None, tmp_path, SETTINGS, TINY, cool_down=2)
    torch.set_num_threads(threads)
    rates = [cooled.settings.rate_at(step) for step in (1, 2, 3)]
    assert cooled.step == 3 and rates[0] == pytest.approx(0.6 * SETTINGS.rate)
    assert rates == sorted(rates, reverse=True) and rates[-1] < 0.05 * SETTINGS.rate
    assert load_network(tmp_path / "weights").config == TINY


def test_training_learns() -> None:
    training = Training(Settings(rate=3e-3, warm_up=1, mixture=SETTINGS.mixture), TINY)
    batch = draw_batch(0, 0, 4, 1)
    losses = [training.advance(batch) for _ in range(25)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_given_views_are_clean_and_cost_nothing() -> None:
    roles = []
    for step in range(30):
        example = make_example(draw_batch(4, step % 3, 2, 4), step, SETTINGS)
        given = example.role == GIVEN
        assert (example.t[given] == 0).all() and (example.t[~given] > 0).all()
        levels = example.t.masked_fill(given, 0)
        assert (levels.amax(1, keepdim=True) == levels)[~given].all()
        roles.append(given.sum(1))
    counts = torch.cat(roles)
    assert set(counts.tolist()) == {0, 1, 2} and 0.35 < (counts == 0).float().mean() < 0.65


def test_the_loss_ignores_given_views_and_limits_its_weight() -> None:
    example = make_example(draw_batch(4, 0, 1, 4), 0, SETTINGS)
    example.role = torch.tensor([[GIVEN, GENERATED, GENERATED, GENERATED]])
    example.t = torch.tensor([[0.0, 0.01, 0.01, 0.01]])

    class Offset(torch.nn.Module):
        def forward(self, noisy, t, **_):
            return example.clean + torch.tensor([100.0, 1, 1, 1])[None, :, None, None, None]

    assert float(example.loss(Offset(), 5.0, bf16=False)) == pytest.approx(5.0, rel=1e-5)
    example.t = torch.full((1, 4), 0.5)
    sigma = float(SCHEDULE.alpha_sigma(torch.tensor(0.5))[1])
    assert float(example.loss(Offset(), 5.0, bf16=False)) == pytest.approx(1 / sigma**2, rel=1e-4)


def test_rate_schedule() -> None:
    settings = Settings(rate=1.0, warm_up=10, decay_from=100)
    assert settings.rate_at(0) == pytest.approx(0.1)
    assert settings.rate_at(50) == 1.0
    assert settings.rate_at(400) == pytest.approx(0.5)


def test_export_loads_and_warm_starts(tmp_path: Path) -> None:
    training = Training(SETTINGS, TINY)
    advance(training, 1)
    training.export(tmp_path)
    network = load_network(tmp_path)
    for name, value in training.average.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    assert json.loads((tmp_path / "config.json").read_text())["license"] == "GPL-3.0-or-later"
    said = describe_network(tmp_path)
    assert said.vocabulary == WORLD and said.record["step"] == 1
    again = Training(SETTINGS, TINY)
    again.warm_start(tmp_path)
    assert again.step == 1 and "average of step 1" in again.origin


def test_missing_or_damaged_weights_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="pocket train --resume"):
        load_network(tmp_path)
    training = Training(SETTINGS, TINY)
    training.export(tmp_path)
    weights = tmp_path / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(WeightsError, match="damaged.*pocket train --resume"):
        load_network(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    for read in (load_network, describe_network):
        with pytest.raises(WeightsError, match="damaged"):
            read(tmp_path)
