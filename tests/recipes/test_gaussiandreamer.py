"""GaussianDreamer's signature: noisy growing, color perturbation, density control, late noise."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import trimesh
from torch import Tensor

from backend.priors.oracle import DrawnWorld, OraclePrior, StoredViews
from backend.priors.pixels import encode_pixels
from backend.priors.worlds import sphere
from backend.recipes import gaussiandreamer, registry
from backend.recipes.gaussiandreamer import Options
from backend.recipes.growth import density_rule, mesh_of_views
from backend.recipes.recipe import Inputs
from backend.studio import Progress, Studio
from protocol.assets import Asset, Attribute, Mesh
from protocol.errors import InputError

from .conftest import Spy

SIDE = 24
TINY = {
    "start": "points", "prior": "text", "guidance_scale": 1.0, "steps": 24, "views": 2,
    "seeds": 300, "draws": 4000, "reach": 0.05, "pace": 8.0, "most": 700, "densify_gradient": 0.0,
    "mesh_resolution": 32, "faces": 500, "texture_size": 64,
}


class Pointed(Spy):
    """The oracle, which also draws points: gray ones on a ball as large as its red one."""

    def sample_points(self, prompts: list[str], noise: Tensor) -> Tensor:
        self.prompts += prompts
        places = 0.7 * torch.nn.functional.normalize(noise[..., :3], dim=-1)
        return torch.cat([places, torch.full_like(places, 0.5)], -1)


def small_oracle(joint: bool = False) -> OraclePrior:
    """A red ball: joint views of it, or single pictures that look the same from everywhere."""
    if joint:
        return OraclePrior([DrawnWorld(sphere(), SIDE)], 0.05, resolution=SIDE)
    axis = torch.linspace(-1, 1, SIDE)
    inside = ((axis[:, None] ** 2 + axis**2) < 0.6**2).float()[None, ..., None]
    picture = inside * torch.tensor([0.85, 0.15, 0.1]) + (1 - inside) * 0.5
    views = StoredViews("sphere", encode_pixels(picture, inside, SIDE))
    return OraclePrior([views], 0.05, joint=False, resolution=SIDE)


def ball(radius: float, color: float = 0.5) -> Asset:
    shape = trimesh.creation.icosphere(2, radius)
    colors = np.full((len(shape.vertices), 4), color, np.float32)
    mesh = Mesh(shape.vertices.astype(np.float32), shape.faces.astype(np.int32))
    mesh.attributes["color"] = Attribute("point", colors)
    return Asset("ball", mesh=mesh)


def studio_in(folder: Path, prior: Any, seed: int = 5) -> Studio:
    stages = gaussiandreamer.RECIPE.stages
    return Studio(
        folder / "job", folder / "cache", seed, lambda capability: prior, {"tiny": 1}, stages
    )


def drive(run: Iterator[Progress]) -> tuple[Asset, list[Progress]]:
    said = []
    while True:
        try:
            said.append(next(run))
        except StopIteration as end:
            return end.value, said


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Spy, Asset, Studio]:
    """One whole run, from the prior's points."""
    spy, folder = Pointed(small_oracle()), tmp_path_factory.mktemp("gaussiandreamer")
    studio = studio_in(folder, spy)
    run = gaussiandreamer.run(Inputs("a sphere"), Options(**TINY), studio)
    return spy, drive(run)[0], studio


def test_a_gray_ball_of_the_priors_points_becomes_red(made: tuple) -> None:
    _, asset, _ = made
    outside = np.linalg.norm(asset.splats.means, axis=1) > 0.6
    weights = asset.splats.opacities[outside, None]
    color = (asset.splats.colors[outside] * weights).sum(0) / weights.sum()
    assert color[0] > color[1] + 0.2 and color[0] > color[2] + 0.2
    radius = np.linalg.norm(asset.mesh.positions, axis=1).mean()
    assert radius == pytest.approx(0.7, abs=0.12)


def test_the_report_tells_the_curve_which_falls(made: tuple) -> None:
    _, asset, studio = made
    values = [value for _, value in studio.report["curve"]]
    assert values[-1] < values[0] and studio.report["recovered"] == 0
    assert studio.report["gaussians"] == len(asset.splats.means)


def test_noise_levels_have_a_lower_limit_after_500_of_1200_steps(made: tuple) -> None:
    spy, _, _ = made
    levels = [q.t.max().item() for q in spy.questions if len(q.t) == TINY["views"]]
    assert len(levels) == TINY["steps"]
    until = TINY["steps"] * 500 // 1200 + 1
    assert max(levels[:until]) > 0.55 and max(levels[until:]) <= 0.55
    assert not any(question.grad_enabled for question in spy.questions)


def test_words_tell_the_view_unless_the_prior_is_told_cameras(made: tuple, tmp_path: Path) -> None:
    assert any("back view" in prompt for prompt in made[0].prompts)
    spy = Pointed(small_oracle(joint=True))
    options = replace(Options(**TINY), prior="text+cameras", steps=1)
    drive(gaussiandreamer.run(Inputs("a sphere"), options, studio_in(tmp_path, spy)))
    assert not any("view" in prompt for prompt in spy.prompts)
    assert all(question.condition.cameras is not None for question in spy.questions)
    assert all((question.t == question.t[:, :1]).all() for question in spy.questions)


def test_views_that_are_judged_together_are_shown_through_strong_noise(tmp_path: Path) -> None:
    spy = Pointed(small_oracle(joint=True))
    options = replace(Options(**TINY), prior="text+cameras")
    drive(gaussiandreamer.run(Inputs("a sphere"), options, studio_in(tmp_path, spy)))
    levels = torch.cat([question.t[:, 0] for question in spy.questions if len(question.t) == 1])
    assert len(levels) == TINY["steps"]
    assert levels.min() >= 0.5 and levels.max() > 0.9


def test_gaussians_begin_faint_round_and_as_wide_as_the_way_to_their_neighbors(
    tmp_path: Path,
) -> None:
    inputs, studio = Inputs("a sphere", assets={"mesh": ball(0.5)}), studio_in(tmp_path, None)
    gaussians = gaussiandreamer.begin(inputs, replace(Options(**TINY), grow=False), studio)
    assert len(gaussians) == TINY["seeds"]
    assert torch.allclose(gaussians.opacities.sigmoid(), torch.tensor(0.1))
    assert torch.allclose(gaussians.albedo(), torch.tensor(0.5), atol=1e-6)
    distances = torch.cdist(gaussians.means, gaussians.means).sort(1).values[:, 1:4]
    wide = distances.square().mean(1).sqrt().clamp_min(1e-4)
    assert torch.allclose(gaussians.scales.exp(), wide[:, None].expand(-1, 3), rtol=1e-3)
    grown = gaussiandreamer.begin(inputs, Options(**TINY), studio)
    assert len(grown) > len(gaussians)
    assert torch.equal(grown.means[: len(gaussians)], gaussians.means)


def test_it_may_begin_from_views_that_a_prior_draws(tmp_path: Path) -> None:
    studio = studio_in(tmp_path, Spy(small_oracle(joint=True)))
    options = replace(Options(**TINY), start="views", view_steps=4, fit_steps=40)
    inputs, said = drive(mesh_of_views(Inputs("a sphere"), options, studio))
    assert {progress.stage for progress in said} == {
        "sample views", "fit views", "fit agreeing views"
    }
    gaussians = gaussiandreamer.begin(inputs, options, studio)
    radii, (red, green, blue) = gaussians.means.norm(dim=1), gaussians.albedo().mean(0)
    assert float(radii.median()) == pytest.approx(0.7, abs=0.15)
    assert red > green + 0.2 and red > blue + 0.2


def test_density_is_controlled_between_300_and_900_of_1200_steps() -> None:
    options = Options()
    rules = {step: density_rule(step, 1200, options) for step in range(1, 1201)}
    assert [step for step, rule in rules.items() if rule] == [400, 500, 600, 700, 800]
    assert rules[500].most_pixels == float("inf") and rules[600].most_pixels == 20
    assert rules[400].gradient == 2e-4 and rules[400].opacity == 0.05
    shorter = [s for s in range(1, 241) if density_rule(s, 240, options)]
    assert shorter == [80, 100, 120, 140, 160]


def test_without_a_mesh_or_points_the_user_is_told(tmp_path: Path) -> None:
    run = gaussiandreamer.run(
        Inputs("a sphere"), Options(**TINY), studio_in(tmp_path, Spy(small_oracle()))
    )
    with pytest.raises(InputError) as caught:
        drive(run)
    assert caught.value.problem.code == "points_missing"


def test_a_run_that_was_cut_off_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    inputs = Inputs("a sphere", assets={"mesh": ball(0.6)})

    def run(studio: Studio) -> Iterator[Progress]:
        return gaussiandreamer.run(inputs, Options(**TINY), studio)

    whole, _ = drive(run(studio_in(tmp_path / "whole", Spy(small_oracle()))))
    cut = studio_in(tmp_path / "cut", Spy(small_oracle()))
    for progress in run(cut):
        if progress.stage == "distill" and progress.step == 17:  # after densification
            cut.save_checkpoint()
            break
    again, _ = drive(run(studio_in(tmp_path / "cut", Spy(small_oracle()))))
    for name, values in vars(whole.splats).items():
        assert np.array_equal(values, getattr(again.splats, name)), name
    assert np.array_equal(whole.mesh.positions, again.mesh.positions)


def test_the_recipe_is_registered() -> None:
    assert registry.get("gaussiandreamer") is gaussiandreamer.RECIPE
