"""Meshes from files: where they stand, how they look, what is refused."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from backend.cli.meshes import read_mesh
from backend.meshing.export import export
from protocol.assets import Asset, Attribute, Image, Material, Mesh
from protocol.errors import InputError


def wedge() -> Mesh:
    """A box, higher at the back, in the unit ball."""
    shape = trimesh.creation.box((0.4, 0.8, 0.2))
    positions = shape.vertices.astype(np.float32)
    positions[(positions[:, 1] > 0) & (positions[:, 2] > 0), 2] += 0.4
    positions -= (positions.min(0) + positions.max(0)) / 2
    positions /= np.linalg.norm(positions, axis=1).max()
    return Mesh(positions, shape.faces.astype(np.int32))


@pytest.mark.parametrize("name", ["ply", "glb", "obj"])
def test_a_mesh_comes_back_upright(name: str, tmp_path: Path) -> None:
    mesh = wedge()
    export(Asset("wedge", mesh=mesh), tmp_path, (name,))
    found = read_mesh(tmp_path / f"wedge.{name}").mesh
    assert np.allclose(found.positions[found.faces], mesh.positions[mesh.faces], atol=1e-5)


def test_it_is_centered_and_fills_the_unit_ball(tmp_path: Path) -> None:
    mesh = wedge()
    mesh.positions = mesh.positions * 40 + np.float32(7)
    export(Asset("wedge", mesh=mesh), tmp_path, ("ply",))
    found = read_mesh(tmp_path / "wedge.ply").mesh.positions
    assert np.linalg.norm(found, axis=1).max() == pytest.approx(1, abs=1e-5)
    assert np.abs(found.max(0) + found.min(0)).max() < 1e-5


def test_vertex_colors_and_textures_come_along(tmp_path: Path) -> None:
    mesh = wedge()
    colors = np.random.default_rng(0).random((8, 4)).astype(np.float32)
    mesh.attributes["color"] = Attribute("point", colors)
    export(Asset("painted", mesh=mesh), tmp_path, ("ply",))
    found = read_mesh(tmp_path / "painted.ply").mesh
    assert np.allclose(found.attributes["color"].values, colors, atol=1 / 255)
    mesh.uvs = np.random.default_rng(1).random((12, 3, 2)).astype(np.float32)
    pixels = np.random.default_rng(2).integers(0, 256, (8, 8, 3), np.uint8)
    mesh.material = Material(base_color_map=Image(pixels))
    export(Asset("textured", mesh=mesh), tmp_path, ("glb",))
    found = read_mesh(tmp_path / "textured.glb").mesh
    assert np.array_equal(found.material.base_color_map.pixels, pixels)
    assert np.allclose(found.uvs, mesh.uvs, atol=1e-5)


def test_what_is_no_mesh_is_refused(tmp_path: Path) -> None:
    broken, points = tmp_path / "broken.ply", tmp_path / "points.ply"
    broken.write_text("no mesh")
    trimesh.PointCloud(np.eye(3)).export(points)
    for path, code in ((tmp_path / "none.glb", "mesh_file_missing"),
                       (broken, "mesh_file_invalid"), (points, "mesh_file_invalid")):
        with pytest.raises(InputError) as caught:
            read_mesh(path)
        assert caught.value.problem.code == code


@pytest.mark.parametrize("name", ["stl", "glb"])
def test_a_surface_that_a_file_parts_is_one_again(name: str, tmp_path: Path) -> None:
    """STL has single triangles, GLB a vertex for every corner of the texture."""
    mesh = wedge()
    mesh.uvs = np.random.default_rng(1).random((12, 3, 2)).astype(np.float32)
    if name == "stl":
        trimesh.Trimesh(mesh.positions, mesh.faces).export(tmp_path / "wedge.stl")
    else:
        export(Asset("wedge", mesh=mesh), tmp_path, (name,))
    found = read_mesh(tmp_path / f"wedge.{name}").mesh
    assert len(found.positions) == 8
    assert np.allclose(found.positions[found.faces], mesh.positions[mesh.faces], atol=1e-5)
    assert name == "stl" or np.allclose(found.uvs, mesh.uvs, atol=1e-5)
