"""Align Your Gaussians' signature: a still object set in motion by composed classifier scores, the
amplifier, the divergence of its points, clips that go on and loop."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import trimesh
from torch import Tensor

from backend.deformation.guides import STILL
from backend.pocket.vocabulary import WORLD
from backend.priors.oracle import WITH_CAMERAS, DrawnWorld, OraclePrior, StoredViews
from backend.priors.pixels import encode_pixels
from backend.priors.worlds import World, ellipsoid
from backend.recipes import align_your_gaussians as recipe
from backend.recipes import mvdream, registry
from backend.recipes.align_your_gaussians import Options
from backend.recipes.motions import prompts_of
from backend.recipes.recipe import Inputs
from backend.studio import Progress, Studio
from protocol.assets import Asset, Attribute, Mesh
from protocol.errors import InputError
from protocol.messages import JobSpec

from .conftest import Spy

SIDE, RADIUS, RED = 16, 0.4, (0.85, 0.15, 0.1)
TINY = {
    "steps": 60, "views": 4, "gaussians": 200, "fit_steps": 10, "width": 24, "frames": 9,
    "learning_rate": 1e-2,
}
FREE = {
    "lambda_divergence": 0.0, "lambda_rigidity": 0.0, "lambda_stretch": 0.0, "amplification": 0.0,
}
WAYS = {
    "rising": (0, 0, 0.4), "sinking": (0, 0, -0.4), "soaring": (0, 0, 0.8), "resting": (0, 0, 0),
    "right": (0.4, 0, 0.4), "left": (-0.4, 0, 0.4), "back": (0, 0.4, 0.4), "front": (0, -0.4, 0.4),
}


def along(way: tuple[float, float, float]) -> Callable[[Tensor], Tensor]:
    return lambda frame: frame[:, None] * torch.tensor(way, dtype=torch.float32)


def clips() -> OraclePrior:
    """A red ball on its ways: what a prompt asks for, amid what it does not."""

    def red(points: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.array(RED), points.shape)

    surface = ellipsoid((0, 0, 0), (RADIUS,) * 3, red)
    moving = [DrawnWorld(World(f"ball {name}", (surface,)), SIDE, along(way))
              for name, way in WAYS.items()]
    return OraclePrior(moving, 0.05, resolution=SIDE, capabilities=WITH_CAMERAS)


def pictures() -> OraclePrior:
    """Single pictures of red balls here and there, and of nothing."""
    axis = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    drawn = []
    for x, y in torch.cartesian_prod(*[torch.linspace(-0.4, 0.4, 3)] * 2).tolist():
        distance = ((axis[None] - x) ** 2 + (axis[:, None] - y) ** 2).sqrt()
        alpha = ((0.32 - distance) * SIDE / 2 + 0.5).clamp(0, 1)[None, ..., None]
        picture = alpha * torch.tensor(RED) + (1 - alpha) * 0.5
        drawn.append(StoredViews("ball", encode_pixels(picture, alpha, SIDE)))
    gray, clear = torch.full((1, SIDE, SIDE, 3), 0.5), torch.zeros(1, SIDE, SIDE, 1)
    nothing = encode_pixels(gray, clear, SIDE)
    return OraclePrior([*drawn, StoredViews("gap", nothing)], 0.05, joint=False, resolution=SIDE)


def ball() -> Mesh:
    shape = trimesh.creation.icosphere(2, RADIUS)
    mesh = Mesh(np.array(shape.vertices, np.float32), np.array(shape.faces, np.int32))
    colors = np.tile(np.float32([*RED, 1]), (len(mesh.positions), 1))
    mesh.attributes["color"] = Attribute("point", colors)
    return mesh


class Stage:
    """Runs the recipe; the fit of the object is made once."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.video, self.image = Spy(clips()), Spy(pictures())

    def studio(self, folder: str, identity: Any) -> Studio:
        def find(capability: str) -> Any:
            return self.video if capability == "video" else self.image

        stages = recipe.RECIPE.stages
        return Studio(self.cache / folder, self.cache, 1, find, {"job": str(identity)}, stages)

    def begin(
        self, prompt: str, folder: str = "job", **more: Any
    ) -> tuple[Iterator[Progress], Studio]:
        inputs = Inputs(prompt, assets={"mesh": Asset("ball", mesh=ball())})
        studio = self.studio(folder, (folder, prompt, more))
        return recipe.run(inputs, Options(**{**TINY, **more}), studio), studio

    def __call__(self, prompt: str = "ball rising", **more: Any) -> tuple[Asset, dict]:
        run, studio = self.begin(prompt, **more)
        return finish(run), studio.report


def finish(run: Iterator[Progress]) -> Asset:
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("align_your_gaussians"))


@pytest.fixture(scope="module")
def made(stage: Stage) -> tuple[Asset, dict]:
    """With nothing to hold it back."""
    return stage(**FREE)


def ways(asset: Asset) -> np.ndarray:
    """How far the object's center has moved, (frames, 3)."""
    return asset.motion.positions.mean(1) - asset.motion.positions[0].mean(0)


def test_the_object_moves_as_the_oracle_says(made: tuple) -> None:
    asset, report = made
    moved = ways(asset)[1:]
    assert (moved[:, 2] > 0.03).all(), moved
    wanted = np.linspace(0, 1, 9)[1:, None] * np.array(WAYS["rising"])
    cosine = (moved * wanted).sum() / np.linalg.norm(moved) / np.linalg.norm(wanted)
    assert cosine > 0.8, moved
    assert len(report["curve"]) == 5 and report["recovered"] == 0


@pytest.mark.slow
def test_another_prompt_moves_it_another_way(stage: Stage) -> None:
    asset, _ = stage("ball sinking", **FREE)
    assert ways(asset)[-1, 2] < -0.05


def test_the_first_frame_is_the_still_object_and_the_object_stays(
    made: tuple, stage: Stage
) -> None:
    asset, _ = made
    still = ball()
    assert asset.motion.positions.shape == (9, *still.positions.shape)
    assert asset.motion.positions.dtype == np.float32
    assert asset.motion.positions[0].tobytes() == still.positions.tobytes()
    assert asset.mesh.positions.tobytes() == still.positions.tobytes()
    assert np.array_equal(asset.mesh.faces, still.faces)
    assert asset.splat_motion.positions[0].tobytes() == asset.splats.means.tobytes()
    assert asset.motion.frames_per_second == pytest.approx(8 / 2.0)
    barely, _ = stage(steps=1, **FREE)
    for name, values in vars(asset.splats).items():
        assert np.array_equal(values, getattr(barely.splats, name)), name


def test_a_clip_is_asked_as_frames_and_some_of_them_as_pictures(made: tuple, stage: Stage) -> None:
    clip, picture = stage.video.questions[-2], stage.image.questions[-1]
    assert clip.condition.frame.shape == (2, 4)  # with the prompt and without: the classifier score
    assert (clip.condition.frame.diff(dim=1) > 0).all()
    assert (clip.condition.motion == 1).all() and clip.condition.cameras is not None
    assert (clip.t == clip.t[:, :1]).all()
    assert torch.equal(clip.condition.cameras.c2w[0], clip.condition.cameras.c2w[3])
    assert picture.condition.frame is None and picture.t.shape == (4, 1)
    assert not clip.grad_enabled and not picture.grad_enabled
    assert STILL in stage.video.prompts
    assert "ball rising, back view" in stage.image.prompts


def test_the_divergence_keeps_it_in_place(made: tuple, stage: Stage) -> None:
    held, _ = stage(**{**FREE, "lambda_divergence": 100.0})
    assert np.abs(ways(held)).max() < 0.4 * np.abs(ways(made[0])).max()


def test_clips_are_amplified_by_what_the_options_say(stage: Stage) -> None:
    options = Options(amplification=7.0, strength=0.5, pictures=3)
    guide, other = (
        recipe.guide_clip(prompt, "", options, stage.studio("", 0))
        for prompt in ("ball left", "ball right")
    )
    assert guide.video.amplification == 7.0 and guide.video.form == guide.image.form == "csd"
    assert (guide.strength, guide.pictures, guide.weights) == (0.5, 3, (1.0, 1.0))
    assert not torch.equal(guide.video.text.positive.tokens, other.video.text.positive.tokens)


@pytest.mark.slow
def test_clips_go_on_from_each_other_and_loop(stage: Stage) -> None:
    begun = len(stage.video.prompts)
    asset, _ = stage("ball rising | ball right", loop=True, steps=40, frames=24, **FREE)
    assert {"ball rising", "ball right"} <= set(stage.video.prompts[begun:])
    positions = asset.motion.positions
    assert len(positions) == 36  # a clip and a half
    assert positions[-1].tobytes() == positions[0].tobytes()
    moved = ways(asset)
    # From its second frame on (the beginning is steep) no step is a jump.
    steps = np.linalg.norm(np.diff(moved[1:], axis=0), axis=1)
    assert steps.max() < 0.5 * np.linalg.norm(moved, axis=1).max()


def test_without_a_mesh_the_object_is_made_first(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def make(inputs: Inputs, options: Any, studio: Studio) -> Iterator[Progress]:
        asked.append((inputs.prompt, options))
        yield Progress(1, 1)
        return Asset("ball", mesh=ball())

    monkeypatch.setattr(mvdream, "run", make)
    options = Options(**{**TINY, "steps": 1, "subject": "a red ball"})
    asset = finish(recipe.run(Inputs("ball rising"), options, stage.studio("made", "made")))
    assert asked == [("a red ball", mvdream.Options(**mvdream.RECIPE.presets["draft"]))]
    assert asset.motion.positions[0].tobytes() == ball().positions.tobytes()


def test_without_a_prior_of_clips_the_job_does_not_begin() -> None:
    def find(capability: str) -> Any:
        raise InputError("capability_missing", f"There is no {capability}.", "Name a model.")

    spec = JobSpec(recipe="align_your_gaussians", prompt="a dog walking")
    with pytest.raises(InputError) as caught:
        registry.identity(spec, find)
    assert caught.value.problem.code == "capability_missing"


def test_a_prompt_without_a_motion_that_the_prior_knows_is_refused(stage: Stage) -> None:
    knowing = SimpleNamespace(spec=replace(clips().spec, vocabulary=WORLD))
    inputs = Inputs("a dog wagging its tail | a dog looking bored")
    with pytest.raises(InputError, match="looking bored") as caught:
        prompts_of(inputs, Options(), knowing)
    assert caught.value.problem.code == "motion_unknown" and "wag" in caught.value.problem.hint
    assert len(prompts_of(Inputs("a dog wags"), Options(clips=3), knowing)) == 3
    anything = SimpleNamespace(spec=clips().spec)
    assert prompts_of(inputs, Options(), anything)[1] == "a dog looking bored"


def test_meshes_that_cannot_be_set_in_motion_are_refused_at_once(stage: Stage) -> None:
    still = ball()
    for mesh, code in (
        (replace(still, positions=0 * still.positions), "mesh_zero_area"),
        (replace(still, positions=np.tile(still.positions, (50_000, 1))), "motion_too_large"),
    ):
        inputs = Inputs("ball rising", assets={"mesh": Asset("ball", mesh=mesh)})
        with pytest.raises(InputError) as caught:
            next(recipe.run(inputs, Options(), stage.studio("refused", code)))
        assert caught.value.problem.code == code and caught.value.problem.hint


def test_a_run_that_was_cut_off_goes_on_to_the_same_bits(stage: Stage) -> None:
    begin = partial(stage.begin, "ball rising | ball left", steps=6)
    whole = finish(begin(folder="whole")[0])
    run, studio = begin(folder="cut")
    for progress in run:
        if progress.stage == "move" and progress.step == 8:
            studio.save_checkpoint()
            break
    again = finish(begin(folder="cut")[0])
    assert np.array_equal(whole.motion.positions, again.motion.positions)
    assert np.ptp(whole.motion.positions, axis=0).max() > 0
