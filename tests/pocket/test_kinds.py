"""Every kind: what moves, where its front is, what is symmetric, and that its color is seen."""

from functools import cache

import numpy as np
import pytest

from backend.pocket.render import View, orbit, render_views
from backend.pocket.world import KINDS, Scene, build
from backend.pocket.world.composition import main_parts
from backend.pocket.world.descriptions import MOTIONS
from backend.pocket.world.motions import WHOLE, motions_of, pose
from backend.pocket.world.naming import part_group
from backend.pocket.world.shapes import Array, Sculptor

JOINTED = [kind for kind in KINDS if len(motions_of(kind)) > len(WHOLE)]
FRONTED = [name for name, kind in KINDS.items() if kind.has_front]
ANIMALS = [name for name, kind in KINDS.items() if kind.family == "animals"]
SYMMETRIC = [*(name for name in ANIMALS if name != "snake"), "robot", "teddy bear", "ghost"]


@cache
def scene_of(kind: str, seed: int = 0) -> Scene:
    return build(kind, "red", seed)


@cache
def pictures(kind: str) -> dict[str, Array]:
    """Unlit orthographic views from the front, left, back and right."""
    views = [View(orbit(azimuth, 10, 3), 1.0, True) for azimuth in (0, 90, 180, 270)]
    return render_views(scene_of(kind), views, None, 1, 48)


class CountingSculptor(Sculptor):
    """Counts the shape parameters that are drawn; picked colors are none."""

    drawn = 0

    def u(self, low: float, high: float) -> float:
        self.drawn += low < high
        return super().u(low, high)


@pytest.mark.parametrize("kind", KINDS)
def test_four_free_shape_parameters(kind: str) -> None:
    sculptor = CountingSculptor(np.random.default_rng(0))
    KINDS[kind].sculpt(sculptor, np.array([0.9, 0.1, 0.1]))
    assert sculptor.drawn >= 4


@pytest.mark.parametrize("kind", KINDS)
def test_joints_turn_parts_that_exist(kind: str) -> None:
    for seed in range(4):
        scene = scene_of(kind, seed)
        names = {part.name for part in scene.parts}
        for joint in scene.joints:
            assert set(joint.parts) <= names
            assert joint.verb in (*MOTIONS, "turn")
            assert np.linalg.norm(joint.axis) == pytest.approx(1)
            assert joint.degrees[0] != joint.degrees[1]


@pytest.mark.parametrize("kind", JOINTED)
def test_moving_parts_stay_near_and_nothing_else_moves(kind: str) -> None:
    """A pose leaves the ball of the still object by little; covers that open swing wide."""
    scene = scene_of(kind)
    for motion in motions_of(kind)[len(WHOLE) :]:
        reach = 1.7 if motion.name == "open" else 1.2
        movable = {n for j in scene.joints for n in j.parts}
        for phase in np.linspace(0.1, 0.9, 7):
            moved = pose(scene, motion, phase)
            for old, new in zip(scene.parts, moved.parts, strict=True):
                assert np.linalg.norm(new.surface_points(), axis=1).max() < reach
                assert old.name in movable or new is old
        assert any(
            not np.allclose(old.local_to_world, new.local_to_world)
            for old, new in zip(scene.parts, pose(scene, motion, 0.125).parts, strict=True)
        )


@pytest.mark.parametrize(
    ("verb", "kinds"),
    [
        ("wag", ("dog", "cat", "pig", "fish", "whale", "duck", "snake", "elephant", "rabbit")),
        ("walk", ("dog", "pig", "elephant", "giraffe", "turtle", "crab", "penguin", "robot")),
        ("flap", ("duck", "owl", "penguin", "butterfly")),
        ("open", ("gift",)),
    ],
)
def test_what_moves_by_itself(verb: str, kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        assert verb in {motion.name for motion in motions_of(kind)}


@pytest.mark.parametrize("kind", ["dog", "pig", "elephant", "giraffe"])
def test_legs_walk_in_opposite_phase(kind: str) -> None:
    scene = scene_of(kind)
    walk = next(motion for motion in motions_of(kind) if motion.name == "walk")
    moved = pose(scene, walk, 0.25)
    swings: dict[str, list[float]] = {"front leg": [], "back leg": []}
    for old, new in zip(scene.parts, moved.parts, strict=True):
        if old.name in swings:
            feet = [p.surface_points()[p.surface_points()[:, 2].argmin()] for p in (old, new)]
            swings[old.name].append(float(feet[1][1] - feet[0][1]))
    assert all(len(each) == 2 for each in swings.values())
    assert np.sign(swings["front leg"]).tolist() == (-np.sign(swings["back leg"])).tolist()
    assert min(abs(np.array(swings["front leg"]))) > 0.03


@pytest.mark.parametrize("kind", ["duck", "owl", "penguin", "butterfly", "elephant"])
def test_left_and_right_flap_as_mirror_images(kind: str) -> None:
    scene = scene_of(kind)
    flap = next(motion for motion in motions_of(kind) if motion.name == "flap")
    assert_symmetric(pose(scene, flap, 0.1))


@pytest.mark.parametrize("kind", SYMMETRIC)
def test_left_and_right_are_mirror_images(kind: str) -> None:
    assert_symmetric(scene_of(kind))


def assert_symmetric(scene: Scene) -> None:
    """Each part off the plane x = 0 has a twin of its group (a box fits both) across it."""
    boxes = []
    for part in scene.parts:
        points = part.surface_points()
        if part.name not in ("tail", "berry"):
            boxes.append((part_group(part.name), points.min(0), points.max(0)))
    for group, low, high in boxes:
        mirrored = np.array([-high[0], *low[1:]]), np.array([-low[0], *high[1:]])
        gaps = [
            max(np.abs(mirrored[0] - a).max(), np.abs(mirrored[1] - b).max())
            for other, a, b in boxes
            if other == group
        ]
        assert min(gaps) < 0.06, group


def test_left_is_where_the_object_has_it() -> None:
    for kind in JOINTED:
        for part in scene_of(kind).parts:
            if part.name.startswith(("left ", "right ")):
                x = part.surface_points()[:, 0].mean()
                assert (x > 0) == part.name.startswith("left "), (kind, part.name)


@pytest.mark.parametrize("kind", FRONTED)
def test_the_front_does_not_look_like_the_back(kind: str) -> None:
    rgba = pictures(kind)["rgba"]
    front, mirrored_back = rgba[0], rgba[2][:, ::-1]
    seen = (front[..., 3] > 0) | (mirrored_back[..., 3] > 0)
    assert np.abs(front - mirrored_back).max(-1)[seen].mean() > 0.02


def test_animals_look_to_the_front() -> None:
    for kind in ANIMALS:
        scene = scene_of(kind)
        eyes = [part.local_to_world[1, 3] for part in scene.parts if part.name in ("eye", "head")]
        assert eyes and np.mean(eyes) < -0.05, kind


@pytest.mark.parametrize("kind", KINDS)
def test_the_main_color_dominates(kind: str) -> None:
    parts = pictures(kind)["part"][..., 0]
    main = main_parts(scene_of(kind))
    shares = [main[view[view >= 0].astype(int)].mean() for view in parts]
    assert np.mean(shares) > 0.4
    assert sorted(shares)[1] > 0.3
