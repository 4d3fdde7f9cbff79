"""Meshes of scenes against closed forms, and against the ray caster."""

import math

import numpy as np
import pytest
import trimesh

from backend.pocket.render import render
from backend.pocket.world import KINDS, build
from backend.pocket.world.meshes import part_mesh, to_mesh
from backend.pocket.world.shapes import Sculptor, turn
from backend.rendering.cameras import orbit_cameras

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


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_mesh_with_labels(kind: str) -> None:
    scene = build(kind, "blue", 1)
    mesh = to_mesh(scene, 12)
    mesh.check()
    assert set(mesh.attributes["part"].values) == set(range(len(scene.parts)))
    assert len(mesh.attributes["color"].values) == len(mesh.positions)
    assert np.linalg.norm(mesh.positions, axis=1).max() < 1
