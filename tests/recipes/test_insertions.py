"""Adding a thing, by an oracle that knows the ball with a knob, and the knob alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backend.priors.oracle import WITH_CAMERAS, DrawnWorld, OraclePrior
from backend.priors.worlds import World, ellipsoid
from backend.recipes import insertions
from backend.representations.gaussians import Gaussians
from protocol.assets import Asset, Region
from protocol.errors import InputError

from .conftest import Spy
from .edits import BLUE, GREEN, RED, Edit, ball, instructed_prior, make_edit

KNOB, PLACE = 0.22, (0.0, -0.15, 0.74)
OPTIONS = {
    "operation": "add", "gaussians": 400, "fit_steps": 20, "fit_pixels": 32, "sampler_steps": 4,
    "view_steps": 4, "surface_steps": 80, "surface_grid": 24, "surface_texture": 64,
    "texture_size": 64,
}
PROMPT = "a ball with a knob"


def knobbed(paint: Any = GREEN) -> OraclePrior:
    """It knows the ball, the ball with a knob, and a knob as large as pictures show it."""
    body = ellipsoid((0, 0, 0), (0.7, 0.7, 0.7), _halves)
    knob = ellipsoid(PLACE, (KNOB, KNOB, KNOB), lambda points: np.full_like(points, 1) * paint)
    large = ellipsoid((0, 0, 0), (0.79, 0.79, 0.79), lambda points: np.full_like(points, 1) * paint)
    worlds = [World("plain ball", (body,)), World("ball knob", (body, knob)), World("k", (large,))]
    return OraclePrior(
        [DrawnWorld(world, 40) for world in worlds], deviation=0.05, resolution=40,
        capabilities=WITH_CAMERAS | {"instruction"},
    )


def _halves(points: np.ndarray) -> np.ndarray:
    return np.where(points[:, 2:] > 0, np.array(RED), np.array(BLUE))


def box_around(center: tuple[float, float, float], half: float) -> Region:
    box = np.diag([half, half, half, 1]).astype(np.float32)
    box[:3, 3] = center
    return Region(box=box)


def edit_of(region: Region, prompt: str = PROMPT, prior: Any = None, **options: Any) -> Edit:
    return Edit(Spy(prior or knobbed()), prompt, ball(2), region, {**OPTIONS, **options})


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> tuple[Edit, Asset, Gaussians]:
    """An order, its result, and the Gaussians before the addition."""
    edit, fitted, real = edit_of(box_around(PLACE, 0.3)), [], insertions.paint_thing

    def paint(gaussians: Gaussians, *rest: Any) -> Any:
        fitted.append(Gaussians.join([gaussians]))
        return real(gaussians, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(insertions, "paint_thing", paint)
        asset, _ = make_edit("gaussian_editor", edit, tmp_path_factory.mktemp("add"))
    return edit, asset, fitted[0]


def test_the_knob_stands_where_the_oracle_has_it(added: tuple[Edit, Asset, Gaussians]) -> None:
    edit, asset, _ = added
    fresh = asset.mesh.positions[len(edit.mesh.positions) :]
    low, high = fresh.min(0), fresh.max(0)
    assert np.abs((low + high) / 2 - PLACE).max() < 0.1
    assert np.abs((high - low) / 2 - KNOB).max() < 0.06
    slope, offset = asset.report["depth_alignment"]
    # At the knob's front; few large Gaussians are flatter than the ball that they stand for.
    assert abs(slope * 2.7 + offset - 2.7) < 0.08
    splats = asset.splats.means[OPTIONS["gaussians"] :]
    assert np.linalg.norm(splats - PLACE, axis=1).max() < 1.6 * KNOB
    assert np.abs(asset.splats.colors[OPTIONS["gaussians"] :].mean(0) - GREEN).max() < 0.1


def test_what_was_there_keeps_its_bits(
    added: tuple[Edit, Asset, Gaussians], tmp_path: Path
) -> None:
    """The mesh is the given one, the Gaussians those that it became before anything was added."""
    edit, asset, fitted = added
    n, m = len(edit.mesh.positions), len(edit.mesh.faces)
    assert np.array_equal(asset.mesh.positions[:n], edit.mesh.positions)
    assert np.array_equal(asset.mesh.faces[:m], edit.mesh.faces)
    colors = asset.mesh.attributes["color"].values
    assert np.array_equal(colors[:n], edit.mesh.attributes["color"].values)
    splats = fitted.to_splats()
    for name in ("means", "quats", "scales", "opacities", "colors"):
        kept = getattr(asset.splats, name)[: len(fitted)]
        assert np.array_equal(kept, getattr(splats, name)), name


def test_only_the_hole_is_painted_and_the_prior_is_not_differentiated(
    added: tuple[Edit, Asset, Gaussians]
) -> None:
    questions = added[0].prior.questions
    masks = [q.condition.known.mask for q in questions if q.condition.known is not None]
    assert masks and all(0 < float(1 - mask.mean()) < 0.3 for mask in masks)
    assert not any(question.grad_enabled for question in questions)


@pytest.mark.slow
def test_a_killed_addition_goes_on_with_the_same_bits(
    added: tuple[Edit, Asset, Gaussians], tmp_path: Path
) -> None:
    edit = edit_of(box_around(PLACE, 0.3))
    make_edit("gaussian_editor", edit, tmp_path, stop_after=40)
    resumed, again = make_edit("gaussian_editor", edit, tmp_path)
    assert not [entry for entry in again if entry.stage == "fit"]
    assert np.array_equal(resumed.mesh.positions, added[1].mesh.positions)
    assert np.array_equal(resumed.splats.means, added[1].splats.means)


@pytest.mark.parametrize(
    ("region", "prompt", "code"),
    [
        (box_around((0, 0, 0.7), 0.3), "", "prompt_empty"),
        (box_around((0, 0, 0.7), 0.3), "put a knob on it", "prompt_is_order"),
        (box_around((5, 0, 9.0), 0.3), PROMPT, "region_unseen"),
        (Region(vertices=np.zeros(162, np.float32)), PROMPT, "region_empty"),
    ],
)
def test_bad_orders_are_said_before_anything_is_fitted(
    region: Region, prompt: str, code: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        make_edit("gaussian_editor", edit_of(region, prompt), tmp_path)
    assert caught.value.problem.code == code and caught.value.problem.hint
    assert not list(tmp_path.rglob("*.pt"))


def test_a_prior_that_adds_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        make_edit(
            "gaussian_editor", edit_of(box_around(PLACE, 0.3), "a plain ball"), tmp_path
        )
    assert caught.value.problem.code == "nothing_added"


def test_a_prior_without_depth_is_said_early(tmp_path: Path) -> None:
    found = []

    def find(capability: str) -> Any:
        found.append(capability)
        if capability == "depth":
            raise InputError("capability_missing", "no depth", "Name a model.")
        return instructed_prior()

    from backend.studio import Studio

    studio = Studio(tmp_path / "job", tmp_path / "cache", 1, find, {})
    with pytest.raises(InputError, match="no depth"):
        insertions.check_addition("a ball", studio)
    assert torch.is_grad_enabled() and "inpaint" in found


@pytest.mark.slow
def test_a_selection_may_say_where(tmp_path: Path) -> None:
    """The faces under the knob: the space is the box around them, larger by half."""
    mesh = ball(2)
    near = np.linalg.norm(mesh.positions - np.array(PLACE) * 0.9, axis=1) < 0.42
    edit = edit_of(Region(vertices=near.astype(np.float32)), surface_steps=20)
    asset, _ = make_edit("gaussian_editor", edit, tmp_path)
    assert asset.mesh.positions[:, 2].max() > 0.8
