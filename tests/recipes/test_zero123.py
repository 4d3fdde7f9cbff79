"""Zero-1-to-3's signature: relative poses, the picture's own view pinned, new views as a result."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.distillation.views import azimuth_degrees
from backend.multiview.reference import ReferenceView
from backend.multiview.rigs import picture_camera, views_around
from backend.priors.oracle import WITH_CAMERAS, DrawnWorld, OraclePrior
from backend.priors.worlds import Array, World, ellipsoid
from backend.recipes.recipe import Inputs
from backend.recipes.zero123 import RECIPE, Options, distill_picture
from backend.rendering.meshes import render_mesh
from backend.representations.volume import grid_volume
from backend.studio import Progress, Studio
from protocol.assets import Asset, Image
from protocol.errors import InputError

from .conftest import Spy

SIDE, RADIUS, ELEVATION, FOV = 24, 0.78, 5.0, 20.0
AROUND = views_around(picture_camera(ELEVATION, FOV, SIDE), 4)
TINY: dict[str, Any] = {
    "start": "blob", "view_steps": 3, "fit_steps": 60, "steps": 60, "views": 3, "novel_views": 4,
    "grid_resolution": 24, "samples": 24, "faces": 2000, "texture_size": 64,
}
RED, GREEN, BLUE, YELLOW, BLACK = np.array(
    [[0.85, 0.15, 0.1], [0.1, 0.7, 0.2], [0.15, 0.2, 0.85], [0.9, 0.8, 0.1], [0.05, 0.05, 0.05]]
)


def ball(back: Array = BLUE, patch: bool = False) -> World:
    """A ball whose front, right, back and left are red, green, ``back`` and yellow; with a black
    patch in front if there is a ``patch``."""

    def paint(points: Array) -> Array:
        x, y, z = points.T
        across = np.where((x > 0)[:, None], GREEN, YELLOW)
        along = np.where((y < 0)[:, None], RED, back)
        colors = np.where((np.abs(x) > np.abs(y))[:, None], across, along)
        marked = patch & (y < 0) & (np.hypot(x, z) < 0.45)
        return np.where(marked[:, None], BLACK, colors)

    return World(f"ball {back.sum():.2f}", (ellipsoid((0, 0, 0), (RADIUS,) * 3, paint),))


def small_oracle(*worlds: World) -> Spy:
    drawn = [DrawnWorld(world, SIDE) for world in worlds]
    return Spy(OraclePrior(drawn, resolution=SIDE, capabilities=WITH_CAMERAS))


def turned_balls() -> Spy:
    """The ball as it may stand to its photographer."""
    return small_oracle(*(ball().turned(90.0 * turn) for turn in range(4)))


def photograph(world: World) -> Asset:
    """A cut-out picture of it, from the front."""
    drawing = world.draw(picture_camera(ELEVATION, FOV, 96))
    alpha = drawing.alpha
    color = np.where(alpha > 0, (drawing.color - 0.5 * (1 - alpha)) / np.maximum(alpha, 1e-6), 0)
    pixels = np.concatenate([color.clip(0, 1), alpha], -1)[0]
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
    run = RECIPE.run(Inputs(assets={"image": photograph(world)}), Options(**chosen), studio)
    while True:
        try:
            progress = next(run)
        except StopIteration as end:
            return end.value
        if stop is not None and stop(progress):
            studio.save_checkpoint()
            return None


def distilled(folder: Path, prior: Any, world: World, **options: Any) -> Tensor:
    """What the recipe's volume shows in front, on the right, behind and on the left:
    (4, side, side, 3) over the prior's gray."""
    chosen = Options(**{**TINY, **options})
    studio = Studio(folder / "job", folder / "cache", 3, lambda capability: prior, {})
    reference = ReferenceView.of({"image": photograph(world)}, prior, ELEVATION, FOV)
    volume = grid_volume(chosen.grid_resolution, samples=chosen.samples)
    for _ in distill_picture(prior, reference, volume, chosen, studio):
        pass
    with torch.no_grad():
        return volume.render(AROUND, background=torch.full((3,), 0.5)).color


def middle(views: Tensor) -> Tensor:
    return views[:, SIDE // 2 - 3 : SIDE // 2 + 3, SIDE // 2 - 3 : SIDE // 2 + 3].mean((1, 2))


def psnr(found: Tensor, truth: Tensor) -> float:
    return float(-10 * (found - truth).square().mean().log10())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Spy, Asset]:
    """One whole run, and everything that it asked the prior."""
    spy = small_oracle(ball(), ball().turned(180.0))
    return spy, make(tmp_path_factory.mktemp("zero123"), spy, ball(), steps=5)


def test_each_random_view_is_seen_beside_the_picture_alone(made: tuple[Spy, Asset]) -> None:
    shown = [question for question in made[0].questions if question.condition.given is not None]
    assert shown
    for question in shown:
        assert question.t.shape[1] == 2 and (question.t[:, 0] == 0).all()
        assert (question.condition.given == torch.tensor([True, False])).all()
        cameras = question.condition.cameras
        distances = cameras.positions.norm(dim=-1)
        assert torch.allclose(distances, distances[:1])  # as far away as the picture
        assert azimuth_degrees(cameras)[::2].abs().max() < 1e-4  # which stands in front


def test_guidance_is_from_the_views_without_the_picture(made: tuple[Spy, Asset]) -> None:
    questions = made[0].questions
    for shown, alone in pairwise(questions):
        if alone.condition.given is None:
            assert torch.equal(shown.t[:, 1:], alone.t)
            cameras = shown.condition.cameras
            index = list(range(1, len(cameras), 2))
            assert torch.equal(cameras[index].c2w, alone.condition.cameras.c2w)


def test_noise_levels_are_the_released_ones(made: tuple[Spy, Asset]) -> None:
    levels = [q.t[:, 1] for q in made[0].questions if q.t.shape == (TINY["views"], 2)]
    assert len(levels) == 5
    assert (levels[0] >= 0.4).all() and (levels[0] <= 0.85).all()
    assert all((late >= 0.2).all() and (late <= 0.5).all() for late in levels[2:])


def test_the_prior_is_never_differentiated(made: tuple[Spy, Asset]) -> None:
    assert not any(question.grad_enabled for question in made[0].questions)


def test_new_views_are_a_result_of_their_own(made: tuple[Spy, Asset]) -> None:
    """Of a prior that knows the object they are the object, each from its place."""
    _, asset = made
    truth = ball().draw(AROUND).color
    rgba = np.stack([view.image.pixels for view in asset.views]) / 255
    found = 0.5 + (rgba[..., :3] - 0.5) * rgba[..., 3:]
    assert np.abs(found - truth).mean() < 0.01
    assert [view.fov_degrees for view in asset.views] == pytest.approx([20.0] * 4)
    assert np.allclose(np.stack([view.c2w for view in asset.views]), AROUND.c2w.numpy())
    assert asset.mesh is not None and asset.images["views"] is not None


def test_what_was_in_front_is_in_front_and_the_back_is_the_back(tmp_path: Path) -> None:
    """Counter-clockwise from above: after the front comes the object's own left, at +x."""
    spy = small_oracle(ball(), ball().turned(180.0))
    seen = middle(distilled(tmp_path, spy, ball(), steps=30, views=2))
    assert np.abs(seen.numpy() - np.stack([RED, GREEN, BLUE, YELLOW])).max() < 0.3


def test_the_picture_pins_its_own_view(tmp_path: Path) -> None:
    """The prior knows no ball with a patch: without the reference losses the front drifts to what
    it knows; the back, which the picture does not show, is the prior's in both cases."""
    picture, known = ball(patch=True), small_oracle(ball())
    truth = torch.from_numpy(picture.draw(AROUND).color).float()
    few = {"steps": 30, "views": 2}
    pinned = distilled(tmp_path / "a", known, picture, **few)
    free = distilled(tmp_path / "b", known, picture, lambda_color=0.0, lambda_mask=0.0, **few)
    assert psnr(pinned[0], truth[0]) > 20 > 16 > psnr(free[0], truth[0])
    assert (middle(pinned)[2] - middle(free)[2]).abs().max() < 0.2


def test_from_its_new_views_the_volume_shows_them_before_any_distillation(tmp_path: Path) -> None:
    """And the picture where it was taken from, though the prior knows no ball with a patch."""
    picture, known = ball(patch=True), small_oracle(ball())
    asset = make(tmp_path, known, picture, start="views", steps=1)
    assert asset is not None and asset.mesh is not None
    seen = render_mesh(asset.mesh, AROUND).color
    truth = torch.from_numpy(picture.draw(AROUND).color).float()
    assert all(psnr(*views) > 16 for views in zip(seen, truth, strict=True))
    assert middle(seen)[0].max() < 0.3  # the patch
    levels = torch.cat([q.t[:, 1] for q in known.questions if q.t.shape == (TINY["views"], 2)])
    assert levels.max() <= 0.5


def test_views_drawn_several_times_are_all_fitted_and_the_first_are_the_result(
    tmp_path: Path
) -> None:
    """Every set with the picture where it was taken from."""
    picture, known = ball(patch=True), small_oracle(ball())
    asset = make(tmp_path, known, picture, start="views", view_sets=3, steps=1)
    assert asset is not None and asset.mesh is not None and len(asset.views) == 4
    height, width = asset.images["views"].pixels.shape[:2]
    assert width > 3 * height  # one row of four
    drawn = [q for q in known.questions if q.t.shape == (4, 2)]
    assert len(drawn) == 3 * TINY["view_steps"]
    assert middle(render_mesh(asset.mesh, AROUND).color)[0].max() < 0.3  # the patch


def test_score_jacobian_chaining_by_option(tmp_path: Path) -> None:
    spy = small_oracle(ball(), ball().turned(180.0))
    seen = middle(distilled(tmp_path, spy, ball(), score="sjc", steps=24, views=2))
    assert (seen[2] - torch.from_numpy(BLUE)).abs().max() < 0.35
    levels = torch.cat([q.t[:, 1] for q in spy.questions if q.t.shape == (2, 2)])
    assert levels.min() < 0.2 and levels.max() > 0.85


def test_the_same_bits_after_a_kill_and_a_resume(tmp_path: Path) -> None:
    small = {"steps": 6, "views": 1, "grid_resolution": 16, "samples": 16}
    whole = make(tmp_path / "whole", small_oracle(ball()), ball(), **small)
    seen = []

    def stop(progress: Progress) -> bool:
        seen.append(progress)
        return progress.stage == "distill" and progress.step == 3

    assert make(tmp_path / "cut", small_oracle(ball()), ball(), stop, **small) is None
    spy = small_oracle(ball())
    resumed = make(tmp_path / "cut", spy, ball(), **small)
    assert not any(len(question.t) == 4 for question in spy.questions)  # views from the cache
    assert np.array_equal(whole.mesh.positions, resumed.mesh.positions)
    assert np.array_equal(
        whole.mesh.material.base_color_map.pixels, resumed.mesh.material.base_color_map.pixels
    )
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert next(progress for progress in reversed(seen) if progress.preview).preview().mesh


def test_bad_pictures_are_refused_before_any_work(tmp_path: Path) -> None:
    studio = Studio(tmp_path, tmp_path, 0, lambda capability: small_oracle(ball()), {})
    tiny = Asset("picture", images={"image": Image(np.zeros((8, 8, 3), np.uint8))})
    plain = Asset("picture", images={"image": Image(np.full((64, 64, 3), 200, np.uint8))})
    for assets, code in (
        ({}, "image_missing"), ({"image": tiny}, "image_too_small"),
        ({"image": plain}, "image_no_object"),
    ):
        with pytest.raises(InputError) as caught:
            next(RECIPE.run(Inputs(assets=assets), Options(), studio))
        assert caught.value.problem.code == code and caught.value.problem.hint
