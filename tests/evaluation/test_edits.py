"""Measures of edits, in closed form."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh

from backend.evaluation.edits import (
    followed,
    outside_faces_changed,
    outside_texels_changed,
    way_gone,
)
from backend.meshing.bake import texels_near
from backend.meshing.join import join_textured
from backend.meshing.texturing import with_texture
from backend.regions.placed import PlacedRegion, place_region
from protocol.assets import Image, Mesh, Region

SOURCE = torch.zeros(2, 8, 8, 3)
TARGET = SOURCE.clone()
TARGET[:, :4] = 0.8


@pytest.mark.parametrize("share", [-0.5, 0.0, 0.25, 0.75, 1.0])
def test_the_way_is_measured_where_the_edit_shows(share: float) -> None:
    found = SOURCE + share * (TARGET - SOURCE)
    found[:, 6:] = 0.9  # outside
    assert way_gone(found, SOURCE, TARGET) == pytest.approx(share, abs=1e-6)
    assert followed(found, SOURCE, TARGET) == float(share > 0.5)


def test_an_edit_that_does_not_show_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="the same"):
        way_gone(SOURCE, SOURCE, SOURCE + 0.01)


def placed_ball() -> PlacedRegion:
    """A ball with a texture, whose upper half may change."""
    ball = trimesh.creation.icosphere(2, 0.7)
    mesh = Mesh(ball.vertices.astype(np.float32), ball.faces.astype(np.int32))
    mesh = with_texture(mesh, 64)
    return place_region(Region(faces=mesh.positions[mesh.faces].min(1)[:, 2] > 0), mesh)


def painted(mesh: Mesh, texels: np.ndarray) -> Mesh:
    pixels = mesh.material.base_color_map.pixels.copy()
    pixels[texels] = 255 - pixels[texels]
    return replace(mesh, material=replace(mesh.material, base_color_map=Image(pixels)))


def test_nothing_changed_is_zero_also_in_other_order() -> None:
    placed = placed_ball()
    order = np.random.default_rng(0).permutation(len(placed.mesh.faces))
    shuffled = replace(placed.mesh, faces=placed.mesh.faces[order], uvs=placed.mesh.uvs[order])
    assert outside_faces_changed(shuffled, placed) == 0
    assert outside_texels_changed(placed.mesh, placed) == 0


def test_a_larger_texture_may_hold_the_original() -> None:
    placed = placed_ball()
    ball = with_texture(placed.mesh, 64)
    joined = join_textured(ball, replace(ball, positions=ball.positions + np.float32(2)))
    assert outside_faces_changed(joined, placed) == outside_texels_changed(joined, placed) == 0
    moved = replace(joined, uvs=joined.uvs + np.float32(1 / 128))
    assert outside_faces_changed(moved, placed) == 1


def test_faces_that_moved_by_one_bit_count() -> None:
    placed = placed_ball()
    positions = placed.mesh.positions.copy()
    lowest, highest = positions[:, 2].argmin(), positions[:, 2].argmax()
    positions[highest] *= 0.5
    assert outside_faces_changed(replace(placed.mesh, positions=positions), placed) == 0
    positions[lowest, 2] = np.nextafter(positions[lowest, 2], np.float32(9))
    outside = placed.most_on_faces() == 0
    touched = (placed.mesh.faces[outside] == lowest).any(1).mean()
    moved = outside_faces_changed(replace(placed.mesh, positions=positions), placed)
    assert moved == pytest.approx(touched) and touched > 0


def test_texels_of_the_region_may_change_and_no_others() -> None:
    placed = placed_ball()
    everything = np.ones((64, 64), bool)
    assert outside_texels_changed(painted(placed.mesh, everything), placed) == 1
    outside = texels_near(placed.mesh.uvs[placed.most_on_faces() == 0], 64)
    assert outside_texels_changed(painted(placed.mesh, ~outside), placed) == 0
    one = np.zeros_like(outside)
    one[tuple(np.argwhere(outside)[0])] = True
    changed = outside_texels_changed(painted(placed.mesh, one), placed)
    assert changed == pytest.approx(1 / outside.sum())
    smaller = replace(placed.mesh.material, base_color_map=Image(np.zeros((32, 32, 3), np.uint8)))
    assert outside_texels_changed(replace(placed.mesh, material=smaller), placed) == 1
