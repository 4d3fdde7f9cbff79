"""Wonder3D's signature: six orthographic views, colors and normals in one set, no distillation."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import trimesh

from backend.evaluation.geometry import chamfer, volume_iou
from backend.multiview.domains import CrossDomainSampler
from backend.multiview.hull import visual_hull
from backend.multiview.reference import ReferenceView
from backend.multiview.rigs import picture_camera, sets_of_six, six_views
from backend.multiview.surfaces import SurfaceSize, SurfaceTargets, reconstruct
from backend.priors.base import COLOR, NORMAL
from backend.priors.oracle import WITH_CAMERAS, DrawnWorld, OraclePrior
from backend.priors.worlds import World, animal, bowl, cube
from backend.recipes import registry, wonder3d
from backend.recipes.recipe import Inputs
from backend.recipes.wonder3d import RECIPE, Options
from backend.rendering.cameras import Cameras
from backend.studio import Progress, Studio
from protocol.assets import Asset, Image, Mesh
from protocol.errors import InputError

from .conftest import Question, Spy

SIDE = 32
TINY: dict[str, Any] = {
    "view_steps": 4, "fit_steps": 160, "rays": 512, "grid_resolution": 40, "samples": 16,
    "faces": 3000, "texture_size": 64,
}
BOWL_ELEVATION = 40.0


def small_oracle(side: int = SIDE) -> Spy:
    worlds = [DrawnWorld(world, side) for world in (cube(), animal(), bowl())]
    return Spy(OraclePrior(worlds, resolution=side, capabilities=WITH_CAMERAS))


def photograph(world: World, elevation: float = 0.0) -> Asset:
    """A cut-out picture of it, from the front."""
    drawing = world.draw(picture_camera(elevation, 0.0, 96))
    pixels = np.concatenate([drawing.color, drawing.alpha], -1)[0]
    return Asset("picture", images={"image": Image((pixels * 255).round().astype(np.uint8))})


def make(
    folder: Path, prior: Any, world: World, stop: Callable[[Progress], bool] | None = None,
    **options: Any,
) -> Asset | None:
    """Run the recipe to its end, or until ``stop``."""
    chosen = {**TINY, **options}
    studio = Studio(
        folder / "job", folder / "cache", 3, lambda capability: prior,
        {"world": world.name, **chosen}, RECIPE.stages, clock=iter(range(0, 10**9, 60)).__next__,
    )
    picture = photograph(world, chosen.get("elevation_degrees", 0.0))
    run = RECIPE.run(Inputs(assets={"image": picture}), Options(**chosen), studio)
    while True:
        try:
            progress = next(run)
        except StopIteration as end:
            return end.value
        if stop is not None and stop(progress):
            return None


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Spy, Asset]:
    spy = small_oracle()
    return spy, make(tmp_path_factory.mktemp("wonder3d"), spy, animal())


def as_mesh(solid: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(solid.vertices, np.float32), np.asarray(solid.faces, np.int32))


def animal_mesh() -> Mesh:
    """The two ellipsoids of the kit's animal."""
    parts = []
    for center, radii in (((0, 0.15, -0.1), (0.35, 0.6, 0.35)), ((0, -0.45, 0.3), (0.28,) * 3)):
        parts.append(trimesh.creation.icosphere(3))
        parts[-1].apply_transform(np.diag([*radii, 1.0])).apply_translation(center)
    return as_mesh(trimesh.util.concatenate(parts))


def bowl_mesh() -> Mesh:
    """The kit's bowl, turned from its profile."""
    def arc(radius: float, top: float) -> np.ndarray:
        angle = np.linspace(-np.pi / 2, np.arcsin(top / radius), 24)
        return radius * np.stack([np.cos(angle), np.sin(angle)], -1)

    return as_mesh(trimesh.creation.revolve(np.concatenate([arc(0.75, 0.2), arc(0.6, 0.2)[::-1]])))


def test_both_domains_of_six_views_are_drawn_in_one_set_with_the_picture(
    made: tuple[Spy, Asset],
) -> None:
    questions: list[Question] = made[0].questions
    assert len(questions) == TINY["view_steps"]
    for question in questions:
        condition = question.condition
        assert condition.given.tolist() == [[True] + [False] * 12]
        assert condition.domain.tolist() == [[COLOR] * 7 + [NORMAL] * 6]
        assert question.t[0, 0] == 0 and (question.t[0, 1:] == question.t[0, 1]).all()
        rig = six_views(0.0, SIDE)
        for part in (condition.cameras[list(range(1, 7))], condition.cameras[list(range(7, 13))]):
            assert torch.equal(part.c2w, rig.c2w) and torch.equal(
                part.ortho_height, rig.ortho_height
            )
        assert not question.grad_enabled


def test_the_thing_in_the_picture_is_recovered(made: tuple[Spy, Asset]) -> None:
    mesh = made[1].mesh
    assert trimesh.Trimesh(mesh.positions, mesh.faces).is_watertight
    assert chamfer(mesh, animal_mesh(), six_views(0.0, SIDE)) < 0.03
    assert volume_iou(mesh, animal_mesh(), 32) > 0.75
    assert mesh.material.base_color_map is not None


def test_the_views_are_a_result_too(made: tuple[Spy, Asset]) -> None:
    asset = made[1]
    asset.check()
    assert len(asset.views) == 6
    truth = animal().draw(six_views(0.0, SIDE)).color
    rgba = np.stack([view.image.pixels for view in asset.views]) / 255
    found = 0.5 + (rgba[..., :3] - 0.5) * rgba[..., 3:]
    assert np.abs(found - truth).max() < 0.02
    assert asset.images["views"].pixels.shape == (2 * SIDE, 6 * SIDE, 3)


@pytest.mark.slow
def test_a_bowl_is_hollow_though_no_outline_says_so(tmp_path: Path) -> None:
    made = make(
        tmp_path, small_oracle(48), bowl(), elevation_degrees=BOWL_ELEVATION, fit_steps=300,
        grid_resolution=48, rays=768,
    )
    cameras = six_views(BOWL_ELEVATION, 48)
    alpha = torch.from_numpy(bowl().draw(cameras).alpha).float()
    hull, truth = visual_hull(cameras, alpha, 64), bowl_mesh()
    assert chamfer(made.mesh, truth, cameras) < 0.85 * chamfer(hull, truth, cameras)
    assert volume_iou(made.mesh, truth, 32) > volume_iou(hull, truth, 32) + 0.04


def test_the_same_bits_after_a_kill_and_a_resume(tmp_path: Path) -> None:
    small = {"fit_steps": 24, "grid_resolution": 16, "rays": 128}
    whole = make(tmp_path / "whole", small_oracle(), cube(), **small)
    seen = []

    def stop(progress: Progress) -> bool:
        seen.append(progress)
        return progress.stage == "fit surface" and progress.step == 7

    assert make(tmp_path / "cut", small_oracle(), cube(), stop, **small) is None
    spy = small_oracle()
    resumed = make(tmp_path / "cut", spy, cube(), **small)
    assert spy.questions == []  # the views came from the cache
    assert np.array_equal(whole.mesh.positions, resumed.mesh.positions)
    assert np.array_equal(
        whole.mesh.material.base_color_map.pixels, resumed.mesh.material.base_color_map.pixels
    )
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    preview = next(progress for progress in reversed(seen) if progress.preview).preview()
    assert preview.mesh is not None and preview.contact_sheet is not None


def test_guidance_asks_for_the_set_without_the_picture(tmp_path: Path) -> None:
    spy = small_oracle()
    make(tmp_path, spy, cube(), lambda progress: True, guidance_scale=2.0)
    with_picture, without = spy.questions
    assert with_picture.t.shape == (1, 13) and without.t.shape == (1, 12)
    assert without.condition.given is None and len(without.condition.cameras) == 12


def test_without_its_idea_colors_and_outlines_alone_are_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[SurfaceTargets, float]] = []

    def note(targets: SurfaceTargets, size: SurfaceSize, dropped: float, *rest: Any) -> Any:
        asked.append((targets, dropped))
        return reconstruct(targets, size, dropped, *rest)

    monkeypatch.setattr(wonder3d, "reconstruct", note)
    for options in ({}, {"normals": False, "dropped": 0.0}):
        folder = tmp_path / str(len(asked))
        make(folder, small_oracle(), cube(), lambda said: said.stage != "draw views", **options)
    (whole, share), (plain, none) = asked
    assert whole.normals is not None and plain.normals is None
    assert torch.equal(whole.premultiplied, plain.premultiplied)
    assert (share, none) == (0.2, 0.0)


def test_presets_run_every_stage_and_bad_pictures_are_refused(tmp_path: Path) -> None:
    assert registry.get("wonder3d") is RECIPE
    assert next(iter(RECIPE.presets)) == "draft"
    studio = Studio(tmp_path, tmp_path, 0, lambda capability: small_oracle(), {})
    with pytest.raises(InputError, match="no picture"):
        next(RECIPE.run(Inputs(), Options(), studio))


@pytest.mark.parametrize(
    ("prompt", "takes_words", "told"),
    [("", True, "an animal"), ("a bowl", True, "a bowl"), ("a bowl", False, "an animal")],
)
def test_the_prior_is_told_what_the_picture_shows(
    tmp_path: Path, prompt: str, takes_words: bool, told: str
) -> None:
    """What it takes the picture for, unless a prompt says better and the prior takes words."""
    spy = small_oracle()
    spy.inner.recognize = lambda images, alpha: ["an animal"]  # type: ignore[method-assign]
    known = spy.inner.spec.capabilities | ({"text"} if takes_words else set())
    spy.inner.spec = replace(spy.inner.spec, capabilities=known)
    studio = Studio(tmp_path, tmp_path, 3, lambda capability: spy, {}, RECIPE.stages)
    inputs = Inputs(prompt, assets={"image": photograph(animal(), 0.0)})
    next(RECIPE.run(inputs, Options(**TINY), studio))
    assert spy.prompts == [told] and studio.report["seen_as"] == told
    assert spy.questions[0].condition.text is not None


def test_sets_are_fitted_side_by_side_and_the_first_is_the_result(tmp_path: Path) -> None:
    """Of a prior in doubt: no set is another."""
    worlds = [DrawnWorld(world, SIDE) for world in (animal(), animal().turned(180.0))]
    prior = OraclePrior(worlds, deviation=0.3, resolution=SIDE, capabilities=WITH_CAMERAS)
    reference = ReferenceView.of({"image": photograph(animal())}, prior, 0.0, 0.0)
    studio = Studio(tmp_path, tmp_path, 3, lambda capability: prior, {}, {"draw views": 1})
    rigs = [six_views(0.0, SIDE, turned) for turned in (0.0, 30.0, 60.0)]
    sampler = CrossDomainSampler(prior, reference.given, rigs, 4)
    views = sampler.empty()
    for _ in sampler.draw(views, studio):
        pass
    assert views.drawn.all() and len(views.latents) == 3 * 12
    targets = sampler.targets(views, torch.arange(6.0))
    assert torch.equal(targets.cameras.c2w, Cameras.join(rigs).c2w)
    assert targets.weights is not None and targets.weights.tolist() == 3 * list(range(6))
    one = replace(sampler, rigs=rigs[:1])
    for number in range(3):
        part = views.part(slice(12 * number, 12 * number + 12))
        apart, own = one.targets(part, torch.ones(6)), slice(6 * number, 6 * number + 6)
        for name in ("premultiplied", "alpha", "normals"):
            assert torch.equal(getattr(apart, name), getattr(targets, name)[own])
    alone = one.empty()
    for _ in one.draw(alone, studio):
        pass
    assert torch.equal(alone.latents, views.latents[:12])  # further sets change nothing before them


def test_sets_stand_all_around_and_above_where_the_prior_draws_from_anywhere() -> None:
    free = OraclePrior([DrawnWorld(cube(), SIDE)], resolution=SIDE, capabilities=WITH_CAMERAS)
    fixed = OraclePrior([DrawnWorld(cube(), SIDE)], resolution=SIDE, capabilities={"normals"})
    rigs = sets_of_six(free, 5.0, 4)
    seen = Cameras.join(rigs).positions
    around = torch.atan2(seen[:, 0], -seen[:, 1]).rad2deg().round(decimals=1) % 360
    assert sorted(set(around.tolist())) == [22.5 * step for step in range(16)]
    for elevation, above in ((5.0, 35.0), (30.0, 55.0), (70.0, 70.0)):
        for number, rig in enumerate(sets_of_six(free, elevation, 8)):
            rise = rig.backward[:, 2].asin().rad2deg()
            wanted = above if number in (3, 7) else elevation
            torch.testing.assert_close(rise, torch.full((6,), wanted), atol=1e-3, rtol=0)
    for rig in sets_of_six(fixed, 20.0, 4):
        assert torch.equal(rig.c2w, six_views(20.0, SIDE).c2w)


@pytest.mark.parametrize(("fov", "shown"), [(0.0, True), (20.0, False)])
def test_in_front_stands_the_picture_where_it_is_orthographic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fov: float, shown: bool
) -> None:
    """A picture of the animal with a white patch that the prior does not know of."""
    fitted: list[SurfaceTargets] = []

    def stop(targets: SurfaceTargets, *_: object) -> None:
        fitted.append(targets)
        raise InterruptedError

    monkeypatch.setattr(wonder3d, "reconstruct", stop)
    picture = photograph(animal())
    pixels = picture.images["image"].pixels
    pixels[40:56, 40:56, :3] = 255
    spy = small_oracle()
    studio = Studio(tmp_path, tmp_path, 3, lambda capability: spy, {}, RECIPE.stages)
    options = Options(**TINY, fov_degrees=fov)
    with pytest.raises(InterruptedError):
        for _ in RECIPE.run(Inputs(assets={"image": picture}), options, studio):
            pass
    white = (fitted[0].premultiplied > 0.99).all(-1).flatten(1).any(1)
    assert white.tolist() == [shown] + [False] * 5
