"""DreamEditor's mesh field: it shows its mesh, learns on vertices, and stays still elsewhere."""

import numpy as np
import pytest
import torch
import trimesh

from backend.rendering.cameras import orbit_cameras
from backend.representations.mesh import MeshRepresentation, vertex_colors
from backend.representations.mesh_field import MeshField, finer
from protocol.assets import Attribute, Mesh

CAMERAS = orbit_cameras([0.0, 90.0], 20.0, 3.0, 40.0, 32)


def two_colored_ball(subdivisions: int = 3) -> Mesh:
    """Red above, blue below, of radius 0.7."""
    sphere = trimesh.creation.icosphere(subdivisions=subdivisions, radius=0.7)
    above = sphere.vertices[:, 2:] > 0
    colors = np.where(above, [0.8, 0.2, 0.1, 1.0], [0.1, 0.2, 0.8, 1.0]).astype(np.float32)
    return Mesh(
        sphere.vertices.astype(np.float32), sphere.faces.astype(np.int32),
        attributes={"color": Attribute("point", colors)},
    )


def field_of(mesh: Mesh) -> MeshField:
    torch.manual_seed(0)
    division = finer(mesh)
    corners = vertex_colors(mesh)[torch.from_numpy(mesh.faces[division.parents]).long()]
    return MeshField(division, (corners * torch.from_numpy(division.shares)[..., None]).sum(1))


@pytest.fixture(scope="module")
def field() -> MeshField:
    return field_of(two_colored_ball(4))


def test_it_shows_its_mesh_before_any_training(field: MeshField) -> None:
    want = frozenset({"color", "alpha", "depth", "normals", "coords"})
    with torch.no_grad():
        found = field.render(CAMERAS, want=want)
        wanted = MeshRepresentation(two_colored_ball(4)).render(CAMERAS, want=want)
    inner = torch.nn.functional.avg_pool2d(wanted.alpha[..., 0], 5, 1, 2) > 0.999
    assert found.alpha[..., 0][inner].min() > 0.9
    assert (found.alpha - wanted.alpha).abs().mean() < 0.03
    assert (found.color - wanted.color).abs().mean() < 0.03
    assert (found.depth - wanted.depth)[inner].abs().max() < 0.04
    assert (found.coords - wanted.coords)[inner].norm(dim=-1).max() < 0.06
    assert (found.normals - wanted.normals)[inner].norm(dim=-1).mean() < 0.15


def test_color_geometry_and_position_all_have_gradients(field: MeshField) -> None:
    found = field.render(CAMERAS)
    loss = (found.color**2).sum() + found.alpha.sum()
    loss.backward()
    with torch.no_grad():
        pushed = float((field.offsets.grad * field.base).sum())
    assert pushed > 0  # a larger ball covers more
    assert field.color.grad.abs().sum() > 0
    assert field.networks["color"][-1].weight.grad.abs().sum() > 0
    field.zero_grad()


def test_what_may_not_change_costs_no_gradients_and_changes_none(field: MeshField) -> None:
    """The same pictures and, of the vertices that learn, the same gradients as without the hint."""
    pictures, gradients = [], []
    top = field.base[:, 2] > 0.4
    for learning in (None, top):
        field.learning = learning
        found = field.render(CAMERAS, want=frozenset({"color", "alpha", "normals"}))
        (found.color.square().sum() + found.alpha.sum()).backward()
        pictures.append(torch.cat([found.color, found.alpha, found.normals], -1).detach())
        gradients.append([p.grad.clone() for p in (field.color, field.geometry, field.offsets)])
        field.zero_grad()
    field.learning = None
    torch.testing.assert_close(pictures[0], pictures[1])
    for whole, part in zip(*gradients, strict=True):
        torch.testing.assert_close(whole[top], part[top])
    assert not torch.equal(gradients[0][0][~top], gradients[1][0][~top])  # something was left out


def test_rays_far_from_changed_vertices_keep_their_bits(field: MeshField) -> None:
    with torch.no_grad():
        before = field.render(CAMERAS).color
        kept = field.state()
        top = field.base[:, 2] > 0.4
        field.color[top] += 1.0
        field.geometry[top] += 0.5
        field.offsets[top] += 0.01
        after = field.render(CAMERAS, want=frozenset({"color", "alpha", "coords"}))
        field.load_state(kept)
    low = after.coords[..., 2] < 0.2
    assert torch.equal(before[low], after.color[low])
    assert not torch.equal(before[~low], after.color[~low])


def test_it_learns_another_color_from_pictures() -> None:
    field = field_of(two_colored_ball(3))
    target = torch.tensor([0.1, 0.7, 0.2])
    optimizer = torch.optim.Adam(field.parameter_groups()["color"], lr=0.3)
    for _ in range(30):
        found = field.render(CAMERAS)
        optimizer.zero_grad()
        ((found.color - found.alpha.detach() * target) ** 2).sum().backward()
        optimizer.step()
    shown = field.render(CAMERAS).color.detach()[0, 16, 16]
    assert torch.allclose(shown, target, atol=0.1)


def test_surface_colors_belong_to_the_original_place_wherever_it_moved(field: MeshField) -> None:
    points = field.base[::7]
    before = field.surface_look_up()(points)
    kept = field.state()
    with torch.no_grad():
        field.offsets += 0.1
    assert torch.equal(field.surface_look_up()(points), before)
    field.load_state(kept)
    red = points[:, 2] > 0.1
    assert torch.allclose(before[red], torch.tensor([0.8, 0.2, 0.1]), atol=0.02)


def test_a_saved_field_goes_on_with_the_same_bits() -> None:
    first, second = (field_of(two_colored_ball(3)) for _ in range(2))
    with torch.no_grad():
        first.offsets += 0.02 * first.base
    first.upkeep(99)
    second.load_state(first.state())
    with torch.no_grad():
        assert torch.equal(*(entry.render(CAMERAS).color for entry in (first, second)))


def test_a_coarse_mesh_gets_vertices_enough() -> None:
    box = trimesh.creation.box((0.8, 0.8, 0.8))
    mesh = Mesh(box.vertices.astype(np.float32), box.faces.astype(np.int32))
    with torch.no_grad():
        alpha = field_of(mesh).render(CAMERAS).alpha
        wanted = MeshRepresentation(mesh).render(CAMERAS).alpha
    assert (alpha - wanted).abs().mean() < 0.03
