"""Every task's figures: full marks for the truth, none for who does nothing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from backend.evaluation.bench import deformations, edits, images, motions, tasks, text
from backend.evaluation.deformation import as_rigid_as_possible
from backend.evaluation.looking import ring
from backend.multiview.images import prepare_picture
from backend.multiview.rigs import picture_camera, six_views
from backend.pocket.render import render
from backend.pocket.world import build, is_held_out
from backend.pocket.world.edits import draw_edit
from backend.pocket.world.meshes import to_mesh
from backend.priors.base import Capability
from backend.recipes import registry
from protocol.assets import Asset, Image, Motion, View
from protocol.errors import InputError

from .benches import bench


def test_every_recipe_has_cases_that_are_always_the_same() -> None:
    for recipe in registry.recipes().values():
        on = bench(recipe.id)
        first, again = (next(tasks.cases(on, count)) for count in (1, 2))
        assert (first.name, first.prompt, first.seed) == (again.name, again.prompt, 0)
        asked = set(recipe.inputs) - set(recipe.optional) - {"negative_prompt"}
        assert asked <= {"prompt", *first.assets}
        registry.check(on.spec(first))


def test_words_are_those_that_judge_and_priors_know() -> None:
    on = bench("mvdream")
    assert on.words == on.judge.vocabulary
    few = replace(on.find_prior("text").spec, vocabulary=type(on.words)(("dog", "mug"), ("red",)))
    on.find_prior("text").spec = few
    assert bench("mvdream", on.find_prior("text")).words.kinds == ("mug", "dog")


def test_words_are_judged_beside_what_the_prior_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    on, pair = bench("mvdream"), ("dog", "red")
    scene = build(*pair, seed=3)
    views = torch.from_numpy(render(scene, ring())["rgba"]).movedim(-1, 1) * 2 - 1
    views[:, :3] = torch.lerp(torch.zeros_like(views[:, :3]), views[:, :3], views[:, 3:] / 2 + 0.5)
    monkeypatch.setattr(text, "draw_views", lambda prior, prompts, *rest: views[None])
    figures = text.measure(on, pair, Asset("dog", mesh=to_mesh(scene)))
    assert figures["r_precision_both"] > 0.8 and figures["prior_r_precision_both"] > 0.8
    assert figures["janus"] == figures["true_janus"] == 0

    def lacks(capability: Capability) -> Any:
        raise InputError("capability_missing", "no")

    alone = replace(on, find_prior=lacks)
    assert set(text.measure(alone, pair, Asset("dog", mesh=to_mesh(build("mug", "blue"))))) == {
        "r_precision_kind", "r_precision_color", "r_precision_both", "janus", "true_janus",
    }


def test_second_fronts_do_not_count_where_the_judge_sees_them_in_true_objects() -> None:
    on, pair = bench("mvdream"), ("truck", "black")
    truth = text.judged(on, pair, text.look_at(to_mesh(build(*pair, seed=9))))
    assert text.of_fronts(on, pair, truth) == {"true_janus": 1.0}
    assert text.of_fronts(on, ("mug", "red"), replace(truth, kinds=["mug"])) == {}


@pytest.mark.parametrize("recipe", ["wonder3d", "zero123"])
def test_pictures_show_the_truth_as_the_recipe_supposes_it(recipe: str) -> None:
    on = bench(recipe)
    camera = picture_camera(
        on.option("elevation_degrees"), on.option("fov_degrees"), images.PICTURE_PIXELS
    )
    case = next(images.cases(on, 1))
    picture = prepare_picture(case.assets["image"].images["image"], images.PICTURE_PIXELS)
    scene = images.turned_to_fit(build("cake", "cyan", 0), camera)
    shown = torch.from_numpy(render(scene, camera, samples=3)["rgba"][..., 3:])
    # What the recipe cuts out and scales stands where the truth does.
    assert case.name == "a cyan cake" and (picture.alpha - shown).abs().mean() < 0.01


def test_a_truth_of_its_own_picture_scores_as_one() -> None:
    camera = picture_camera(0.0, 0.0, images.PICTURE_PIXELS)
    scene = images.turned_to_fit(build("rabbit", "orange", 3), camera)
    cameras = six_views(0.0, 64)
    rgba = (render(scene, cameras)["rgba"] * 255).round().astype(np.uint8)
    views = [View(c2w.numpy(), 0.0, Image(pixels))
             for c2w, pixels in zip(cameras.c2w, rgba, strict=True)]
    figures = images.measure(scene, Asset("truth", mesh=to_mesh(scene), views=views))
    assert figures["chamfer"] < 1e-6 and figures["iou"] == 1 and figures["psnr"] > 60
    assert figures["drawn_psnr"] > 35 and figures["copy_psnr"] < 25
    assert 0.001 < figures["hull_chamfer"] < 0.1 and 0.4 < figures["hull_iou"] < 1


def test_every_fourth_thing_is_hollow_and_seen_from_above() -> None:
    on = bench("wonder3d")
    pairs = images.subjects(on, 16)
    assert [pair[0] in images.HOLLOW for pair in pairs[3::4]] == [True] * 4
    assert len(set(pairs)) >= 15 and all(is_held_out(*pair) for pair in pairs)
    made = list(images.cases(on, 4))
    assert [case.options.get("elevation_degrees") for case in made] == [None] * 3 + [30.0]
    scene = build("bowl", "red", 0)
    figures = images.measure(scene, Asset("truth", mesh=to_mesh(scene)))
    assert figures["hollow_iou"] == figures["iou"] == 1 and "hollow_psnr" not in figures


def test_a_train_is_turned_until_it_fits() -> None:
    camera = picture_camera(0.0, 0.0, images.PICTURE_PIXELS)
    scene = images.turned_to_fit(build("train", "red", 0), camera)
    assert images.reach(scene) <= images.LARGEST


def edited(operation: str, made: str) -> dict[str, float]:
    edit = draw_edit(np.random.default_rng(4), True, (operation,))
    source = to_mesh(edit.source, texture_size=edits.TEXTURE_SIZE)
    mesh = source if made == "source" else to_mesh(edit.target, texture_size=edits.TEXTURE_SIZE)
    return edits.measure(edit, source, edits.region_of(edit, source), Asset("a", mesh=mesh))


def test_the_true_edit_is_followed_and_the_source_is_not() -> None:
    assert edited("part color", "target")["followed"] == 1
    assert edited("part color", "target")["way"] == pytest.approx(1)
    idle = edited("part color", "source")
    assert idle["followed"] == idle["followed_part_color"] == idle["way"] == 0
    assert idle["outside_faces_changed"] == idle["outside_texels_changed"] == 0


def test_regions_hold_all_that_the_true_edit_changes() -> None:
    painted, built = edited("part color", "target"), edited("replace", "target")
    assert painted["outside_faces_changed"] == 0
    assert built["followed"] == 1


def test_only_recipes_that_delete_are_asked_to() -> None:
    assert "remove" in edits.operations_of(bench("gaussian_editor"))
    assert set(edits.operations_of(bench("dreameditor"))) == set(edits.CHANGES)
    edit = draw_edit(np.random.default_rng(4), True, ("remove",))
    assert edits.options_of(edit) == {"operation": "delete"}
    assert edits.prompt_of(bench("dreameditor"), edit) == edit.caption_target
    assert edits.prompt_of(bench("gaussian_editor"), edit) == edit.caption_target
    worn, mesh = edit.source_said.accessory.kind, to_mesh(edit.source)
    chosen = mesh.attributes["part"].values[edits.region_of(edit, mesh).faces]
    assert {worn in edit.source.parts[part].name for part in chosen} == {True}
    other = draw_edit(np.random.default_rng(4), True, ("part color",))
    assert edits.prompt_of(bench("gaussian_editor"), other) == other.instruction


def test_rigid_deformation_is_scored_as_itself() -> None:
    on = bench("apap")
    mesh = deformations.one_surface(build("duck", "gray", 1))
    handles = deformations.drawn_handles(mesh, np.random.default_rng(0))
    asset = Asset("duck", mesh=replace(mesh, positions=as_rigid_as_possible(mesh, handles)))
    figures = deformations.measure(on, "duck", mesh, handles, asset)
    for name in ("handle_error", "fold_overs", "confidence"):
        assert figures[name] == figures[f"arap_{name}"]
    assert figures["handle_error"] < 1e-6 and figures["same_topology"] == 1
    idle = deformations.measure(on, "duck", mesh, handles, Asset("duck", mesh=mesh))
    assert 0.1 < idle["handle_error"] < 0.4 and idle["fold_overs"] == 0
    assert idle["confidence"] == idle["rest_confidence"]


def test_the_one_surface_is_closed_and_looks_like_its_object() -> None:
    on = bench("apap")
    mesh = deformations.one_surface(build("duck", "gray", 1))
    handles = deformations.drawn_handles(mesh, np.random.default_rng(1))
    edges = np.sort(np.stack([mesh.faces, np.roll(mesh.faces, -1, 1)], -1).reshape(-1, 2), 1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert len(deformations.largest_component(mesh).faces) == len(mesh.faces)
    assert not set(handles.vertices) & set(handles.anchors)
    judged = text.judged(on, ("duck", "gray"), text.look_at(mesh)).r_precision()
    assert judged["both"].mean > 0.7


def test_the_worlds_own_motion_is_followed_and_standing_still_is_not() -> None:
    on, case = bench("align_your_gaussians"), next(motions.cases(bench("align_your_gaussians"), 1))
    mesh = case.assets["mesh"].mesh
    scene, motion = case.measure.args[1:3]
    truth = motions.true_motion(scene, motion, 4)
    assert np.array_equal(truth[0], mesh.positions)
    figures = motions.measure(
        on, scene, motion, mesh, Asset("it", mesh=mesh, motion=Motion(truth, 8.0))
    )
    assert figures["nearer_than_still"] == 1 and figures["cosine"] == pytest.approx(1)
    assert figures["first_frame_error"] == 0 and figures["same_topology"] == 1
    assert figures["identity"] == figures["true_identity"]
    still = Motion(np.repeat(mesh.positions[None], 4, 0), 8.0)
    idle = motions.measure(on, scene, motion, mesh, Asset("it", mesh=mesh, motion=still))
    assert idle["nearer_than_still"] == idle["cosine"] == idle["amount"] == 0
    assert idle["identity"] == 1
    torn = Motion(truth[:, :-1], 8.0)
    lost = motions.measure(on, scene, motion, mesh, Asset("it", mesh=mesh, motion=torn))
    assert lost == {"same_topology": 0.0}


def test_cases_of_words_and_pictures_are_held_out() -> None:
    pairs = bench("mvdream").words.held_out_prompts(20)
    assert all(is_held_out(*pair) for pair in pairs)
    assert next(case.prompt for case in tasks.cases(bench("mvdream"), 20)) == "a cyan cake"
