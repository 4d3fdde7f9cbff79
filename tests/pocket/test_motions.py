"""Motions: they start at the still object, close where they say so, and keep parts rigid."""

import numpy as np
import pytest

from backend.pocket.world import KINDS, Joint, Scene, build, is_held_out, is_motion_held_out
from backend.pocket.world.composition import single
from backend.pocket.world.descriptions import MOTIONS, Description
from backend.pocket.world.motions import (
    ONE_WAY,
    WHOLE,
    Motion,
    draw_motion,
    motion_captions,
    motions_of,
    names_motion,
    pose,
    with_room,
)

JOINTED = [
    (kind, motion) for kind in KINDS for motion in motions_of(kind) if motion.name not in WHOLE
]
RIGID = [name for name in WHOLE if name != "grow"]


def matrices(scene: Scene) -> np.ndarray:
    return np.stack([part.local_to_world for part in scene.parts])


def moved_by(before: Scene, after: Scene) -> np.ndarray:
    """The linear map that took each part from one pose to the other, (parts, 3, 3)."""
    return matrices(after)[:, :, :3] @ np.linalg.inv(matrices(before)[:, :, :3])


def test_enough_kinds_move_by_themselves() -> None:
    assert len({kind for kind, _ in JOINTED}) >= 10
    assert {motion.name for _, motion in JOINTED} <= set(MOTIONS)


@pytest.mark.parametrize("name", WHOLE)
def test_whole_motions_begin_and_end(name: str) -> None:
    scene, motion = build("mug", "red", 2), Motion(name)
    assert pose(scene, motion, 0.0) is scene
    end = matrices(pose(scene, motion, 1.0))
    assert motion.loops == np.array_equal(end, matrices(scene))
    assert not np.allclose(matrices(pose(scene, motion, 0.3)), matrices(scene), atol=1e-2)


@pytest.mark.parametrize("name", RIGID)
def test_whole_motions_are_rigid(name: str) -> None:
    scene = build("chair", "red", 2)
    linear = moved_by(scene, pose(scene, Motion(name), 0.3, 1.2))
    np.testing.assert_allclose(
        linear @ linear.transpose(0, 2, 1), np.eye(3)[None].repeat(len(linear), 0), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(linear), 1.0)


@pytest.mark.parametrize("name", ["bounce", "sway", "grow"])
def test_strength_scales_the_amplitude(name: str) -> None:
    scene = build("chair", "red", 2)

    def reach(strength: float) -> float:
        posed = pose(scene, Motion(name), 0.25, strength)
        return float(np.abs(matrices(posed) - matrices(scene)).max())

    assert reach(0.0) == 0.0
    assert reach(1.0) == pytest.approx(2 * reach(0.5), rel=0.03)


def test_growing_and_bouncing_go_where_they_should() -> None:
    scene = build("mug", "red", 0)
    before = scene.bounds()
    grown = pose(scene, Motion("grow"), 1.0).bounds()
    np.testing.assert_allclose(grown[1] - grown[0], 1.6 * (before[1] - before[0]), rtol=1e-9)
    assert grown[0, 2] == pytest.approx(before[0, 2])
    up = pose(scene, Motion("bounce"), 0.5).bounds()
    assert up[0, 2] > before[0, 2] + 0.3


@pytest.mark.parametrize(("kind", "motion"), JOINTED, ids=lambda v: str(getattr(v, "name", v)))
def test_joints_turn_their_parts_alone(kind: str, motion: Motion) -> None:
    for seed in range(3):
        scene = single(Description(kind, "blue"), seed)
        assert pose(scene, motion, 0.0) is scene
        posed = pose(scene, motion, 0.37)
        parts = {name for joint in scene.joints for name in joint.parts}
        still = np.array([part.name not in parts for part in scene.parts])
        assert np.array_equal(matrices(posed)[still], matrices(scene)[still])
        linear = moved_by(scene, posed)
        np.testing.assert_allclose(np.linalg.det(linear), 1.0)
        assert not np.allclose(matrices(posed), matrices(scene), atol=1e-2)
        end = matrices(pose(scene, motion, 1.0))
        assert motion.loops == np.allclose(end, matrices(scene), atol=1e-9)


def test_a_joint_turns_about_its_pivot() -> None:
    scene = build("mug", "red", 0)
    pivot, axis = np.array([0.2, 0.1, -0.3]), np.array([0, 0, 1.0])
    jointed = Scene(
        "mug", "red", scene.parts, (Joint("open", ("handle",), pivot, axis, (0.0, 90.0)),)
    )
    posed = pose(jointed, Motion("open", "handle"), 1.0)
    index = next(i for i, part in enumerate(scene.parts) if part.name == "handle")
    before, after = (s.parts[index].local_to_world[:, 3] - pivot for s in (scene, posed))
    np.testing.assert_allclose(after, [-before[1], before[0], before[2]], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "degrees", "phase", "expected"),
    [
        ("wag", (-20.0, 30.0), 0.125, 30.0), ("wag", (-20.0, 30.0), 0.375, -20.0),
        ("flap", (0.0, 50.0), 0.25, 50.0), ("flap", (-50.0, 0.0), 0.25, -50.0),
        ("walk", (25.0, -25.0), 0.25, -25.0), ("open", (-100.0, 0.0), 1.0, -100.0),
        ("spin", (0.0, 360.0), 0.25, 90.0), ("spin", (0.0, -360.0), 0.25, -90.0),
    ],
)  # fmt: skip
def test_angles_of_joints(
    name: str, degrees: tuple[float, float], phase: float, expected: float
) -> None:
    scene = build("mug", "red", 0)
    joint = Joint(
        {"spin": "turn"}.get(name, name), ("handle",), np.zeros(3), np.array([0, 0, 1.0]), degrees
    )
    posed = pose(Scene("mug", "red", scene.parts, (joint,)), Motion(name, "handle"), phase)
    index = next(i for i, part in enumerate(scene.parts) if part.name == "handle")
    turned = moved_by(scene, posed)[index]
    angle = np.degrees(np.arctan2(turned[1, 0], turned[0, 0]))
    assert angle == pytest.approx(expected, abs=1e-6)


def test_what_has_no_joint_does_not_wag() -> None:
    with pytest.raises(ValueError, match="nothing to wag"):
        pose(build("mug", "red", 0), Motion("wag", "tail"), 0.5)


@pytest.mark.parametrize("name", WHOLE)
def test_room_for_a_motion(name: str) -> None:
    motion = Motion(name)
    scene = with_room(build("car", "red", 1), motion, 1.2)
    reach = [
        np.linalg.norm(
            np.concatenate([p.surface_points() for p in pose(scene, motion, phase, 1.2).parts]),
            axis=1,
        ).max()
        for phase in np.linspace(0, 1, 25)
    ]
    assert 0.9 < max(reach) < 0.96


def test_motions_that_training_sees() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        said, motion = draw_motion(rng)
        assert not is_held_out(said) and not is_motion_held_out(said.kind, motion.name)
        assert motion in motions_of(said.kind)
    said, motion = draw_motion(rng, held_out=True)
    assert is_motion_held_out(said.kind, motion.name)
    assert draw_motion(rng, names=("sway",))[1].name == "sway"


def test_captions_name_the_motion() -> None:
    red = Description("windmill", "red")
    assert "a red windmill spinning its blades" in motion_captions(red, Motion("spin", "blades"))
    assert "a spinning red windmill" in motion_captions(red, Motion("spin", "blades"))
    assert motion_captions(Description("apple", "orange"), Motion("bounce"))[:2] == (
        "an orange apple bouncing", "a bouncing orange apple",
    )  # fmt: skip
    texts = [motion_captions(red, Motion(name, "part")) for name in MOTIONS]
    assert len({text for several in texts for text in several}) == sum(map(len, texts))


def test_one_way_motions() -> None:
    assert {name for name in MOTIONS if not Motion(name).loops} == set(ONE_WAY)


def test_motions_are_named_in_any_form() -> None:
    for name in MOTIONS:
        said, motion = draw_motion(np.random.default_rng(0), names=(name,))
        assert all(names_motion(caption) for caption in motion_captions(said, motion))
    assert names_motion("A dog Wags") and names_motion("blades that rotate")
    assert not names_motion("a dog") and not names_motion("a sad robot in the snow")
