"""A mesh as DreamEditor's field, and the field as the mesh again (sections 4.1 and 4.3)."""

import hashlib
from collections.abc import Callable, Generator, Mapping

import numpy as np
import torch
from torch import Tensor

from backend.diffusion.annealing import Number, Schedule
from backend.distillation.loop import State, distill
from backend.distillation.regularizers import edge_lengths, laplacian
from backend.distillation.views import Orbit, sample_rigs
from backend.meshing.bake import bake
from backend.meshing.normals import vertex_normals
from backend.regions.gate import Gate
from backend.regions.patches import border_vertices
from backend.regions.placed import PlacedRegion
from backend.regions.restore import restore_mesh
from backend.rendering.cameras import Cameras
from backend.rendering.shell import find_rows
from backend.representations.mesh import MeshRepresentation, smooth_normals
from backend.representations.mesh_field import THICKNESS, MeshField, finer
from backend.representations.points import surface_colors
from backend.studio import Progress, Studio
from protocol.assets import Asset, Mesh

POINTS = 4096
FIT_PIXELS = 64


def field_of_mesh(mesh: Mesh, generator: torch.Generator) -> MeshField:
    """A field that stands on ``mesh`` and begins with its colors."""
    division = finer(mesh)
    colors = surface_colors(
        mesh, torch.from_numpy(division.parents), torch.from_numpy(division.shares)
    )
    field = MeshField(division, colors)
    for parameter in field.networks.parameters():
        if parameter.any():  # the last layers say nothing to begin with
            bound = parameter.shape[-1] ** -0.5
            values = torch.rand(parameter.shape, generator=generator)
            parameter.data = bound * (2 * values - 1)
    return field


def fit_field(
    mesh: Mesh, orbit: Orbit, steps: int, studio: Studio, preview: Callable[[MeshField], Asset]
) -> Generator[Progress, None, MeshField]:
    """The stage "fit": a field that stands on ``mesh``, which is distilled into it in ``steps`` of
    four views; shared by all jobs on the same mesh with the same seed."""
    field = field_of_mesh(mesh, studio.generator("networks"))

    def draw(step: int) -> tuple[Cameras, torch.Generator]:
        generator = studio.generator("fit", step)
        return sample_rigs(orbit, 1, FIT_PIXELS, generator), generator

    losses = fit_losses(field, mesh, draw)
    rates = {"color": 0.01, "geometry": 0.01, "networks": 1e-3}
    weights = {"distance": 1.0, "color": 1.0, "render": 10.0}
    yield from studio.stage(
        "fit", State.create(field, rates),
        lambda state: distill(
            state, steps, losses, weights, preview=lambda: preview(field)
        ),
        identity={"fit": 1, "mesh": digest(mesh), "steps": steps},
    )
    return field


def fit_losses(
    field: MeshField, mesh: Mesh, draw: Callable[[int], tuple[Cameras, torch.Generator]]
) -> Callable[[int], dict[str, Tensor]]:
    """What distils ``mesh`` into its field: signed distances and colors at points of the shell,
    and renders (|s - s'| + |c - c'| + ||C - C'||^2; the distance is one by construction, so there
    is no Eikonal term). ``draw`` gives the cameras and numbers of a step."""
    teacher = MeshRepresentation(mesh)
    gray = torch.full((3,), 0.5)
    normals = smooth_normals(field.base, field.faces)

    def losses(step: int) -> dict[str, Tensor]:
        cameras, generator = draw(step)
        points, height, wanted = _draw_points(field, mesh, normals, generator)
        rows = find_rows(field.shell, points)
        features, distance = field.look_up(points[rows >= 0], rows[rows >= 0])
        with torch.no_grad():
            picture = teacher.render(cameras, background=gray)
        shown = field.render(cameras, background=gray)
        return {
            "distance": (distance - height[rows >= 0]).abs().mean() / THICKNESS,
            "color": (field.color_of(features) - wanted[rows >= 0]).abs().mean(),
            "render": ((shown.color - picture.color) ** 2).mean()
            + ((shown.alpha - picture.alpha) ** 2).mean(),
        }

    return losses


def _draw_points(
    field: MeshField, mesh: Mesh, normals: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Points over and under the surface, their heights, and the mesh's colors below them."""
    vertices = torch.randint(len(field.base), (POINTS,), generator=generator)
    height = THICKNESS * 0.6 * (2 * torch.rand(POINTS, generator=generator) - 1)
    points = field.base[vertices] + height[:, None] * normals[vertices]
    parents = torch.from_numpy(field.subdivision.parents)[vertices]
    shares = torch.from_numpy(field.subdivision.shares)[vertices]
    return points, height, surface_colors(mesh, parents, shares)


def shape_losses(field: MeshField) -> Callable[[], dict[str, Tensor]]:
    """What keeps moved vertices smooth ("laplacian") and edges as long as they were ("edges")."""
    edges = field.edges()
    lengths = (field.base[edges[:, 0]] - field.base[edges[:, 1]]).norm(dim=-1)
    return lambda: {
        "laplacian": laplacian(field.positions, edges),
        "edges": edge_lengths(field.positions, edges, lengths),
    }


def row_weights(field: MeshField, placed: PlacedRegion) -> dict[str, Tensor]:
    """Weights of the field's vertices by parameter group, for a gate: positions stay on the rim of
    the region too, so that no face outside is pulled."""
    division = field.subdivision
    weights = placed.at_surface(division.parents, division.shares)
    outside = placed.most_on_faces()[division.face_parents] == 0
    weights[division.faces[outside]] = 0
    movable = np.where(border_vertices(division.faces, weights > 0), 0, weights)
    features = torch.from_numpy(weights)
    return {
        "color": features, "geometry": features,
        "offsets": torch.from_numpy(movable.astype(np.float32)),
    }


def held_state(field: MeshField, placed: PlacedRegion, rates: Mapping[str, Number]) -> State:
    """The field and its optimizer, behind a gate that holds everything outside the region."""
    state = State.create(field, rates)
    weights = row_weights(field, placed)
    field.learning = weights["color"] > 0
    Gate(state.optimizer, lambda: weights)
    return state


def edit_rates(rate: float, geometry: bool) -> dict[str, Number]:
    """By parameter group: of the color features ``rate``, of all that is ``geometry`` a tenth;
    vertices stop moving halfway, as in the released code."""
    if not geometry:
        return {"color": rate}
    return {"color": rate, "geometry": 0.1 * rate, "offsets": Schedule(0.1 * rate, 0.0, end=0.5)}


def edited_mesh(field: MeshField, placed: PlacedRegion) -> Mesh:
    """The original's topology with the field's offsets and baked colors inside the region."""
    mesh = placed.mesh
    moved = field.positions.detach().numpy()[: len(mesh.positions)]
    size = len(mesh.material.base_color_map.pixels)
    look_up = field.surface_look_up()
    normals = vertex_normals(mesh.positions, mesh.faces)
    surface = Mesh(mesh.positions, mesh.faces, mesh.uvs, normals)
    texture = bake(surface, size, lambda points, _: look_up(points))
    return restore_mesh(placed, moved, texture, {})


def digest(mesh: Mesh) -> str:
    """A hash of what is seen of a mesh."""
    hasher = hashlib.sha256()
    for array in (mesh.positions, mesh.faces, mesh.uvs, mesh.material.base_color_map.pixels):
        hasher.update(array.tobytes())
    return hasher.hexdigest()
