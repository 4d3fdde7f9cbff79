"""The judge: what it was taught, and that it refuses what it cannot judge."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from backend.evaluation.judge import (
    AZIMUTH_BINS,
    FOLDER,
    JudgeNetwork,
    Verdict,
    azimuth_hits,
    azimuth_targets,
    classify,
    draw_labeled,
    load_judge,
    readable_fronts,
    save_judge,
    score_judge,
    train_judge,
)
from backend.evaluation.metrics import r_precision
from backend.pocket.vocabulary import WORLD, Vocabulary
from backend.pocket.world import KINDS, is_held_out

HELD_OUT = WORLD.pairs(held_out=True)
FEW = Vocabulary(("mug", "dog", "car"), ("red", "blue"))


def test_labels_are_those_of_the_pairs() -> None:
    images, labels = draw_labeled(0, 0, 30, HELD_OUT, WORLD)
    assert images.shape == (120, 3, 64, 64) and 0 <= images.min() and images.max() <= 1
    for kind, color, azimuth in labels.tolist():
        assert is_held_out(WORLD.kinds[kind], WORLD.colors[color])
        assert (azimuth >= 0) == KINDS[WORLD.kinds[kind]].has_front


def test_it_scores_on_held_out_ground_truth() -> None:
    score = score_judge(load_judge(), sets=100, seed=123)
    assert score["kind"] >= 0.98 and score["color"] >= 0.98
    assert score["azimuth_within_30"] >= 0.8


def test_r_precision_of_ground_truth_is_high_and_of_gray_low() -> None:
    words = load_judge().vocabulary
    images, labels = draw_labeled(3, 0, 12, words.pairs(held_out=True), words)
    views = images.permute(0, 2, 3, 1).unflatten(0, (12, 4))
    kinds = [words.kinds[i] for i in labels[::4, 0].tolist()]
    colors = [words.colors[i] for i in labels[::4, 1].tolist()]
    assert r_precision(views, kinds, colors)["both"].mean > 0.9
    assert r_precision(torch.full_like(views, 0.5), kinds, colors)["both"].mean < 0.3


def test_front_and_azimuth_of_a_verdict() -> None:
    azimuth = torch.zeros(2, AZIMUTH_BINS)
    azimuth[0, [0, 1]] = 0.5
    azimuth[1, [12]] = 1.0
    verdict = Verdict(torch.zeros(2, 3), torch.zeros(2, 2), azimuth, FEW)
    torch.testing.assert_close(verdict.front, torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(verdict.azimuth_degrees, torch.tensor([7.5, 180.0]))


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="64"):
        classify(torch.zeros(1, 3, 64, 64), JudgeNetwork())


def test_it_is_small() -> None:
    assert (FOLDER / "model.safetensors").stat().st_size < 2e6


def test_a_saved_judge_judges_alike(tmp_path: Path) -> None:
    judge = train_judge(steps=3, sets=2, words=FEW)
    save_judge(judge, tmp_path)
    images = draw_labeled(0, 0, 2, FEW.pairs(held_out=False), FEW)[0].permute(0, 2, 3, 1)
    a, b = classify(images, judge), classify(images, load_judge(tmp_path))
    assert a.vocabulary == b.vocabulary == FEW and a.kind.shape[1] == 3
    torch.testing.assert_close(a.kind, b.kind, atol=2e-2, rtol=1e-1)


def test_missing_damaged_or_foreign_judges_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no judge.*backend.evaluation.judge"):
        load_judge(tmp_path)
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"kinds": ["unicorn"]}))
    with pytest.raises(RuntimeError, match="unicorn"):
        load_judge(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(RuntimeError, match="damaged"):
        load_judge(tmp_path)


def test_a_neighboring_azimuth_is_nearly_right() -> None:
    target = azimuth_targets(torch.tensor([0, 12]))
    torch.testing.assert_close(target.sum(1), torch.ones(2))
    assert target[0].argmax() == 0 and target[1].argmax() == 12
    torch.testing.assert_close(target[0, 1], target[0, 23])
    assert target[0, 1] > 0.5 * target[0, 0] and target[0, 6] < 0.01


def test_hits_are_within_thirty_degrees_around_the_circle() -> None:
    azimuth = torch.eye(AZIMUTH_BINS)[[0, 23, 2, 3]]
    verdict = Verdict(torch.zeros(4, 3), torch.zeros(4, 2), azimuth, FEW)
    assert azimuth_hits(verdict, torch.tensor([1, 1, 0, 0])).tolist() == [True, True, True, False]


def test_a_kind_that_is_not_read_is_no_witness() -> None:
    judge = JudgeNetwork(FEW)  # knows nothing: a constant answer
    assert "dog" in judge.fronts
    assert readable_fronts(judge, objects=4) == ()
