"""Meshes of scenes against closed forms, and against the ray caster."""

import math

import numpy as np
import pytest
import torch
import trimesh

from backend.meshing.bake import rasterize_uvs
from backend.pocket.render import render
from backend.pocket.world import KINDS, build
from backend.pocket.world.materials import PATTERNS, Material
from backend.pocket.world.meshes import part_mesh, to_mesh
from backend.pocket.world.shapes import Scene, Sculptor, turn
from backend.rendering.cameras import orbit_cameras
from backend.rendering.rasterize import interpolate_corners, rasterize

WHITE = (1.0, 1.0, 1.0)


def solid(make, segments: int = 96) -> trimesh.Trimesh:
    s = Sculptor(np.random.default_rng(0))
    make(s)
    return trimesh.Trimesh(*part_mesh(s.parts[0], segments), process=False)


@pytest.mark.parametrize(
    ("make", "volume"),
    [
        (lambda s: s.ball("b", (1, 2, 3), (0.3, 0.4, 0.5), WHITE), 4 / 3 * math.pi * 0.06),
        (lambda s: s.box("b", (1, 0, 0), (0.3, 0.4, 0.5), WHITE, turn(30, "x")), 8 * 0.06),
        (lambda s: s.box("b", (0, 0, 0), (1, 1, 1), WHITE, top=(0.0, 1.0)), 4.0),
        (lambda s: s.tube("t", (0, 0, 0), (1, 0, 0), (0.3, 0.3), WHITE), math.pi * 0.09),
        (lambda s: s.tube("t", (0, 0, 0), (0, 0, 2), (0.3, 0.0), WHITE), math.pi * 0.09 * 2 / 3),
        (lambda s: s.ring("r", (0, 0, 0), (1, 1, 0), 0.5, 0.1, WHITE), 2 * math.pi**2 * 0.005),
        (lambda s: s.rod("r", (0, 0, 0), (0, 2, 0), 0.2, WHITE),
         math.pi * 0.04 * 2 + 4 / 3 * math.pi * 0.008),
        (lambda s: s.soft_box("b", (0, 0, 0), (0.5, 0.4, 0.3), 0.1, WHITE),
         8 * 0.4 * 0.3 * 0.2 + 8 * 0.1 * (0.4 * 0.3 + 0.3 * 0.2 + 0.4 * 0.2)
         + math.pi * 0.01 * 2 * (0.4 + 0.3 + 0.2) + 4 / 3 * math.pi * 0.001),
        (lambda s: s.pebble("p", (0, 0, 0), (0.3, 0.4, 0.5), (2.0, 2.0), WHITE),
         4 / 3 * math.pi * 0.06),
        (lambda s: s.pebble("p", (0, 0, 0), (0.3, 0.4, 0.5), (1.0, 1.0), WHITE), 4 / 3 * 0.06),
        (lambda s: s.pebble("p", (0, 0, 0), 1.0, (4.0, 4.0), WHITE),
         8 * math.gamma(1.25) ** 3 / math.gamma(1.75)),
        (lambda s: s.sweep("s", [(0, 0, 0), (0, 2, 0)], 0.2, WHITE),
         math.pi * 0.04 * 2 + 4 / 3 * math.pi * 0.008),
        (lambda s: s.lathe("l", (0, 0, 0), (0, 0, 2), [(0, 0.3), (1, 0.0), (1, 0.0)], WHITE),
         math.pi * 0.09 * 2 / 3),
        (lambda s: s.lathe("l", (0, 0, 0), (2, 0, 0), [(0, 0.3), (1, 0.3)], WHITE),
         math.pi * 0.09 * 2),
    ],
)  # fmt: skip
def test_closed_shapes_have_their_volume(make, volume: float) -> None:
    mesh = solid(make)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(volume, rel=5e-3)


def test_cut_and_uncapped_shapes_are_open() -> None:
    assert not solid(lambda s: s.ball("b", (0, 0, 0), 1, WHITE, clip=(0, 1))).is_watertight
    assert not solid(
        lambda s: s.tube("t", (0, 0, 0), (0, 0, 1), (1, 1), WHITE, False)
    ).is_watertight


@pytest.mark.parametrize("kind", ["car", "mug", "castle", "fish"])
def test_renders_lie_on_the_mesh(kind: str) -> None:
    scene = build(kind, "red", 2)
    mesh = to_mesh(scene, 64)
    mesh.check()
    found = render(scene, orbit_cameras([30.0], 25.0, 3.2, 40.0, 64), samples=1)
    hit = found["part"][0, ..., 0] >= 0
    points, labels = found["coordinates"][0][hit][::7], found["part"][0][hit][::7, 0]
    part_of_face = mesh.attributes["part"].values
    for label in np.unique(labels):
        piece = trimesh.Trimesh(mesh.positions, mesh.faces[part_of_face == label], process=False)
        distance = trimesh.proximity.closest_point_naive(piece, points[labels == label])[1]
        assert distance.max() < 0.012


def gallery(pattern: str = "plain") -> Scene:
    """One of each shape."""
    s = Sculptor(np.random.default_rng(0))
    paint = Material(np.array([0.8, 0.3, 0.1]), pattern, size=0.4)
    s.ball("ball", (-1, 0, 0), (0.4, 0.3, 0.5), paint, clip=(-1.0, 0.6))
    s.box("box", (0, 0, 0), (0.3, 0.4, 0.3), paint, turn(30, "z"), top=(0.6, 0.8))
    s.soft_box("soft box", (1, 0, 0), (0.3, 0.3, 0.4), 0.1, paint)
    s.tube("tube", (-1, 0, 0.8), (-1, 0.2, 1.5), (0.4, 0.2), paint)
    s.rod("rod", (-0.2, 0, 1), (0.2, 0, 1.2), 0.2, paint)
    s.ring("ring", (1, 0, 1), (0, -1, 1), 0.3, 0.1, paint)
    s.pebble("pebble", (-1, 0, -1), (0.4, 0.3, 0.3), (4.0, 3.0), paint)
    s.sweep("sweep", [(-0.3, 0, -1.3), (0, 0, -0.8), (0.3, 0.2, -1.2)], [0.2, 0.1, 0.15], paint)
    profile = [(0, 0.3), (0.3, 0.4), (0.8, 0.15), (1, 0.3)]
    s.lathe("lathe", (1, 0, -1.5), (1, 0, -0.6), profile, paint)
    return s.finish("gallery", "red")


def test_meshes_have_the_silhouettes_parts_and_depth_of_the_renders() -> None:
    scene = gallery()
    cameras = orbit_cameras([10.0, 130.0], [25.0, -30.0], 3.2, 40.0, 96)
    found, mesh = render(scene, cameras, samples=1), to_mesh(scene, 96)
    seen = rasterize(torch.from_numpy(mesh.positions), torch.from_numpy(mesh.faces), cameras)
    labels = mesh.attributes["part"].values[seen.triangles.numpy()]
    labels = np.where(seen.covered.numpy(), labels, -1)
    assert set(np.unique(labels)) == set(range(-1, len(scene.parts)))
    assert (labels != found["part"][..., 0]).mean() < 3e-3
    both = seen.covered.numpy() & (labels == found["part"][..., 0])
    gaps = np.abs(seen.depth.numpy() - found["depth"][..., 0])[both]
    assert np.median(gaps) < 1e-3 and np.quantile(gaps, 0.99) < 0.012


def test_faces_do_not_overlap_in_the_texture() -> None:
    mesh = to_mesh(gallery(), 24)
    assert mesh.uvs.min() >= 0 and mesh.uvs.max() <= 1
    a, b, c = (mesh.uvs[:, i] for i in range(3))
    areas = 0.5 * np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    inside = rasterize_uvs(mesh.uvs, 1024)[0] >= 0
    # The union has the area of the sum; a border of half a texel around each chart counts too.
    assert 0 <= inside.mean() - areas.sum() < 0.02
    assert areas.min() > 0


@pytest.mark.parametrize("pattern", PATTERNS)
def test_texture_and_vertex_colors_are_those_of_the_renders(pattern: str) -> None:
    scene = gallery(pattern)
    cameras = orbit_cameras([20.0], 20.0, 3.2, 40.0, 96)
    found, mesh = render(scene, cameras, samples=1), to_mesh(scene, 48, texture_size=1024)
    faces = torch.from_numpy(mesh.faces)
    seen = rasterize(torch.from_numpy(mesh.positions), faces, cameras)
    both = seen.covered.numpy() & (
        mesh.attributes["part"].values[seen.triangles.numpy()] == found["part"][..., 0]
    )
    rgb, pixels = found["rgba"][..., :3][both], mesh.material.base_color_map.pixels
    uv = interpolate_corners(torch.from_numpy(mesh.uvs), seen).numpy()[both]
    texel = np.floor(uv * len(pixels)).astype(int)
    textured = pixels[len(pixels) - 1 - texel[:, 1], texel[:, 0]] / 255
    assert (np.abs(textured - rgb).max(1) > 0.1).mean() < 0.06
    colors = torch.from_numpy(mesh.attributes["color"].values)[faces.long()]
    vertex = interpolate_corners(colors, seen).numpy()[both][:, :3]
    assert np.abs(vertex - rgb).mean() < 0.12


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_mesh_with_labels(kind: str) -> None:
    scene = build(kind, "blue", 1)
    mesh = to_mesh(scene, 12)
    mesh.check()
    assert set(mesh.attributes["part"].values) == set(range(len(scene.parts)))
    assert len(mesh.attributes["color"].values) == len(mesh.positions)
    assert np.linalg.norm(mesh.positions, axis=1).max() < 1
