"""A mesh as a representation: its buffers, its gradients, and the mesh that comes back."""

import numpy as np
import pytest
import torch
import trimesh

from backend.rendering.cameras import Cameras, orbit_cameras
from backend.rendering.shading import Shading
from backend.representations.mesh import MeshRepresentation
from protocol.assets import Attribute, Image, Material, Mesh

CAMERAS = orbit_cameras([0.0, 120.0], 20.0, 3.0, 40.0, 32)


def colored_ball(color: tuple[float, float, float] = (0.2, 0.6, 0.4)) -> Mesh:
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=0.7)
    colors = np.tile(np.float32([*color, 1]), (len(sphere.vertices), 1))
    return Mesh(
        sphere.vertices.astype(np.float32), sphere.faces.astype(np.int32),
        attributes={"color": Attribute("point", colors)},
    )


def textured_square() -> Mesh:
    square = np.array([[-0.6, 0, -0.6], [0.6, 0, -0.6], [0.6, 0, 0.6], [-0.6, 0, 0.6]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)[faces]
    pixels = np.full((8, 8, 4), 77, np.uint8)
    return Mesh(square, faces, uvs=corners, material=Material(base_color_map=Image(pixels)))


def test_buffers_of_a_ball_are_those_of_a_ball() -> None:
    thing = MeshRepresentation(colored_ball())
    want = frozenset({"color", "alpha", "depth", "normals", "coords"})
    with torch.no_grad():
        found = thing.render(CAMERAS, want=want, background=torch.ones(3))
    inner = found.alpha[..., 0] == 1
    assert torch.allclose(found.coords[inner].norm(dim=-1), torch.tensor(0.7), atol=0.01)
    assert ((found.coords / 0.7 - found.normals)[inner].norm(dim=-1) < 0.1).float().mean() > 0.95
    toward = found.coords - CAMERAS.positions[:, None, None]
    along = (toward * -CAMERAS.backward[:, None, None]).sum(-1)
    assert torch.allclose(along[inner], found.depth[..., 0][inner], atol=1e-4)
    assert torch.allclose(found.color[inner], torch.tensor([0.2, 0.6, 0.4]), atol=1e-4)
    assert torch.equal(found.color[0, 0, 0], torch.ones(3))


def test_light_from_the_camera_falls_off_toward_the_outline() -> None:
    thing = MeshRepresentation(colored_ball((1.0, 1.0, 1.0)))
    with torch.no_grad():
        lit = thing.render(CAMERAS, shading=Shading(CAMERAS.positions)).color
    assert lit[0, 16, 16, 0] == pytest.approx(1.0, abs=0.02)
    assert lit[0, 16, 8, 0] < 0.9


@pytest.mark.parametrize("mesh", [colored_ball(), textured_square()])
def test_the_mesh_comes_back_as_it_was(mesh: Mesh) -> None:
    back = MeshRepresentation(mesh).to_mesh()
    assert np.array_equal(back.positions, mesh.positions)
    assert np.array_equal(back.faces, mesh.faces)
    if mesh.material is not None:
        before, after = mesh.material.base_color_map, back.material.base_color_map
        assert np.array_equal(before.pixels, after.pixels)
    else:
        values = mesh.attributes["color"].values
        assert np.allclose(back.attributes["color"].values, values)


def test_it_learns_size_and_color_from_pictures() -> None:
    """A smaller gray ball grows to the size and color of the one in the pictures."""
    with torch.no_grad():
        wanted = MeshRepresentation(colored_ball()).render(CAMERAS)
    small = colored_ball((0.5, 0.5, 0.5))
    small.positions = small.positions * np.float32(0.8)
    thing = MeshRepresentation(small)
    scale = torch.ones((), requires_grad=True)
    start = thing.positions.detach().clone()
    optimizer = torch.optim.Adam([
        {"params": [scale], "lr": 0.02}, {"params": thing.parameter_groups()["colors"], "lr": 0.05}
    ])
    del thing.positions
    for _ in range(40):
        thing.positions = scale * start
        found = thing.render(CAMERAS)
        differences = (found.color - wanted.color, found.alpha - wanted.alpha)
        loss = torch.stack([(difference**2).mean() for difference in differences]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(scale.detach()) == pytest.approx(1.25, abs=0.02)
    shown = thing.render(CAMERAS).color.detach()[0, 16, 16]
    assert torch.allclose(shown, torch.tensor([0.2, 0.6, 0.4]), atol=0.03)


def test_a_texture_learns_what_is_seen() -> None:
    thing = MeshRepresentation(textured_square())
    target = torch.tensor([0.9, 0.1, 0.3])
    front = orbit_cameras([0.0], 0.0, 3.0, 40.0, 32)
    optimizer = torch.optim.Adam(thing.parameter_groups()["texture"], lr=0.03)
    for _ in range(60):
        color = thing.render(front, background=target).color
        optimizer.zero_grad()
        ((color - target) ** 2).mean().backward()
        optimizer.step()
    assert (thing.texture.detach() - target).abs().max() < 0.05


def test_state_travels() -> None:
    thing, other = (MeshRepresentation(colored_ball()) for _ in range(2))
    with torch.no_grad():
        thing.positions += 0.1
    other.load_state(thing.state())
    assert torch.equal(other.positions, thing.positions)
    assert torch.equal(*(entry.render(CAMERAS).color for entry in (thing, other)))


def test_orthographic_views_show_the_true_size() -> None:
    cameras = Cameras(CAMERAS.c2w, CAMERAS.fov_degrees, 32, 32, torch.tensor([2.0, 2.0]))
    with torch.no_grad():
        alpha = MeshRepresentation(colored_ball()).render(cameras).alpha
    expected = np.pi * (0.7 * 16) ** 2
    assert float(alpha[0].sum()) == pytest.approx(expected, rel=0.02)
