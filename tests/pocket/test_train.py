"""Training: bitwise resumption, warm starts, roles, weights on disk."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from backend.pocket.data import Mixture, draw_batch
from backend.pocket.network import PocketConfig
from backend.pocket.partners import Partner
from backend.pocket.train import (
    Effort,
    Settings,
    Training,
    capabilities,
    held_out_losses,
    train,
)
from backend.pocket.vocabulary import WORLD
from backend.pocket.weights import (
    WeightsError,
    describe_network,
    load_network,
)

TINY = PocketConfig(widths=(8, 16, 32), blocks=1, heads=2)
SETTINGS = Settings(mixture=Mixture("A", views=4, single_steps=1))


def advance(training: Training, steps: int) -> None:
    for _ in range(steps):
        name = SETTINGS.mixture.name(SETTINGS.seed, training.step)
        training.advance(draw_batch(SETTINGS.seed, training.step, name, 4))


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
    straight = train(True, Effort(), 3, tmp_path / "a", SETTINGS, TINY)
    train(True, Effort(), 2, tmp_path / "b", SETTINGS, TINY)
    resumed = train(True, Effort(), 3, tmp_path / "b", SETTINGS, TINY)
    torch.set_num_threads(threads)
    assert_bitwise(straight, resumed)


def test_a_partner_adds_the_gradients_of_its_own_batch() -> None:
    run, alone = (Training(SETTINGS, TINY) for _ in range(2))
    one, other = (draw_batch(seed, 0, "single", 4) for seed in (1, 2))
    parameters = list(run.network.parameters())
    alone.share = 1
    with closing(Partner(run, 1)) as partner:
        partner.begin(0, other)
        run.loss(one).backward()
        own = [None if p.grad is None else p.grad.clone() for p in parameters]
        loss = partner.add_gradients(parameters)
    expected = alone.loss(other)
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-4)
    away, size = 0.0, 0.0
    for mine, both, theirs in zip(own, parameters, alone.network.parameters(), strict=True):
        assert (mine is None) == (theirs.grad is None)
        if mine is not None:
            away += float((both.grad - mine - theirs.grad).square().sum())
            size += float(theirs.grad.square().sum())
    assert away < 1e-3 * size  # not nothing: in bf16, on another number of threads


def test_two_processes_resume_bitwise(tmp_path: Path) -> None:
    both = Effort(processes=2)
    straight = train(True, both, 3, tmp_path / "a", SETTINGS, TINY)
    train(True, both, 2, tmp_path / "b", SETTINGS, TINY)
    assert_bitwise(straight, train(True, both, 3, tmp_path / "b", SETTINGS, TINY))


def test_a_partner_that_ends_is_noticed() -> None:
    run = Training(SETTINGS, TINY)
    partner = Partner(run, 1)
    partner.close()
    with pytest.raises(RuntimeError, match="takes part in training ended"):
        partner.begin(0, draw_batch(1, 0, "single", 4))
        partner.add_gradients(list(run.network.parameters()))


def test_a_cool_down_ends_the_run_at_a_rate_near_nothing(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    train(True, Effort(), 1, tmp_path, SETTINGS, TINY)
    cooled = train(True, Effort(), None, tmp_path, SETTINGS, TINY, cool_down=2)
    torch.set_num_threads(threads)
    rates = [cooled.settings.rate_at(step) for step in (1, 2, 3)]
    assert cooled.step == 3 and rates[0] == pytest.approx(0.6 * SETTINGS.rate)
    assert rates == sorted(rates, reverse=True) and rates[-1] < 0.05 * SETTINGS.rate
    assert load_network(tmp_path / "weights").config == TINY


def test_training_learns() -> None:
    training = Training(Settings(rate=3e-3, warm_up=1, mixture=SETTINGS.mixture), TINY)
    batch = draw_batch(0, 0, "single", 4)
    losses = [training.advance(batch) for _ in range(25)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_rate_schedule() -> None:
    settings = Settings(rate=1.0, warm_up=10, decay_from=100)
    assert settings.rate_at(0) == pytest.approx(0.1)
    assert settings.rate_at(50) == 1.0
    assert settings.rate_at(400) == pytest.approx(0.5)


def test_another_stage_begins_its_rate_anew_and_claims_more(tmp_path: Path) -> None:
    first = Training(SETTINGS, TINY)
    advance(first, 2)
    first.save(tmp_path / "training.pt")
    later = Training(Settings(mixture=Mixture("C", views=4)), TINY)
    later.load(tmp_path / "training.pt")
    assert (later.step, later.begun) == (2, 2)
    later.advance(draw_batch(0, 0, "labeled", 1))
    later.export(tmp_path)
    said = describe_network(tmp_path)
    assert set(said.capabilities) == set(capabilities("C")) > set(capabilities("A"))
    assert "video" in capabilities("D") and "video" not in said.capabilities
    assert capabilities("edits") == capabilities("D")


def test_held_out_losses_are_told_for_every_kind_of_example() -> None:
    losses = held_out_losses(Training(SETTINGS, TINY), views=4)
    assert {name.split("_")[0] for name in losses} == {"single", "joint"}
    assert all(0 < value < 5 for value in losses.values())


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
    wider = Training(SETTINGS, replace(TINY, widths=(8, 16, 64)))
    wider.warm_start(tmp_path)
    assert wider.step == 0


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
