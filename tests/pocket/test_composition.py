"""Scenes are what their descriptions say: paint, proportions, counts, places, accessories."""

from dataclasses import replace

import numpy as np
import pytest

from backend.pocket.render import View, orbit, render_views
from backend.pocket.world import (
    KINDS,
    Accessory,
    Description,
    Joint,
    Relation,
    Scene,
    build,
    draw_description,
)
from backend.pocket.world.accessories import accessories_for, dressed, neck_of, top_of
from backend.pocket.world.composition import (
    SHELTERS,
    SUPPORTS,
    MainPaint,
    composed_scene,
    framed,
    main_parts,
    single,
)
from backend.pocket.world.descriptions import ATTRIBUTES, PATTERNS

ALONE = {"plain": 0.1, "pattern": 1.0, "attribute": 1.0, "accessory": 1.0, "shade": 0.5}


def points(scene: Scene, name: str | None = None) -> np.ndarray:
    return np.concatenate(
        [p.surface_points() for p in scene.parts if name is None or p.name == name]
    )


def size(scene: Scene) -> np.ndarray:
    return np.ptp(points(scene), 0)


def same(first: Scene, second: Scene) -> bool:
    pairs = zip(first.parts, second.parts, strict=True)
    return all(
        a.name == b.name
        and np.array_equal(a.local_to_world, b.local_to_world)
        and np.array_equal(a.params, b.params)
        and np.array_equal(a.material.color, b.material.color)
        for a, b in pairs
    )


def test_random_descriptions_fit_the_ball_and_repeat() -> None:
    rng = np.random.default_rng(5)
    for seed in range(60):
        said = draw_description(rng, shares={"count": 1.0, "relation": 2.0, **ALONE})
        scene = build(said, seed=seed)
        assert np.linalg.norm(points(scene), axis=1).max() < 0.95 + 1e-6, said
        assert same(scene, build(said, seed=seed)), said
        assert scene.kind == said.kind and scene.color == (said.color or "")
        assert all(np.array_equal(p.rest, p.local_to_world) for p in scene.parts)


def test_a_plain_description_is_the_plain_object() -> None:
    assert same(build("dog", "red", 4), build(Description("dog", "red"), seed=4))
    assert not same(build("dog", "red", 4), build("dog", "red", 5))


def test_without_a_color_the_seed_picks_one() -> None:
    found = {build(Description("mug"), seed=seed).color for seed in range(40)}
    assert len(found) > 4


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_a_paint(kind: str) -> None:
    scene = build(Description(kind, pattern="wooden"), seed=1)
    assert main_parts(scene).any()
    assert all(
        part.material.pattern == "wood"
        for part in scene.parts
        if isinstance(part.material, MainPaint)
    )
    assert scene.color == ""


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_are_on_the_main_parts_alone(pattern: str) -> None:
    scene = build(Description("snowman", "red", pattern=pattern), seed=2)
    plain = build(Description("snowman", "red"), seed=2)
    painted = [
        part.material.pattern
        for part, main in zip(scene.parts, main_parts(scene), strict=True)
        if main
    ]
    others = [
        p.material.pattern
        for p, main in zip(scene.parts, main_parts(scene), strict=True)
        if not main
    ]
    assert painted and set(painted) != {"plain"} and set(others) == {"plain"}
    assert {p.name for p in plain.parts} & {"base", "head"} <= {
        p.name for p, main in zip(scene.parts, main_parts(scene), strict=True) if main
    }


def test_shades_are_darker_and_lighter() -> None:
    def brightness(said: Description) -> float:
        scene = build(said, seed=3)
        return float(scene.parts[int(np.argmax(main_parts(scene)))].material.color.sum())

    dark, plain, light = (
        brightness(Description("apple", "green", shade=word)) for word in ("dark", None, "light")
    )
    assert dark < 0.7 * plain < plain < light


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_attributes_change_proportions(attribute: str) -> None:
    said = Description("mug", "red")
    ratio = size(single(replace(said, attribute=attribute), 7)) / size(single(said, 7))
    np.testing.assert_allclose(ratio, ATTRIBUTES[attribute], rtol=1e-9)
    low = [points(single(s, 7))[:, 2].min() for s in (said, replace(said, attribute=attribute))]
    assert low[0] == pytest.approx(low[1])


def test_a_tiny_thing_stays_tiny_in_the_frame() -> None:
    reach = np.linalg.norm(
        points(build(Description("car", "red", attribute="tiny"), seed=1)), axis=1
    )
    assert reach.max() == pytest.approx(0.475, abs=1e-6)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_several_stand_apart_on_one_ground(count: int) -> None:
    said = Description("mushroom", "red", count=count)
    scene = composed_scene(said, 3)
    stems = [p.surface_points() for p in scene.parts if p.name == "cap"]
    assert len(stems) == count and scene.joints == ()
    centers = np.array([cloud.mean(0)[:2] for cloud in stems])
    radii = np.array([np.ptp(cloud, 0)[:2].max() / 2 for cloud in stems])
    gaps = np.linalg.norm(centers[:, None] - centers, axis=-1) - radii[:, None] - radii
    assert gaps[~np.eye(count, dtype=bool)].min() > 0


@pytest.mark.parametrize("kind", SUPPORTS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_on_is_upon(kind: str, seed: int) -> None:
    other = Description(kind, "blue")
    scene = composed_scene(Description("apple", "red", relation=Relation("on", other)), seed)
    count = len(single(Description("apple", "red"), seed).parts)
    own = np.concatenate([p.surface_points() for p in scene.parts[:count]])
    named = [p for p in scene.parts[count:] if p.name == SUPPORTS[kind]]
    assert named, f"a {kind} has no part {SUPPORTS[kind]}"
    tops = [p.surface_points()[:, 2].max() for p in named]
    assert min(abs(own[:, 2].min() - top) for top in tops) < 1e-6


@pytest.mark.parametrize("kind", SHELTERS)
def test_under_is_below(kind: str) -> None:
    for seed in range(4):
        relation = Relation("under", Description(kind, "blue"))
        scene = composed_scene(Description("duck", "red", relation=relation), seed)
        count = len(single(Description("duck", "red"), seed).parts)
        own = np.concatenate([p.surface_points() for p in scene.parts[:count]])
        roof = min(
            p.surface_points()[:, 2].min() for p in scene.parts[count:] if p.name == SHELTERS[kind]
        )
        assert own[:, 2].max() < roof + 1e-9


@pytest.mark.parametrize(
    ("word", "axis", "sign"), [("next to", 0, 1), ("in front of", 1, -1), ("behind", 1, 1)]
)
def test_beside_is_apart(word: str, axis: int, sign: int) -> None:
    relation = Relation(word, Description("mug", "blue"))
    scene = composed_scene(Description("dog", "red", relation=relation), 2)
    count = len(single(Description("dog", "red"), 2).parts)
    own = sign * np.concatenate([p.surface_points() for p in scene.parts[:count]])[:, axis]
    other = sign * np.concatenate([p.surface_points() for p in scene.parts[count:]])[:, axis]
    assert own.min() > other.max()


@pytest.mark.parametrize("kind", KINDS)
def test_accessories_are_seen(kind: str) -> None:
    view = [View(orbit(az, 20, 3.0), 0.36) for az in (25.0, 205.0)]
    plain = Description(kind, "green")
    for worn in accessories_for(single(plain, 1)):
        scene = build(replace(plain, accessory=Accessory(worn, "red")), seed=1)
        part = render_views(scene, view, size=32)["part"][..., 0].astype(int)
        names = np.array([*(p.name for p in scene.parts), ""])
        assert (names[part] == worn).any(axis=(1, 2)).any(), worn
        assert scene.parts[-1].name == worn


def test_a_hat_sits_on_the_head() -> None:
    scene = single(Description("dog", "brown", accessory=Accessory("hat", "blue")), 3)
    head, hat = points(scene, "head"), points(scene, "hat")
    assert abs(hat.mean(0)[:2] - head.mean(0)[:2]).max() < 0.02
    assert head.mean(0)[2] < hat[:, 2].min() < head[:, 2].max() < hat[:, 2].max()


def test_a_scarf_lies_between_head_and_body() -> None:
    scene = single(Description("snowman", "white"), 3)
    seat = neck_of(scene)
    head, chest = points(scene, "head").mean(0), points(scene, "chest").mean(0)
    assert seat.up[2] > 0.99 and chest[2] < seat.point[2] < head[2]


def test_the_top_of_what_has_no_head() -> None:
    lamp = top_of(single(Description("lamp", "red"), 0))
    assert lamp.part == "shade" and lamp.point[2] > 0.5
    pumpkin = single(Description("pumpkin", "orange"), 0)
    assert abs(top_of(pumpkin).point[:2]).max() < 0.1


def wagging(part: str) -> Joint:
    return Joint("wag", (part,), np.zeros(3), np.array([0, 0, 1.0]), (-10.0, 10.0))


def test_what_moves_the_head_moves_its_hat() -> None:
    plain = single(Description("dog", "brown"), 0)
    nodding = replace(plain, joints=(wagging("head"), wagging("tail")))
    worn = dressed(nodding, Accessory("hat", "red"), np.random.default_rng(0))
    assert [joint.parts for joint in worn.joints] == [("head", "hat"), ("tail",)]


def test_no_scarf_without_a_neck() -> None:
    with pytest.raises(ValueError, match="cannot have"):
        build(Description("mug", "red", accessory=Accessory("scarf", "red")))


def test_a_shared_frame_keeps_what_is_shared() -> None:
    plain = single(Description("dog", "brown"), 1)
    worn = dressed(plain, Accessory("flag", "red"), np.random.default_rng(0))
    first, second = framed([plain, worn])
    assert same(first, replace(second, parts=second.parts[: len(first.parts)]))
    assert np.linalg.norm(points(second), axis=1).max() == pytest.approx(0.95)
