"""New views of a picture, drawn beside the oracle's own truth."""

from pathlib import Path

import numpy as np
import torch

from backend.multiview.novel import NovelViewSampler
from backend.multiview.rigs import picture_camera, views_around
from backend.priors.guidance import GivenViews
from backend.priors.oracle import WITH_CAMERAS, DrawnWorld, OraclePrior
from backend.priors.worlds import Array, World, ellipsoid
from backend.studio import Studio

SIDE, STEPS, VIEWS = 16, 3, 4
CAMERA = picture_camera(5.0, 20.0, SIDE)


def ball(behind: float) -> World:
    """Dark in front, with ``behind`` as the gray of its other half."""

    def paint(points: Array) -> Array:
        return np.where(points[:, 1:2] < 0, 0.1, behind) + np.zeros_like(points)

    return World(f"ball {behind}", (ellipsoid((0, 0, 0), (0.7,) * 3, paint),))


def sampler(sets: int) -> NovelViewSampler:
    drawn = [DrawnWorld(ball(gray), SIDE) for gray in (0.4, 0.9)]
    prior = OraclePrior(drawn, resolution=SIDE, capabilities=WITH_CAMERAS)
    given = GivenViews(drawn[0].latents(CAMERA), CAMERA)
    return NovelViewSampler(prior, given, views_around(CAMERA, VIEWS), STEPS, 1.0, sets)


def studio(folder: Path) -> Studio:
    return Studio(folder, folder, 5, lambda capability: sampler(1).prior, {})


def test_sets_know_nothing_of_each_other(tmp_path: Path) -> None:
    """What the picture shows is the same in all; what it hides is guessed anew in each."""
    several = sampler(6)
    views = several.empty()
    told = list(several.draw(views, studio(tmp_path)))
    assert [step.step for step in told] == list(range(1, 6 * STEPS + 1))
    sets = views.latents.unflatten(0, (6, VIEWS))
    middle = sets[:, :, 0, SIDE // 2, SIDE // 2]
    assert middle[:, 0].std() < 0.02
    assert {round(float(gray / 2 + 0.5), 1) for gray in middle[:, 2]} == {0.4, 0.9}


def test_the_first_of_several_sets_is_the_only_one_of_one(tmp_path: Path) -> None:
    one, several = sampler(1), sampler(2)
    single, double = one.empty(), several.empty()
    list(one.draw(single, studio(tmp_path)))
    list(several.draw(double, studio(tmp_path)))
    assert torch.equal(single.latents, double.latents[:VIEWS])


def test_a_set_that_is_drawn_stays_when_the_next_was_interrupted(tmp_path: Path) -> None:
    several = sampler(2)
    whole, interrupted, resumed = (several.empty() for _ in range(3))
    list(several.draw(whole, studio(tmp_path)))
    drawing = several.draw(interrupted, studio(tmp_path))
    for _ in range(STEPS + 1):
        next(drawing)
    resumed.load_state(interrupted.state())
    assert resumed.drawn.tolist() == [True] * VIEWS + [False] * VIEWS
    assert len(list(several.draw(resumed, studio(tmp_path)))) == STEPS
    assert torch.equal(resumed.latents, whole.latents)
