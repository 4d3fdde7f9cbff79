"""The recognition network and its data."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.pocket.data.named import VIEWS, Named, draw_named
from backend.pocket.recognition import FILL, RecognitionConfig, RecognitionNetwork, centered
from backend.pocket.train import Settings
from backend.pocket.train_recognition import RecognitionRun, blurred
from backend.pocket.vocabulary import WORLD
from backend.pocket.weights import WeightsError, load_recognition

TINY = RecognitionConfig(width=16)
SETTINGS = Settings(rate=3e-3, warm_up=1, mixture=Named(count=4))


def box(rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
    """A red box in the middle of nothing, (1, 4, 64, 64)."""
    image = torch.zeros(1, 4, 64, 64)
    image[:, 3] = -1
    image[:, :, slice(*rows), slice(*columns)] = torch.tensor([0.8, -0.8, -0.8, 1])[:, None, None]
    return image


@pytest.mark.parametrize(("rows", "columns"), [((2, 34), (40, 56)), ((20, 36), (0, 8))])
def test_place_and_size_do_not_matter(rows: tuple[int, int], columns: tuple[int, int]) -> None:
    """Two boxes twice as high as wide come out as the same picture."""
    solid = centered(box(rows, columns))[0, 3] > 0
    high, wide = (int(solid.any(axis).sum()) for axis in (1, 0))
    assert high == pytest.approx(64 * FILL, abs=2) and wide == pytest.approx(32 * FILL, abs=2)
    middle = solid.nonzero().float().mean(0)
    assert torch.allclose(middle, torch.full((2,), 31.5), atol=1)


def test_around_the_object_there_is_nothing() -> None:
    image = centered(box((2, 34), (40, 56)))
    assert (image[:, :3, 0] == 0).all() and (image[:, 3, 0] == -1).all()


def test_an_empty_picture_shows_nothing_certain() -> None:
    torch.manual_seed(0)
    empty = box((0, 0), (0, 0))
    assert torch.isfinite(centered(empty)).all()
    assert RecognitionNetwork(TINY).eval().recognize(empty) == [""]


def test_pictures_are_a_function_of_seed_and_step() -> None:
    a, b, other = (draw_named(1, step, 2) for step in (4, 4, 5))
    np.testing.assert_array_equal(a.images, b.images)
    assert a.views == 2 * VIEWS and not np.array_equal(a.images, other.images)
    assert (a.kinds.reshape(2, VIEWS) == a.kinds[::VIEWS, None]).all()  # of one scene


def test_blurring_keeps_what_is_plain() -> None:
    plain = torch.full((6, 4, 64, 64), 0.25)
    roughened = blurred(plain, torch.Generator().manual_seed(0))
    assert (roughened - plain).abs().mean() < 0.03
    assert (roughened - plain).std() > 0


def test_it_learns_and_what_it_learned_is_kept(tmp_path: Path) -> None:
    run = RecognitionRun(SETTINGS, TINY)
    batch = SETTINGS.mixture.draw(0, 0)
    losses = [run.advance(batch) for _ in range(40)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    run.export(tmp_path)
    kept = load_recognition(tmp_path)
    assert kept.vocabulary == WORLD
    for name, value in run.average.state_dict().items():
        torch.testing.assert_close(kept.state_dict()[name], value, atol=1e-3, rtol=1e-2)
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(WeightsError, match="damaged"):
        load_recognition(tmp_path)


def test_its_figures_and_its_sheet(tmp_path: Path) -> None:
    run = RecognitionRun(SETTINGS, TINY)
    figures = run.held_out_losses()
    assert figures["wrong"] > 0.9 and figures["certain"] < 0.1  # it has learned nothing
    run.write_sheet(tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_the_one_that_ships_knows_what_held_out_pictures_show() -> None:
    """Of kinds in colors that it never saw; what it is certain of is nearly always so."""
    batch = draw_named(5, 0, 100, held_out=True)
    with torch.no_grad():
        shares, kinds = load_recognition()(torch.from_numpy(batch.images)).softmax(1).max(1)
    right, certain = kinds == torch.from_numpy(batch.kinds), shares >= 0.5
    assert right.float().mean() > 0.75
    assert right[certain].float().mean() > 0.88
