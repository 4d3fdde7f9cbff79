import numpy as np
import pytest
import torch

from backend.meshing.bake import (
    bake,
    colors_at_vertices,
    rasterize_uvs,
    seen_from_outside,
    texels_near,
)
from protocol.assets import Mesh


def square():
    """The square [0, 1]^2 at z = 0 as two triangles whose UVs are its x and y."""
    positions = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    normals = np.tile(np.float32([0, 0, 1]), (4, 1))
    return Mesh(positions, faces, uvs=positions[faces][..., :2].copy(), normals=normals)


def test_texels_lie_where_the_uvs_say_with_v_upward():
    image = bake(square(), 8, lambda points, normals: points)
    row, column = 1, 5
    expected = np.array([(column + 0.5) / 8, 1 - (row + 0.5) / 8, 0]) * 255
    assert np.allclose(image.pixels[row, column], expected, atol=1)


def test_normals_reach_the_query():
    image = bake(square(), 4, lambda points, normals: normals)
    assert (image.pixels == [0, 0, 255]).all()


def test_texels_outside_all_charts_take_the_nearest_color():
    mesh = square()
    mesh.uvs = mesh.uvs * 0.25
    image = bake(mesh, 16, lambda points, normals: torch.full((len(points), 3), 0.4))
    assert (image.pixels == 102).all()


def test_barycentric_weights_rebuild_the_texel():
    uvs = np.array([[[0.1, 0.1], [0.9, 0.2], [0.4, 0.8]]], np.float32)
    owner, weights = rasterize_uvs(uvs, 64)
    inside = (owner == 0) & (weights.min(-1) > 0)
    rebuilt = weights[inside] @ uvs[0]
    rows, columns = np.nonzero(inside)
    expected = np.stack([(columns + 0.5) / 64, 1 - (rows + 0.5) / 64], 1)
    assert np.allclose(rebuilt, expected, atol=1e-5)
    assert inside.mean() == pytest.approx(0.8 * 0.7 / 2 - 0.1 * 0.3 / 2, abs=0.02)


def test_a_mesh_without_uvs_is_refused():
    mesh = square()
    mesh.uvs = None
    with pytest.raises(ValueError, match="uvs"):
        bake(mesh, 8, lambda points, normals: points)


def test_color_is_that_of_the_first_dense_matter_not_of_the_thin_fog_before_it():
    def look_up(points):
        dense = points[:, 2] < -0.005
        color = torch.where(
            dense[:, None], torch.tensor([1.0, 0, 0]), torch.tensor([0.5, 0.5, 0.5])
        )
        return dense * 2000.0 + 0.1, color

    query = seen_from_outside(look_up, reach=0.02)
    seen = query(torch.zeros(1, 3), torch.tensor([[0.0, 0, 1]]))
    assert torch.allclose(seen, torch.tensor([[1.0, 0, 0]]), atol=0.01)


def test_vertex_colors_are_opaque():
    colors = colors_at_vertices(square(), lambda points, normals: points)
    assert np.allclose(colors[2], [1, 1, 0, 1])


def test_texels_near_a_face_are_all_that_lookup_on_it_blends() -> None:
    """Against places drawn on thin triangles that miss most centers."""
    rng = np.random.default_rng(2)
    uvs = rng.uniform(0.1, 0.9, (1, 1, 2)) + rng.normal(0, 0.05, (12, 3, 2)) * [1, 0.1]
    near = texels_near(uvs.astype(np.float32), 32)
    shares = rng.dirichlet((1, 1, 1), (12, 500))
    places = (np.einsum("fkc,fcu->fku", shares, uvs) * [1, -1] + [0, 1]).reshape(-1, 2) * 32 - 0.5
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        column, row = (np.floor(places) + corner).astype(int).T
        assert near[row, column].all()
    assert near.sum() < 0.5 * near.size
