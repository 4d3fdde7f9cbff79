"""Edits: the source and the target differ where the instruction says, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from backend.pocket.render import Light, View, orbit, render_views
from backend.pocket.world import COLORS, is_held_out
from backend.pocket.world.edits import (
    OPERATIONS,
    Edit,
    changed_box,
    changed_region,
    draw_edit,
    shows,
)
from backend.pocket.world.naming import part_group

VIEWS = [View(orbit(az, el, 3.2), 0.34) for az, el in ((20.0, 15.0), (140.0, 50.0), (260.0, -10.0))]
VIEWS.append(View(orbit(70.0, 20.0, 3.0), 1.0, orthographic=True))
LIGHT = Light(np.array([1.0, -3.0, 3.0]), 0.5, 0.5)


def drawn(operation: str, seed: int) -> Edit:
    return draw_edit(np.random.default_rng((seed, len(operation))), operations=(operation,))


@pytest.fixture(scope="module")
def edits() -> dict[str, list[Edit]]:
    return {name: [drawn(name, seed) for seed in range(3)] for name in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("light", [None, LIGHT])
def test_pixels_outside_the_region_are_the_same(
    edits: dict[str, list[Edit]], operation: str, light: Light | None
) -> None:
    for edit in edits[operation]:
        before, after = (render_views(s, VIEWS, light, size=40) for s in (edit.source, edit.target))
        region = changed_region(edit, VIEWS, size=40)
        assert region.any(), edit.instruction
        for name in ("rgba", "normals", "depth", "coordinates"):
            different = (before[name] != after[name]).any(-1)
            assert not (different & ~region).any(), (edit.instruction, name)
        assert (before["rgba"] != after["rgba"]).any(-1)[region].mean() > 0.2


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_box_holds_all_that_changes(edits: dict[str, list[Edit]], operation: str) -> None:
    for edit in edits[operation]:
        inverse = np.linalg.inv(changed_box(edit).astype(float))
        for scene, parts in (
            (edit.source, edit.source_parts),
            (edit.target, edit.target_parts),
        ):
            for part in (p for p, changed in zip(scene.parts, parts, strict=True) if changed):
                local = part.surface_points() @ inverse[:3, :3].T + inverse[:3, 3]
                assert np.abs(local).max() <= 1 + 1e-6


@pytest.mark.parametrize("operation", OPERATIONS)
def test_words_and_frames(edits: dict[str, list[Edit]], operation: str) -> None:
    for edit in edits[operation]:
        assert edit.operation == operation and "{" not in edit.instruction
        assert edit.caption_source != edit.caption_target
        assert shows(edit)
        assert not is_held_out(edit.source_said) and not is_held_out(edit.target_said)
        for scene in (edit.source, edit.target):
            points = np.concatenate([part.surface_points() for part in scene.parts])
            assert np.linalg.norm(points, axis=1).max() < 0.95 + 1e-6


def test_a_recolored_object_keeps_its_shape(edits: dict[str, list[Edit]]) -> None:
    for edit in (*edits["recolor"], *edits["material"]):
        for old, new in zip(edit.source.parts, edit.target.parts, strict=True):
            assert old.name == new.name
            np.testing.assert_array_equal(old.local_to_world, new.local_to_world)
        assert not edit.source_parts.all() or len({p.name for p in edit.source.parts}) == 1
    for edit in edits["recolor"]:
        color = str(edit.target_said.color)
        assert color in edit.instruction and edit.target.color == color
        main = np.argmax([part.color.sum() for part in edit.target.parts])
        assert color in COLORS and edit.target_parts.any() and main >= 0


def test_a_recolored_part_is_the_named_one(edits: dict[str, list[Edit]]) -> None:
    for edit in edits["part color"]:
        pairs = zip(edit.source.parts, edit.source_parts, strict=True)
        groups = {part_group(part.name) for part, changed in pairs if changed}
        assert len(groups) == 1
        assert groups.pop()[:3] in edit.instruction


@pytest.mark.parametrize(("operation", "more"), [("add", "target"), ("remove", "source")])
def test_accessories_come_and_go(edits: dict[str, list[Edit]], operation: str, more: str) -> None:
    for edit in edits[operation]:
        said = edit.target_said if more == "target" else edit.source_said
        with_it = edit.target_parts if more == "target" else edit.source_parts
        without = edit.source_parts if more == "target" else edit.target_parts
        assert said.accessory is not None and said.accessory.kind in edit.instruction
        scene = edit.target if more == "target" else edit.source
        assert {p.name for p, new in zip(scene.parts, with_it, strict=True) if new} >= {
            said.accessory.kind
        }
        assert with_it.any() and without.sum() <= 4


def test_a_replaced_accessory(edits: dict[str, list[Edit]]) -> None:
    for edit in edits["replace"]:
        worn = [said.accessory for said in (edit.source_said, edit.target_said)]
        assert worn[0] and worn[1] and worn[0].kind != worn[1].kind
        assert worn[0].kind in edit.instruction and worn[1].kind in edit.instruction


def test_another_kind_stands_on_the_same_ground(edits: dict[str, list[Edit]]) -> None:
    for edit in edits["kind"]:
        assert edit.source_said.color == edit.target_said.color
        assert edit.source.bounds()[0, 2] == pytest.approx(edit.target.bounds()[0, 2], abs=1e-9)
        assert edit.target_said.kind in edit.instruction


def test_held_out_edits_and_repeatability() -> None:
    def draw(seed: int, held_out: bool) -> Edit:
        return draw_edit(np.random.default_rng(seed), held_out, ("recolor", "add"))

    for seed in range(4):
        edit = draw(seed, True)
        assert is_held_out(edit.source_said) or is_held_out(edit.target_said)
    first, second = draw(3, False), draw(3, False)
    assert first.instruction == second.instruction
    for a, b in zip(first.target.parts, second.target.parts, strict=True):
        np.testing.assert_array_equal(a.local_to_world, b.local_to_world)


def test_a_change_that_does_not_show_is_none(edits: dict[str, list[Edit]]) -> None:
    edit = edits["recolor"][0]
    assert not shows(replace(edit, target=edit.source))
