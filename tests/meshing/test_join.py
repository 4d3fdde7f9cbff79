"""Two textured meshes as one: the first keeps its bits and its look."""

import numpy as np
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.meshing.join import join_textured
from backend.meshing.texturing import with_texture
from backend.rendering.cameras import orbit_cameras
from backend.rendering.meshes import render_mesh
from protocol.assets import Attribute, Image, Material, Mesh


def ball(radius: float, center: tuple[float, float, float], size: int, seed: int = 0) -> Mesh:
    """Of random vertex colors, with a texture of them."""
    sphere = trimesh.creation.icosphere(subdivisions=1, radius=radius)
    colors = np.random.default_rng(seed).random((len(sphere.vertices), 4)).astype(np.float32)
    mesh = Mesh(
        (sphere.vertices + center).astype(np.float32), sphere.faces.astype(np.int32),
        attributes={"color": Attribute("point", colors)},
    )
    return with_texture(mesh, size)


@settings(max_examples=8, deadline=None)
@given(
    first=st.sampled_from([32, 64]), second=st.sampled_from([16, 64, 96]), seed=st.integers(0, 9)
)
def test_the_first_keeps_its_bits(first: int, second: int, seed: int) -> None:
    a, b = ball(0.4, (0, 0, -0.5), first, seed), ball(0.3, (0, 0, 0.5), second, seed + 1)
    joined = join_textured(a, b)
    n, m = len(a.positions), len(a.faces)
    assert np.array_equal(joined.positions[:n], a.positions)
    assert np.array_equal(joined.faces[:m], a.faces)
    assert np.array_equal(joined.normals[:n], a.normals)
    assert np.array_equal(joined.uvs[:m] * 2, a.uvs)
    pixels = joined.material.base_color_map.pixels
    assert np.array_equal(pixels[first:, :first], a.material.base_color_map.pixels)
    assert np.array_equal(joined.attributes["color"].values[:n], a.attributes["color"].values)
    assert len(joined.attributes["color"].values) == len(joined.positions)
    assert joined.faces[m:].min() == n


def test_both_look_as_they_did() -> None:
    a, b = ball(0.4, (0, 0, -0.5), 64), ball(0.3, (0, 0, 0.5), 64, 1)
    cameras = orbit_cameras([0.0, 120.0], 10.0, 3.0, 40.0, 48)
    joined = render_mesh(join_textured(a, b), cameras).color
    alone = [render_mesh(mesh, cameras) for mesh in (a, b)]
    for mesh in alone:
        there = mesh.alpha[..., 0] == 1
        assert (joined[there] - mesh.color[there]).abs().max() < 0.02
    empty = sum(mesh.alpha for mesh in alone)[..., 0] == 0
    assert torch.equal(joined[empty].unique(), torch.tensor([0.5]))


def test_other_maps_say_nothing_of_the_second() -> None:
    a, b = ball(0.4, (0, 0, 0), 32), ball(0.3, (0, 0, 0.5), 32)
    rough = Image(np.full((8, 8, 1), 40, np.uint8), color=False)
    bumps = Image(np.full((8, 8, 3), 90, np.uint8), color=False)
    a.material = Material(
        base_color_map=a.material.base_color_map, roughness_map=rough, normal_map=bumps
    )
    b.material.roughness = 1.0
    joined = join_textured(a, b).material
    assert (joined.roughness_map.pixels[8:, :8] == 40).all()
    assert (joined.roughness_map.pixels[:8, 8:] == 255).all()
    assert (joined.normal_map.pixels[:8, 8:] == [128, 128, 255]).all()
    assert joined.metallic_map is None
