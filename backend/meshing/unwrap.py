"""Texture coordinates by xatlas."""

import numpy as np
import xatlas
from numpy.typing import NDArray

Positions = NDArray[np.float32]
Faces = NDArray[np.int32]

# xatlas takes time that grows faster than the number of faces: pieces of this size cost half of
# the whole at 20 000 faces, for a few more seams.
FACES_AT_ONCE = 1000


def unwrap(positions: Positions, faces: Faces, texture_size: int) -> NDArray[np.float32]:
    """UVs (m, 3, 2) in [0, 1], one a face corner; charts lie two texels apart in a square."""
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
