"""Faces taken out, holes closed: what stays keeps its bits, and the result is closed again."""

import numpy as np
import trimesh

from backend.meshing.cut import cut
from backend.meshing.texturing import with_texture
from protocol.assets import Attribute, Mesh


def ball() -> Mesh:
    sphere = trimesh.creation.icosphere(subdivisions=2, radius=0.5)
    height = np.repeat(sphere.vertices[:, 2:], 4, 1).astype(np.float32)
    return Mesh(
        sphere.vertices.astype(np.float32), sphere.faces.astype(np.int32),
        attributes={"color": Attribute("point", height),
                    "part": Attribute("face", np.arange(len(sphere.faces)))},
    )


def top(mesh: Mesh) -> np.ndarray:
    return mesh.positions[mesh.faces][..., 2].min(1) > 0.2


def test_a_cap_is_replaced_by_a_closed_patch_that_faces_outward() -> None:
    mesh = ball()
    whole = cut(mesh, top(mesh))
    solid = trimesh.Trimesh(whole.mesh.positions, whole.mesh.faces, process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    patch = solid.face_normals[whole.patches]
    assert (patch[:, 2] > 0.8).all()
    assert solid.volume < trimesh.Trimesh(mesh.positions, mesh.faces).volume


def test_what_stays_keeps_its_bits() -> None:
    mesh = with_texture(ball(), 64)
    removed = top(mesh)
    whole = cut(mesh, removed)
    result, patches = whole.mesh, whole.patches
    before = mesh.positions[mesh.faces[~removed]]
    assert np.array_equal(result.positions[result.faces[~patches]], before)
    assert np.array_equal(result.uvs[~patches], mesh.uvs[~removed])
    kept = result.attributes["part"].values[~patches]
    assert np.array_equal(kept, mesh.attributes["part"].values[~removed])
    taken = result.attributes["part"].values[patches]
    assert set(taken) <= set(mesh.attributes["part"].values[removed])
    assert len(result.attributes["color"].values) == len(result.positions) == len(result.normals)


def test_two_holes_get_two_patches_and_a_whole_piece_leaves_none() -> None:
    mesh = ball()
    height = mesh.positions[mesh.faces][..., 2]
    both = cut(mesh, (height.min(1) > 0.2) | (height.max(1) < -0.2))
    assert trimesh.Trimesh(both.mesh.positions, both.mesh.faces, process=False).is_watertight
    moved = mesh.positions + np.float32([2, 0, 0])
    twice = Mesh(np.concatenate([mesh.positions, moved]),
                 np.concatenate([mesh.faces, mesh.faces + len(moved)]))
    one = cut(twice, np.arange(len(twice.faces)) >= len(mesh.faces))
    assert not one.patches.any()
    assert np.array_equal(one.mesh.positions, mesh.positions)
