"""A mesh and what it does to a motion of its vertices, beside the world's own."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from backend.evaluation.bench.cases import Bench, Case, Figures, draws
from backend.evaluation.motion import (
    amount,
    closing_gap,
    first_frame_error,
    followed,
    identity,
    nearer_than_still,
)
from backend.pocket.world import Scene, build
from backend.pocket.world.meshes import to_mesh
from backend.pocket.world.motions import Motion, draw_motion, motion_captions, pose, with_room
from protocol.assets import Asset, FloatArray, Mesh

SEGMENTS = 16


def cases(bench: Bench, count: int) -> Iterator[Case]:
    """Kinds in motions that training never shows of them."""
    for seed, rng in enumerate(draws(count, 4)):
        said, motion = draw_motion(rng, True, bench.words.kinds)
        scene = with_room(build(said, seed=seed), motion)
        prompt = motion_captions(said, motion)[0]
        mesh = to_mesh(scene, SEGMENTS)
        yield Case(
            prompt, seed, partial(measure, bench, scene, motion, mesh), prompt,
            assets={"mesh": Asset(said.kind, mesh=mesh)},
        )


def measure(bench: Bench, scene: Scene, motion: Motion, mesh: Mesh, made: Asset) -> Figures:
    """Motion followed, how much moves, identity by the judge, and what has to hold exactly: the
    first frame and the topology."""
    assert made.motion is not None
    assert made.mesh is not None
    moving = made.motion.positions
    same = np.array_equal(made.mesh.faces, mesh.faces) and moving.shape[1] == len(mesh.positions)
    if not same:
        return {"same_topology": 0.0}
    wanted = true_motion(scene, motion, len(moving))
    return {
        "nearer_than_still": float(nearer_than_still(moving, wanted)),
        "cosine": followed(moving, wanted),
        "amount": amount(moving),
        "true_amount": amount(wanted),
        "identity": identity(mesh, moving, bench.judge),
        "true_identity": identity(mesh, wanted, bench.judge),
        "first_frame_error": first_frame_error(moving, mesh.positions),
        "same_topology": 1.0,
        **({"closing_gap": closing_gap(moving)} if motion.loops else {}),
    }


def true_motion(scene: Scene, motion: Motion, frames: int) -> FloatArray:
    """The vertices in the world's own motion, from phase 0 to 1, (frames, n, 3)."""
    poses = (pose(scene, motion, float(phase)) for phase in np.linspace(0, 1, frames))
    return np.stack([to_mesh(each, SEGMENTS).positions for each in poses])
