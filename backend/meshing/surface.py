"""The whole way from a density and its color to a mesh."""

from backend.meshing.bake import (
    SurfaceQuery,
    VolumeQuery,
    bake,
    colors_at_vertices,
    seen_from_outside,
)
from backend.meshing.clean import clean_level, make_manifold, orient_outward
from backend.meshing.isosurface import (
    Grid,
    Query,
    automatic_threshold,
    close_level,
    level_field,
    march,
    sample_density,
)
from backend.meshing.normals import vertex_normals
from backend.meshing.simplify import simplify
from backend.meshing.smooth import smooth
from backend.meshing.unwrap import unwrap
from protocol.assets import Attribute, Material, Mesh
from protocol.errors import DistilleryError


def extract_surface(
    density: Query, resolution: int, faces: int, threshold: float | None = None, device: str = "cpu"
) -> Mesh:
    """The surface of ``density``, closed and outward, about ``faces`` triangles, with normals.

    ``density`` maps points (n, 3) to (n,) per world unit; ``threshold`` is one of its values, None
    finds it. Raises DistilleryError ``mesh_nothing`` where there is no surface.
    """
    grid = sample_density(density, resolution, device)
    threshold = automatic_threshold(grid) if threshold is None else threshold
    return surface_of_level(level_field(grid, threshold), faces)


def surface_of_level(level: Grid, faces: int) -> Mesh:
    """The zero surface of a field over [-1, 1]^3 that is positive inside and negative on the
    border, closed and outward, about ``faces`` triangles, with normals."""
    level = clean_level(level)
    positions, triangles = make_manifold(*march(level))
    positions, triangles = simplify(smooth(positions, triangles), triangles, faces)
    triangles = orient_outward(positions, triangles)
    return Mesh(positions, triangles, normals=vertex_normals(positions, triangles))


def mesh_volume(
    look_up: VolumeQuery,
    resolution: int = 96,
    texture_size: int = 1024,
    faces: int = 20_000,
    device: str = "cpu",
) -> Mesh:
    """A textured mesh of a volume, with UVs, a base color texture and vertex colors (``color``).

    ``look_up`` maps points (n, 3) to density (n,) and color (n, 3) in [0, 1]. Raises
    DistilleryError ``mesh_nothing`` where there is no surface.
    """
    mesh = _colored_surface(look_up, resolution, faces, device)
    return _textured(mesh, texture_size, seen_from_outside(look_up, reach=2 / resolution), device)


def preview_mesh(look_up: VolumeQuery, resolution: int = 32, device: str = "cpu") -> Mesh:
    """A coarse mesh with vertex colors and no texture, for looking at while the work goes on."""
    return _colored_surface(look_up, resolution, 4000, device)


def mesh_distances(
    look_up: VolumeQuery,
    resolution: int = 96,
    texture_size: int = 1024,
    faces: int = 20_000,
    device: str = "cpu",
) -> Mesh:
    """As :func:`mesh_volume`, for a ``look_up`` that gives signed distances, positive outside;
    the texture shows the color at the surface itself."""
    mesh = preview_distances(look_up, resolution, device, faces)
    return _textured(mesh, texture_size, lambda points, normals: look_up(points)[1], device)


def preview_distances(
    look_up: VolumeQuery, resolution: int = 32, device: str = "cpu", faces: int = 4000
) -> Mesh:
    """As :func:`preview_mesh`, for signed distances, positive outside."""
    cell = 2 / (resolution - 1)
    distances = sample_density(lambda points: look_up(points)[0], resolution, device, outside=1.0)
    if distances.min() >= 0:
        raise DistilleryError(
            "mesh_nothing", "The result is empty: it has no surface.",
            "Try another seed, more steps, or a picture of one solid object.",
        )
    mesh = surface_of_level(close_level(-distances / cell), faces)
    colors = colors_at_vertices(mesh, lambda points, normals: look_up(points)[1], device)
    mesh.attributes["color"] = Attribute("point", colors)
    return mesh


def _textured(mesh: Mesh, texture_size: int, query: SurfaceQuery, device: str) -> Mesh:
    mesh.uvs = unwrap(mesh.positions, mesh.faces, texture_size)
    mesh.material = Material(base_color_map=bake(mesh, texture_size, query, device))
    return mesh


def _colored_surface(look_up: VolumeQuery, resolution: int, faces: int, device: str) -> Mesh:
    mesh = extract_surface(lambda points: look_up(points)[0], resolution, faces, device=device)
    query = seen_from_outside(look_up, reach=2 / resolution)
    mesh.attributes["color"] = Attribute("point", colors_at_vertices(mesh, query, device))
    return mesh
