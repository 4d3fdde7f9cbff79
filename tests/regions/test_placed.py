"""Regions on a mesh: what each way of saying one holds, and what cannot be one."""

import numpy as np
import pytest
import trimesh

from backend.regions.inside import inside_box, inside_mesh
from backend.regions.placed import place_region
from protocol.assets import Mesh, Region
from protocol.errors import InputError


def ball(subdivisions: int = 3, radius: float = 0.8) -> Mesh:
    sphere = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return Mesh(sphere.vertices.astype(np.float32), sphere.faces.astype(np.int32))


def placed_box(center: tuple[float, float, float], half: float, turn: float = 0.0) -> np.ndarray:
    c, s = np.cos(turn), np.sin(turn)
    box = np.eye(4, dtype=np.float32)
    box[:3, :3] = half * np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    box[:3, 3] = center
    return box


def test_a_turned_box_holds_what_lies_in_it() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (10_000, 3)).astype(np.float32)
    c = np.sqrt(0.5)
    turned = (points - [0.2, 0, 0]) @ np.array([[c, -c, 0], [c, c, 0], [0, 0, 1]])
    expected = (np.abs(turned) <= 0.5).all(1)
    assert np.array_equal(inside_box(placed_box((0.2, 0, 0), 0.5, np.pi / 4), points), expected)


def test_a_closed_mesh_holds_its_inside_and_small_holes_do_no_harm() -> None:
    points = np.random.default_rng(1).uniform(-1, 1, (3000, 3)).astype(np.float32)
    radius = np.linalg.norm(points, axis=1)
    clear = np.abs(radius - 0.8) > 0.03
    mesh = ball()
    holed = Mesh(mesh.positions, mesh.faces[5:])
    flipped = Mesh(mesh.positions, mesh.faces[:, ::-1].copy())
    for shape in (mesh, holed, flipped):
        deep = clear & (np.abs(radius - 0.8) > (0.3 if shape is holed else 0))
        assert np.array_equal(inside_mesh(shape, points)[deep], radius[deep] < 0.8)


def test_two_ways_to_say_the_upper_half_agree() -> None:
    mesh = ball()
    above = mesh.positions[:, 2] > 0
    by_box = place_region(Region(box=placed_box((0, 0, 1), 1.0)), mesh)
    by_group = place_region(Region(vertices=above.astype(np.float32)), mesh)
    equator = mesh.positions[:, 2] == 0
    assert np.array_equal(by_box.at_vertices()[~equator], by_group.at_vertices()[~equator])
    points = 0.9 * mesh.positions[~equator]
    assert np.array_equal(by_box.at_points(points), by_group.at_points(points))


def test_a_vertex_of_a_face_not_chosen_stays() -> None:
    mesh = ball(1)
    chosen = np.zeros(len(mesh.faces), bool)
    ring = (mesh.faces == 0).any(1)
    chosen[ring] = True
    weights = place_region(Region(faces=chosen), mesh).at_vertices()
    assert weights[0] == 1 and weights.sum() == 1
    assert np.array_equal(place_region(Region(faces=chosen), mesh).at_faces() > 0, ring)


def test_weights_of_vertices_blend_over_a_face() -> None:
    mesh = ball(1)
    weights = np.linspace(0, 1, len(mesh.positions)).astype(np.float32)
    placed = place_region(Region(vertices=weights), mesh)
    middle = placed.at_surface(np.arange(4), np.full((4, 3), 1 / 3, np.float32))
    assert np.allclose(middle, weights[mesh.faces[:4]].mean(1))


def test_a_box_within_one_large_face_is_found() -> None:
    square = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]], np.float32) * 0.7
    mesh = Mesh(square, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    assert place_region(Region(box=placed_box((0.3, 0, -0.1), 0.05)), mesh)


@pytest.mark.parametrize(
    ("region", "code"),
    [
        (Region(vertices=np.zeros(642, np.float32)), "region_empty"),
        (Region(box=placed_box((0, 0, 5), 1.0)), "region_outside"),
        (Region(mesh=ball(1, 0.1)), "region_outside"),
        (Region(vertices=np.ones(7, np.float32)), "region_of_another_mesh"),
        (Region(faces=np.ones(7, bool)), "region_of_another_mesh"),
        (Region(), "region_invalid"),
    ],
)
def test_what_cannot_be_a_region_is_said_early(region: Region, code: str) -> None:
    with pytest.raises(InputError) as caught:
        place_region(region, ball())
    assert caught.value.problem.code == code and caught.value.problem.hint


def test_a_word_has_to_be_located_first() -> None:
    with pytest.raises(ValueError, match="locate"):
        place_region(Region(word="hat"), ball())


def test_a_point_belongs_to_the_face_it_is_on_however_large() -> None:
    """Beside the edge of a large square, whose center is far, stands a row of little triangles."""
    square = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]], np.float32)
    row = [[[1.01, 0, z], [1.03, 0, z], [1.02, 0, z + 0.02]] for z in np.linspace(-1, 0.9, 20)]
    positions = np.concatenate([square, np.array(row, np.float32).reshape(-1, 3)])
    small = 4 + np.arange(60).reshape(20, 3)
    mesh = Mesh(positions, np.concatenate([[[0, 1, 2], [0, 2, 3]], small]).astype(np.int32))
    placed = place_region(Region(faces=np.arange(22) < 2), mesh)
    points = np.array([[0.9, 0, -0.8], [0.9, 0, 0.8], [1.02, 0, 0.01]], np.float32)
    assert placed.at_points(points).tolist() == [1, 1, 0]
