"""Mesh results: outside the region the original's bits, also in what bilinear look-up blends."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.evaluation.edits import outside_faces_changed, outside_texels_changed
from backend.meshing.unwrap import unwrap
from backend.regions.placed import place_region
from backend.regions.restore import restore_mesh, texel_weights
from backend.rendering.textures import sample_texture
from protocol.assets import Attribute, Image, Material, Mesh, Region
from protocol.errors import InputError

from .test_placed import ball, placed_box

SIZE = 256


@pytest.fixture(scope="module")
def textured() -> Mesh:
    mesh = ball(2)
    mesh.uvs = unwrap(mesh.positions, mesh.faces, SIZE)
    mesh.normals = mesh.positions / 0.8
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 4), np.uint8)
    mesh.material = Material(base_color_map=Image(pixels), roughness=0.3)
    mesh.attributes["color"] = Attribute("point", np.ones((len(mesh.positions), 4), np.float32))
    return mesh


def regions(mesh: Mesh) -> list[Region]:
    above = mesh.positions[:, 2] > 0.2
    return [
        Region(box=placed_box((0, 0, 1), 0.7)),
        Region(vertices=above.astype(np.float32) * 0.5),
        Region(faces=above[mesh.faces].all(1)),
    ]


@pytest.mark.parametrize("way", [0, 1, 2])
def test_all_outside_has_the_originals_bits(textured: Mesh, way: int) -> None:
    placed = place_region(regions(textured)[way], textured)
    white = Image(np.full((SIZE, SIZE, 3), 255, np.uint8))
    dark = Attribute("point", np.zeros((len(textured.positions), 4), np.float32))
    result = restore_mesh(placed, textured.positions + 0.1, white, {"color": dark})
    inside = placed.at_vertices() > 0
    assert 0 < inside.sum() < len(inside)
    assert np.array_equal(result.positions[~inside], textured.positions[~inside])
    assert np.allclose(result.positions[inside], textured.positions[inside] + 0.1)
    assert result.faces is textured.faces and result.uvs is textured.uvs
    colors = result.attributes["color"].values
    assert np.array_equal(colors[:, 0], np.where(inside, 0.0, 1.0))
    still = ~inside[textured.faces].any(1)
    kept = np.setdiff1d(textured.faces[still], textured.faces[~still])
    assert np.array_equal(result.normals[kept], textured.normals[kept])
    assert result.material.roughness == 0.3


@pytest.mark.parametrize("way", [0, 1, 2])
def test_no_place_outside_shows_another_color(textured: Mesh, way: int) -> None:
    """Also at the very border, where look-up blends with neighboring texels."""
    placed = place_region(regions(textured)[way], textured)
    white = Image(np.full((SIZE, SIZE, 3), 255, np.uint8))
    result = restore_mesh(placed, textured.positions, white, {})
    rng = np.random.default_rng(1)
    faces = np.repeat(np.arange(len(textured.faces)), 60)
    places = rng.dirichlet((0.7, 0.7, 0.7), len(faces)).astype(np.float32)
    outside = placed.at_surface(faces, places) == 0
    uvs = torch.from_numpy((textured.uvs[faces] * places[..., None]).sum(1))
    before, after = (
        sample_texture(torch.from_numpy(mesh.material.base_color_map.pixels).float(), uvs).numpy()
        for mesh in (textured, result)
    )
    assert np.array_equal(before[outside], after[outside])
    assert (before[~outside] != after[~outside]).any(1).mean() > 0.4


def test_texels_shared_with_a_face_outside_stay() -> None:
    """Two squares on the same texels, one of them chosen: nothing may change."""
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    low = np.concatenate([square, np.zeros((4, 1), np.float32)], 1) * 0.5
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]], np.int32)
    corners = np.concatenate([square, square])[faces]
    mesh = Mesh(np.concatenate([low, low + 0.2]).astype(np.float32), faces, uvs=corners)
    chosen = np.array([True, True, False, False])
    assert not texel_weights(place_region(Region(faces=chosen), mesh), (16, 16)).any()


def any_region(mesh: Mesh, way: int, rng: np.random.Generator) -> Region:
    """Some of a mesh: a turned box, weights of vertices, or faces."""
    if way == 0:
        box = placed_box(tuple(rng.uniform(-0.6, 0.6, 3)), float(rng.uniform(0.2, 0.6)))
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        box[:3, :3] = turn @ box[:3, :3]
        return Region(box=box)
    if way == 1:
        weights = rng.random(len(mesh.positions)) * (rng.random(len(mesh.positions)) < 0.3)
        return Region(vertices=weights.astype(np.float32))
    return Region(faces=rng.random(len(mesh.faces)) < rng.uniform(0.05, 0.9))


@settings(max_examples=20, deadline=None)
@given(way=st.integers(0, 2), seed=st.integers(0, 10**6))
def test_whatever_is_edited_all_outside_stays(way: int, seed: int) -> None:
    """Any region, moves and colors: no face outside is other in a place, UV or texel it shows."""
    mesh, rng = noisy_ball(), np.random.default_rng(seed)
    region = any_region(mesh, way, rng)
    try:
        placed = place_region(region, mesh)
    except InputError:
        return  # a box beside the surface
    moved = rng.normal(size=mesh.positions.shape).astype(np.float32)
    painted = Image(rng.integers(0, 256, (64, 64, 3), np.uint8))
    result = restore_mesh(placed, moved, painted, {})
    outside = placed.most_on_faces() == 0
    assert outside_faces_changed(result, placed) == 0
    assert outside_texels_changed(result, placed) == 0
    still = placed.at_vertices() == 0
    assert np.array_equal(result.positions[still], mesh.positions[still])
    assert np.array_equal(result.uvs[outside], mesh.uvs[outside])


@cache
def noisy_ball() -> Mesh:
    """Small, with a texture of noise."""
    mesh = ball(1)
    mesh.uvs = unwrap(mesh.positions, mesh.faces, 64)
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    mesh.material = Material(base_color_map=Image(pixels))
    return mesh
