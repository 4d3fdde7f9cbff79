"""GaussianEditor: labelled Gaussians follow the instruction, all others keep their bits."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.editing.held_splats import HeldSplats
from backend.editing.tracing import labels
from backend.priors.oracle import DrawnWorld
from backend.priors.worlds import World, cap, rim
from backend.recipes import gaussian_editor, held_edits, registry
from backend.rendering.cameras import orbit_cameras
from backend.representations.gaussians import Gaussians
from backend.representations.mesh import MeshRepresentation
from protocol.assets import Region

from .conftest import Spy
from .edits import BLUE, GREEN, RADIUS, SIDE, Edit, above, ball, instructed_prior, make_edit

OPTIONS = {
    "gaussians": 400, "fit_steps": 15, "fit_pixels": 24, "steps": 40, "rigs": 1,
    "image_scale": 1.0, "edit_every": 10, "sampler_steps": 2, "densify_every": 10, "pace": 10.0,
    "grid": 32, "texture_size": 128,
}
ROWS = ("means", "quats", "scales", "opacities", "colors")


def edit_of(region: Region, prompt: str = "make a green hat", **options: Any) -> Edit:
    return Edit(Spy(instructed_prior()), prompt, ball(), region, {**OPTIONS, **options})


class Watch(HeldSplats):
    """Notes each edit with its outside as it was before, and its Adam."""

    seen: list["Watch"] = []

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.before = self.outside()
        Watch.seen.append(self)

    def outside(self) -> dict[str, torch.Tensor]:
        kept = labels(self.gaussians) == 0
        return {name: getattr(self.gaussians, name).detach()[kept].clone() for name in ROWS}

    def moments(self) -> Iterator[torch.Tensor]:
        kept = labels(self.gaussians) == 0
        for state in self.editing.state_of_thing.optimizer.state.values():
            yield from (state[name][kept] for name in ("exp_avg", "exp_avg_sq"))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Edit, Any, Watch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_edits, "HeldSplats", Watch)
        edit = edit_of(above(ball()))
        asset, _ = make_edit("gaussian_editor", edit, tmp_path_factory.mktemp("edit"))
    return edit, asset, Watch.seen[-1]


def test_inside_reaches_what_the_instruction_says(watched: tuple) -> None:
    """From where nobody looked before: green where there was red."""
    cameras = orbit_cameras([30.0, 210.0], 25.0, 3.5, 35.0, 32)
    truth = MeshRepresentation(ball()).render(cameras, want=frozenset({"coords"}))
    inside = (truth.coords[..., 2] > 0.25) & (truth.coords[..., 2] < 0.6)
    shown = Gaussians.from_splats(watched[1].splats).render(cameras).color[inside]
    assert (shown - torch.tensor(GREEN)).abs().mean() < 0.12


def test_outside_every_property_and_adam_keep_their_bits(watched: tuple) -> None:
    held = watched[2]
    after = held.outside()
    for name in ROWS:
        assert torch.equal(held.before[name], after[name]), name
    for moment in held.moments():
        assert not moment.any()


def test_one_percent_is_born_and_children_are_labelled(watched: tuple) -> None:
    held = watched[2]
    inside = labels(held.gaussians) > 0
    children = held.gaussians.channels["original"] == 0
    assert children.any()
    assert inside[children].all()
    events = OPTIONS["steps"] // OPTIONS["densify_every"] - 1
    # A split puts two children in the place of one parent.
    assert children.sum() <= 2 * events * max(int(0.01 * int(inside.sum())), 1)


def test_the_source_is_always_the_picture_before_any_edit(watched: tuple) -> None:
    edit, asset, _ = watched
    sources = [q.condition.source for q in edit.prior.questions if q.condition.source is not None]
    assert all(torch.equal(source[:1], sources[0][:1]) for source in sources)
    assert not any(question.grad_enabled for question in edit.prior.questions)
    assert asset.report["edits"] == 1 + OPTIONS["steps"] // OPTIONS["edit_every"]
    assert asset.report["fit_psnr"] > 15


def test_no_edit_of_pictures_is_weaker_than_asked_for(tmp_path: Path) -> None:
    edit = edit_of(above(ball()), rigs=3, steps=1, strength=0.9)
    asset, _ = make_edit("gaussian_editor", edit, tmp_path)
    asked = [q for q in edit.prior.questions if q.condition.source is not None]
    begun = {float(q.t.max()) for q in asked if q.t.max() > 0.5}  # the first of two steps
    assert len(begun) == asset.report["edits"] == 3
    assert 0.9 <= min(begun) <= max(begun) <= 0.98


def test_without_anchors_shape_drifts_more(tmp_path: Path) -> None:
    drift = []
    for weight in (50.0, 0.0):
        edit = edit_of(above(ball()), lambda_shape=weight, steps=16, first_anchor=10.0)
        asset, _ = make_edit("gaussian_editor", edit, tmp_path / str(weight))
        drift.append(np.abs(asset.mesh.positions - edit.mesh.positions).mean())
    assert drift[0] < 0.7 * drift[1]


def test_a_word_traces_the_same_gaussians(tmp_path: Path, monkeypatch: Any) -> None:
    found = []
    real = gaussian_editor.remember_rest

    def noted(gaussians: Gaussians) -> None:
        wanted = gaussians.means[:, 2] > 0
        inside = labels(gaussians) > 0
        found.append(float((wanted & inside).sum() / (wanted | inside).sum()))
        real(gaussians)

    monkeypatch.setattr(gaussian_editor, "remember_rest", noted)
    edit = edit_of(Region(word="hat"), steps=1, gaussians=1500)
    finer = [replace(world, resolution=64) for world in edit.prior.inner.components]
    edit.prior = replace(edit.prior.inner, components=finer, resolution=64)
    make_edit("gaussian_editor", edit, tmp_path)
    assert found[0] > 0.7


def test_deleting_leaves_nothing_there_and_closes_the_hole(tmp_path: Path) -> None:
    flat = World("flat", (cap(RADIUS, 0.1, BLUE, False), rim_of(0.1)))
    prior = replace(instructed_prior(), components=[DrawnWorld(flat, SIDE)])
    edit = Edit(Spy(prior), "", ball(), above(ball()), {**OPTIONS, "operation": "delete"})
    asset, _ = make_edit("gaussian_editor", edit, tmp_path)
    assert (asset.splats.means[:, 2] > 0.25).mean() < 0.02
    mesh = asset.mesh
    centers = mesh.positions[mesh.faces].mean(1)
    assert centers[:, 2].max() < 0.2
    assert len(np.unique(np.sort(_edges(mesh.faces), 1), axis=0)) * 2 == len(mesh.faces) * 3
    known = [q.condition.known for q in edit.prior.questions]
    assert all(entry is not None and 0 < float(entry.mask.mean()) < 1 for entry in known)


def rim_of(top: float) -> Any:
    return rim(0.0, float(np.sqrt(RADIUS**2 - top**2)), top, GREEN)


def _edges(faces: np.ndarray) -> np.ndarray:
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def test_a_resumed_edit_is_bitwise_the_same(tmp_path: Path) -> None:
    edit = edit_of(above(ball()), steps=8, gaussians=200, fit_steps=2, densify_every=3)
    whole, said = make_edit("gaussian_editor", edit, tmp_path / "whole")
    make_edit("gaussian_editor", edit, tmp_path / "cut", stop_after=len(said) - 6)
    resumed, _ = make_edit("gaussian_editor", edit, tmp_path / "cut")
    for name in ROWS:
        assert np.array_equal(getattr(whole.splats, name), getattr(resumed.splats, name)), name
    assert np.array_equal(whole.mesh.positions, resumed.mesh.positions)


def test_the_anchors_weights_are_those_of_the_options() -> None:
    options = registry.get("gaussian_editor").options()
    fit = options.held_fit()
    assert (fit.weights.first, fit.weights.fresh, fit.weights.growth) == (1.0, 0.1, 2.0)
    assert fit.lambdas()["anchor colors"] == options.lambda_color == 0
    assert fit.lambdas()["anchor quats"] == options.lambda_shape == 50
