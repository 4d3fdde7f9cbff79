"""A mesh dragged by handles: do they arrive, does it fold, is it still what it was? Beside libigl's
as-rigid-as-possible deformation of the same handles."""

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from backend.evaluation.bench.cases import Bench, Case, Figures, draws
from backend.evaluation.deformation import (
    as_rigid_as_possible,
    confidence,
    fold_overs,
    handle_error,
    moved,
)
from backend.evaluation.geometry import longest_side, unseen
from backend.evaluation.looking import sphere
from backend.meshing.isosurface import close_level
from backend.meshing.surface import surface_of_level
from backend.pocket.render import render
from backend.pocket.world import Scene, build, caption
from backend.pocket.world.meshes import to_mesh
from protocol.assets import Asset, Attribute, FloatArray, Handles, Mesh

CELLS = 72
FACES = 3000
HELD_SHARE, PULLED_SHARE = 0.15, 0.01
"""Of the vertices: those that stay are at one end of the object, those that are pulled at the
other."""
PULL = (0.15, 0.3)
"""How far, longest side of the object = 1."""


def cases(bench: Bench, count: int) -> Iterator[Case]:
    """Held-out kinds and colors, one end held and the other pulled aside."""
    pairs = bench.words.held_out_prompts(count)
    for seed, (pair, rng) in enumerate(zip(pairs, draws(count, 3), strict=False)):
        mesh = one_surface(build(*pair, seed))
        handles = drawn_handles(mesh, rng)
        yield Case(
            caption(*pair), seed, partial(measure, bench, pair[0], mesh, handles), pair[0],
            assets={
                "mesh": Asset(pair[0], mesh=mesh), "handles": Asset("handles", handles=handles)
            },
        )


def one_surface(scene: Scene) -> Mesh:
    """The outside of all parts of an object as one closed surface with vertex colors: parts that
    only cross would be torn apart by handles."""
    axis = np.linspace(-1, 1, CELLS)
    solid = unseen(to_mesh(scene), [axis] * 3, sphere())
    level = gaussian_filter(solid.astype(np.float32), 0.7) - 0.5
    mesh = largest_component(surface_of_level(close_level(4 * level), FACES))
    mesh.attributes["color"] = Attribute("point", colors_near(scene, mesh.positions))
    return mesh


def colors_near(scene: Scene, positions: FloatArray) -> FloatArray:
    """RGBA (n, 4) of the nearest place of the object that is seen from anywhere."""
    found = render(scene, sphere(), samples=1)
    solid = found["rgba"][..., 3] > 0.5
    nearest = cKDTree(found["coordinates"][solid]).query(positions)[1]
    colors: FloatArray = found["rgba"][solid][nearest]
    return colors


def drawn_handles(mesh: Mesh, rng: np.random.Generator) -> Handles:
    """The end in a random direction, pulled aside; the opposite end stays."""
    along, aside = rng.normal(size=(2, 3))
    along /= np.linalg.norm(along)
    aside -= (aside @ along) * along
    order = np.argsort(mesh.positions @ along)
    held = order[: round(HELD_SHARE * len(order))]
    tip = np.linalg.norm(mesh.positions - mesh.positions[order[-1]], axis=1)
    pulled = np.argsort(tip)[: max(round(PULLED_SHARE * len(order)), 1)]
    way = rng.uniform(*PULL) * longest_side(mesh) * aside / np.linalg.norm(aside)
    targets = mesh.positions[pulled] + way.astype(np.float32)
    return Handles(pulled.astype(np.int32), targets, np.sort(held).astype(np.int32))


def measure(bench: Bench, kind: str, mesh: Mesh, handles: Handles, made: Asset) -> Figures:
    """Of the result, and as ``arap_`` of libigl's; ``rest_confidence`` is the judge's of the mesh
    before."""
    assert made.mesh is not None
    figures = {
        "same_topology": float(np.array_equal(made.mesh.faces, mesh.faces)),
        "rest_confidence": confidence(mesh, kind, bench.judge),
        **_of_positions(bench, kind, mesh, handles, made.mesh.positions),
    }
    if find_spec("igl") is None:  # one of the tools for development
        return figures
    beside = _of_positions(bench, kind, mesh, handles, as_rigid_as_possible(mesh, handles))
    return figures | {f"arap_{name}": value for name, value in beside.items()}


def _of_positions(
    bench: Bench, kind: str, mesh: Mesh, handles: Handles, positions: FloatArray
) -> Figures:
    return {
        "handle_error": handle_error(mesh, handles, positions),
        "fold_overs": fold_overs(mesh, positions),
        "confidence": confidence(moved(mesh, positions), kind, bench.judge),
    }


def largest_component(mesh: Mesh) -> Mesh:
    """The part of a mesh that hangs together and has the most faces."""
    rows, columns = mesh.faces.ravel(), np.roll(mesh.faces, -1, 1).ravel()
    count = len(mesh.positions)
    graph = coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), shape=(count, count))
    _, part = connected_components(graph, directed=False)
    chosen = part[mesh.faces[:, 0]]
    faces = mesh.faces[chosen == np.bincount(chosen).argmax()]
    used, renamed = np.unique(faces, return_inverse=True)
    return Mesh(mesh.positions[used], renamed.reshape(-1, 3).astype(np.int32))
