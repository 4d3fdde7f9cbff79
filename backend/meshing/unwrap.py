"""Texture coordinates by xatlas, in a process of its own.

xatlas 0.0.11 now and then never returns (its threads wait for one another, some once in ten
thousand calls), and holds Python's lock all the while: no heartbeat, no cancelling. A process can
be ended and begun anew.
"""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import xatlas
from numpy.typing import NDArray

from protocol.errors import DistilleryError

Positions = NDArray[np.float32]
Faces = NDArray[np.int32]

# xatlas takes time that grows faster than the number of faces: pieces of this size cost half of
# the whole at 20 000 faces, for a few more seams.
FACES_AT_ONCE = 1000


# Fifty times what two cores take.
SECONDS, SECONDS_A_FACE = 10, 0.002
ATTEMPTS = 3


def unwrap(positions: Positions, faces: Faces, texture_size: int) -> NDArray[np.float32]:
    """UVs (m, 3, 2) in [0, 1], one a face corner; charts lie two texels apart in a square.

    Raises :class:`DistilleryError` ``unwrap_failed`` where xatlas dies, or does not end.
    """
    mesh = io.BytesIO()
    np.savez(mesh, positions=positions, faces=faces, texture_size=texture_size)
    command = [sys.executable, "-m", "backend.meshing.unwrap"]
    root = Path(__file__).parents[2]
    limit = SECONDS + SECONDS_A_FACE * len(faces)
    for _ in range(ATTEMPTS):
        try:
            ended = subprocess.run(
                command, input=mesh.getvalue(), stdout=subprocess.PIPE, cwd=root, timeout=limit,
                check=True,
            )
            return np.frombuffer(ended.stdout, np.float32).reshape(-1, 3, 2).copy()
        except subprocess.TimeoutExpired:
            continue
        except subprocess.CalledProcessError:  # it told the log why
            break
    raise DistilleryError(
        "unwrap_failed", f"No texture coordinates were found for {len(faces)} faces.",
        "Unwrap the mesh in Blender (UV > Smart UV Project), or simplify it, and try again.",
    )


def _charts(positions: Positions, faces: Faces, texture_size: int) -> NDArray[np.float32]:
    atlas = xatlas.Atlas()
    pieces = split_faces(positions, faces, FACES_AT_ONCE)
    for piece in pieces:
        used, local = np.unique(faces[piece], return_inverse=True)
        atlas.add_mesh(positions[used], local.reshape(-1, 3).astype(np.uint32))
    packing = xatlas.PackOptions()
    packing.resolution = texture_size
    packing.padding = 2
    atlas.generate(pack_options=packing)
    uvs = np.empty((len(faces), 3, 2), np.float32)
    for number, piece in enumerate(pieces):
        _, corners, coordinates = atlas[number]
        uvs[piece] = coordinates[corners]
    return uvs.clip(0, 1)


def split_faces(positions: Positions, faces: Faces, largest: int) -> list[NDArray[np.int64]]:
    """Indices of faces, halved across the longest side until no part has more than ``largest``."""
    centers = positions[faces].mean(1)
    waiting, parts = [np.arange(len(faces))], []
    while waiting:
        part = waiting.pop()
        if len(part) <= largest:
            parts.append(part)
            continue
        side = int(np.ptp(centers[part], axis=0).argmax())
        order = part[np.argsort(centers[part, side], kind="stable")]
        waiting += [order[len(part) // 2 :], order[: len(part) // 2]]
    return parts


def _main() -> None:
    mesh = np.load(io.BytesIO(sys.stdin.buffer.read()))
    uvs = _charts(mesh["positions"], mesh["faces"], int(mesh["texture_size"]))
    sys.stdout.buffer.write(uvs.tobytes())


if __name__ == "__main__":
    _main()
