"""Changes of weights in a few levels."""

import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backend.pocket.changes import (
    SCALES,
    Scale,
    from_levels,
    load_changed,
    save_change,
    to_levels,
)
from backend.pocket.data import FINE_TUNES
from backend.pocket.export import export_weights
from backend.pocket.network import PocketConfig, PocketNetwork
from backend.pocket.weights import (
    Description,
    WeightsError,
    average_of,
    load_network,
    save_network,
)


def test_every_fine_tune_has_a_scale() -> None:
    assert set(FINE_TUNES) == set(SCALES)


@given(
    st.integers(1, 5), st.lists(st.integers(1, 4), max_size=3), st.integers(0, 99),
    st.sampled_from(list(SCALES.values())),
)
def test_shapes_are_kept_and_nearly_all_of_the_change(
    rows: int, more: list[int], seed: int, scale: Scale
) -> None:
    change = torch.randn(rows, *more, generator=torch.Generator().manual_seed(seed))
    counts, steps = to_levels(change, scale)
    assert counts.dtype == torch.int8 and counts.abs().max() <= scale.levels
    assert steps.shape == (rows if more else 1,)
    kept = from_levels(counts, steps)
    assert kept.shape == change.shape
    assert (change - kept).norm() <= 1.001 * scale.reach / scale.levels / 2 * change.norm()
    assert (kept * change >= 0).all()


def test_rows_have_steps_of_their_own_and_what_sticks_out_is_held() -> None:
    change = torch.ones(2, 400) * torch.tensor([[1e-3], [1.0]])
    change[1, 0] = 100.0
    kept = from_levels(*to_levels(change))
    torch.testing.assert_close(kept[0], change[0], rtol=0.2, atol=0)
    assert kept[1, 0] == pytest.approx(5 * float(change[1].square().mean().sqrt()))


def test_nothing_changes_by_nothing() -> None:
    assert not from_levels(*to_levels(torch.zeros(2, 3))).any()


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A folder of weights, and beside it a fine-tune that began there."""
    config = PocketConfig(widths=(32, 64, 128), blocks=1)
    torch.manual_seed(0)
    network = PocketNetwork(config)
    record = {"step": 7, "images": 1, "hours": 0.0, "origin": "scratch"}
    save_network(tmp_path / "base", network.state_dict(), config, Description(record))
    tuned = {name: value + 0.01 * torch.randn_like(value) for name, value in
             network.state_dict().items()}
    record |= {"step": 9, "origin": average_of(7)}
    save_network(tmp_path / "tuned", tuned, config, Description(record))
    return tmp_path


def test_a_fine_tune_is_kept_small_beside_what_it_changes(trained: Path) -> None:
    base, tuned, kept = trained / "base", trained / "tuned", trained / "base" / "edits"
    save_change(kept, tuned, base)
    states = [load.state_dict() for load in
              (load_changed(kept, base), load_network(tuned), load_network(base))]
    away, gone = (
        sum(float((state[name] - states[1][name]).square().sum()) for name in state)
        for state in (states[0], states[2])
    )
    assert away < 0.02 * gone
    weights = [folder / name for folder, name in
               ((kept, "change.npz"), (base, "model.safetensors"))]
    assert weights[0].stat().st_size < 0.4 * weights[1].stat().st_size


def test_it_is_refused_for_other_weights(trained: Path) -> None:
    base, kept = trained / "base", trained / "base" / "edits"
    save_change(kept, trained / "tuned", base)
    with pytest.raises(WeightsError, match="another"):
        load_changed(kept, trained / "tuned")
    with pytest.raises(WeightsError, match="began from the average of step 7, not of step 9"):
        save_change(kept, trained / "tuned", trained / "tuned")
    (kept / "change.npz").write_bytes(b"no")
    with pytest.raises(WeightsError, match="damaged"):
        load_changed(kept, base)


def test_export_puts_all_that_was_trained_beside_each_other(trained: Path) -> None:
    state, to = trained / "state", trained / "shipped"
    with pytest.raises(WeightsError, match="nothing was trained"):
        export_weights(to, state)
    shutil.copytree(trained / "base", state / "weights")
    shutil.copytree(trained / "tuned", state / "edits" / "weights")
    export_weights(to, state)
    assert load_network(to).config.blocks == 1
    load_changed(to / "edits", to)
